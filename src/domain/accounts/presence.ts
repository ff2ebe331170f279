import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  endPresence,
  findPresence,
  isRoomShared,
  listRoomsOfUsers,
  repeatPresence,
  setPresence,
} from "../../storage/presence.ts";
import { isUnanswered } from "../../storage/storage-unavailable.ts";
import type { PresenceRow } from "../../storage/sync-extras.ts";
import type { Requester } from "./requester.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";

type Needs = Pick<Edges, "db" | "memory" | "notifier" | "now" | "settings">;

export type PresenceState = "online" | "unavailable" | "offline";

/** Content of `m.presence`, and the answer of GET /presence/{userId}/status. */
export interface PresenceContent {
  presence: PresenceState;
  last_active_ago?: number;
  currently_active?: boolean;
  status_msg?: string;
}

const STATES: readonly string[] = ["online", "unavailable", "offline"];
/** The longest poll and some more: whoever did not ask for so long is gone. */
const GONE_MS = 180_000;
const NOTE_EVERY_MS = 25_000;

const swept = slot(() => ({ ts: 0 }));

const isState = (state: string): state is PresenceState =>
  STATES.includes(state);

/** What a sealed status message is bound to. */
export const presenceContext = (userId: string): string =>
  `presence.status_sealed ${userId}`;

export function presenceContent(
  { state, lastActiveTs }: Pick<PresenceRow, "state" | "lastActiveTs">,
  statusText: string | undefined,
  nowTs: number,
): PresenceContent {
  const ago = Math.max(0, nowTs - lastActiveTs);
  const presence = ago < GONE_MS && isState(state) ? state : "offline";
  return {
    presence,
    last_active_ago: ago,
    currently_active: presence === "online",
    ...(statusText !== undefined && { status_msg: statusText }),
  };
}

/** What a device's sync last said of its user, and where the marks stood then. */
interface Noted {
  wanted: string;
  ts: number;
  mark: number;
}

const noted = slot(() => new WeightedCache<string, Noted>(100_000, () => 1));

type Device = Pick<Requester, "userId" | "deviceId">;

/**
 * Notes what a sync says of its user (`set_presence`). Others are told of
 * changes only, and the time is stored now and then. A device that is idle does not
 * speak for another one that is in use: they would take turns for ever. A database
 * that takes no writes does not keep a client from reading.
 */
export async function notePresence(
  edges: Needs & Pick<Edges, "log">,
  device: Device,
  wanted: string,
): Promise<void> {
  if (!isState(wanted)) {
    throw new MatrixError("M_INVALID_PARAM", "There is no such presence.");
  }
  if (!edges.settings.presenceEnabled) return;
  try {
    await sweep(edges);
    await noteState(edges, device, wanted);
  } catch (error) {
    edges.memory.of(noted).delete(keyOf(device));
    if (isUnanswered(error)) throw error;
    edges.log.warn({ err: error }, "Presence cannot be stored at the moment.");
  }
}

const keyOf = ({ userId, deviceId }: Device): string => `${deviceId} ${userId}`;

async function noteState(
  edges: Needs,
  device: Device,
  wanted: PresenceState,
): Promise<void> {
  const { userId, deviceId } = device;
  // A client that polls as "offline" leaves the presence as it is.
  if (wanted === "offline") return;
  const nowTs = edges.now();
  const cache = edges.memory.of(noted);
  const key = keyOf(device);
  const last = cache.get(key);
  if (last?.wanted === wanted && isStillNoted(edges, userId, last)) return;
  cache.set(key, {
    wanted,
    ts: nowTs,
    mark: edges.notifier.ephemeralMark,
  });
  const known = await findPresence(edges.db, userId);
  const age = nowTs - (known?.lastActiveTs ?? -Infinity);
  if (known?.state === wanted && age < NOTE_EVERY_MS) return;
  const isOutdone =
    wanted === "unavailable" &&
    known?.state === "online" &&
    known.deviceId !== deviceId &&
    age < GONE_MS;
  if (isOutdone) return;
  await change(edges, { userId, deviceId, state: wanted, lastActiveTs: nowTs });
}

/** Within the time, and while no process has told of another state of the user. */
function isStillNoted(
  { notifier, now }: Pick<Edges, "notifier" | "now">,
  userId: string,
  last: Noted,
): boolean {
  if (Math.abs(now() - last.ts) >= NOTE_EVERY_MS) return false;
  const mark = notifier.ephemeralMark;
  const hints = notifier.ephemeralBetween(last.mark, mark);
  if (!hints?.every(({ users }) => !users.includes(userId))) return false;
  last.mark = mark;
  return true;
}

/** What a user says of itself. */
export async function setOwnPresence(
  edges: Needs & Pick<Edges, "keyring">,
  { userId, deviceId }: Device,
  state: PresenceState,
  statusText: string | undefined,
): Promise<void> {
  if (!edges.settings.presenceEnabled) return;
  const context = presenceContext(userId);
  const status =
    statusText === undefined
      ? null
      : await edges.keyring.sealForUser(userId, context, statusText);
  const lastActiveTs = edges.now();
  await change(edges, { userId, deviceId, state, lastActiveTs, status });
}

/**
 * Tells of a name or avatar that changed, beside the presence as it is.
 * https://spec.matrix.org/v1.19/client-server-api/#events-on-change-of-profile-information
 */
export async function tellProfile(edges: Needs, userId: string): Promise<void> {
  if (!edges.settings.presenceEnabled) return;
  await wake(
    edges,
    userId,
    await repeatPresence(edges.db, userId, edges.now()),
  );
}

/** Throws `M_FORBIDDEN` for users with whom the viewer shares no room. */
export async function getPresence(
  edges: Pick<Edges, "db" | "keyring" | "now" | "settings">,
  viewerId: string,
  userId: string,
): Promise<PresenceContent> {
  const { db, keyring, settings } = edges;
  if (viewerId !== userId && !(await isRoomShared(db, viewerId, userId))) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "You may see the presence of those with whom you share a room.",
    );
  }
  const row = settings.presenceEnabled && (await findPresence(db, userId));
  if (!row) return { presence: "offline" };
  const { statusKey: keyId, statusSealed: sealed } = row;
  const context = presenceContext(userId);
  const [text] =
    sealed === null ? [] : await keyring.openAll([{ context, keyId, sealed }]);
  return presenceContent(row, text, edges.now());
}

async function change(
  edges: Needs,
  row: Parameters<typeof setPresence>[1],
): Promise<void> {
  const mark = await setPresence(edges.db, row);
  if (mark !== undefined) await wake(edges, row.userId, mark);
}

async function wake(
  { db, notifier }: Pick<Needs, "db" | "notifier">,
  userId: string,
  mark: number,
): Promise<void> {
  const rooms = await listRoomsOfUsers(db, [userId]);
  notifier.wakeEphemeral({ mark, rooms, users: [userId] });
}

/** Tells of those who are gone; done beside syncs, for without one nobody waits to hear. */
async function sweep(edges: Needs): Promise<void> {
  const last = edges.memory.of(swept);
  const nowTs = edges.now();
  if (nowTs - last.ts < NOTE_EVERY_MS) return;
  last.ts = nowTs;
  const gone = await endPresence(edges.db, nowTs - GONE_MS);
  if (gone.length === 0) return;
  const users = gone.map(({ userId }) => userId);
  const { mark } = gone[0]!;
  const rooms = await listRoomsOfUsers(edges.db, users);
  edges.notifier.wakeEphemeral({ mark, rooms, users });
}
