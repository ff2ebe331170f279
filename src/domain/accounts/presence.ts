import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  endPresence,
  findPresence,
  isRoomShared,
  listRoomsOfUsers,
  setPresence,
} from "../../storage/presence.ts";
import type { PresenceRow } from "../../storage/sync-extras.ts";
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

interface Noted {
  state: string;
  ts: number;
}
const noted = slot(() => new WeightedCache<string, Noted>(100_000, () => 1));
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

/**
 * Notes what a sync says of its user (`set_presence`). Others are told of
 * changes only, and the time is stored now and then. A database that takes no
 * writes does not keep a client from reading.
 */
export async function notePresence(
  edges: Needs & Pick<Edges, "log">,
  { userId }: { userId: string },
  wanted: string,
): Promise<void> {
  if (!isState(wanted)) {
    throw new MatrixError("M_INVALID_PARAM", "There is no such presence.");
  }
  if (!edges.settings.presenceEnabled) return;
  try {
    await sweep(edges);
    await noteState(edges, userId, wanted);
  } catch (error) {
    edges.log.warn({ err: error }, "Presence cannot be stored at the moment.");
  }
}

async function noteState(
  edges: Needs,
  userId: string,
  wanted: PresenceState,
): Promise<void> {
  // A client that polls as "offline" leaves the presence as it is.
  if (wanted === "offline") return;
  const known = edges.memory.of(noted).get(userId);
  const nowTs = edges.now();
  if (known?.state === wanted && nowTs - known.ts < NOTE_EVERY_MS) return;
  await change(edges, { userId, state: wanted, lastActiveTs: nowTs });
}

/** What a user says of itself. */
export async function setOwnPresence(
  edges: Needs & Pick<Edges, "keyring">,
  userId: string,
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
  await change(edges, { userId, state, lastActiveTs, status });
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
  const { userId, state } = row;
  const mark = await setPresence(edges.db, row);
  edges.memory.of(noted).set(userId, { state, ts: row.lastActiveTs });
  if (mark === undefined) return;
  const rooms = await listRoomsOfUsers(edges.db, [userId]);
  edges.notifier.wakeEphemeral({ mark, rooms, users: [userId] });
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
  const mark = Math.max(...gone.map((row) => row.mark));
  const rooms = await listRoomsOfUsers(edges.db, users);
  edges.notifier.wakeEphemeral({ mark, rooms, users });
}
