import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { actingDevice, isActingName } from "../../core/acting-device.ts";
import type { JsonObject } from "../../core/json.ts";
import { listCrossSigningKeys } from "../../storage/cross-signing.ts";
import { findDehydratedDevice } from "../../storage/dehydrated-devices.ts";
import {
  countDevices,
  findDevice,
  listTokens,
  listUsableRefreshTokens,
} from "../../storage/sessions.ts";
import type { RecordedWrite, WriteRows } from "../../storage/write.ts";
import { publicKeyIn } from "../encryption/cross-signing-key.ts";
import { removeDevices } from "./close-session.ts";
import { deviceContext, type DeviceDetails } from "./device-details.ts";
import { claimTurns } from "./refresh-turn.ts";
import { makeTokens, type GivenTokens } from "./tokens.ts";
import { userLimitExceeded } from "./user-limit.ts";

/** What a client asks for when it opens a session. */
export interface SessionWish {
  deviceId?: string;
  displayName?: string;
  canRefresh: boolean;
  /** An administrator who acts by it, whose name its device bears. */
  actedBy?: string;
}

export interface OpenedSession extends GivenTokens {
  userId: string;
  deviceId: string;
}

export type SessionEdges = Pick<
  Edges,
  | "committer"
  | "db"
  | "keyring"
  | "nids"
  | "notifier"
  | "now"
  | "random"
  | "settings"
  | "trail"
>;

const MOST_DEVICES = 1_000;

/** The rows that open a session: the device where it is new, and its tokens. */
export async function sessionRows(
  edges: SessionEdges,
  userId: string,
  wish: SessionWish,
): Promise<{
  session: OpenedSession;
  rows: Partial<WriteRows>;
  claims: NonNullable<RecordedWrite["idempotency"]>;
  isNewDevice: boolean;
  replaced: number[];
}> {
  const deviceId = wish.deviceId ?? newDeviceId(edges, wish);
  if (wish.deviceId !== undefined) assertDeviceId(deviceId);
  const standing =
    wish.deviceId === undefined
      ? undefined
      : await findDevice(edges.db, userId, deviceId);
  if (standing) await assertAwake(edges, userId, deviceId);
  else {
    await assertRoomForDevice(edges, userId);
    await assertFreeName(edges, userId, deviceId);
  }
  const old = standing ? await listTokens(edges.db, userId, [deviceId]) : [];
  const usable = standing
    ? await listUsableRefreshTokens(edges.db, userId, deviceId)
    : [];
  const { given, row } = await makeTokens(
    edges,
    userId,
    deviceId,
    wish.canRefresh,
  );
  const details: DeviceDetails =
    wish.displayName === undefined ? {} : { display_name: wish.displayName };
  const device = standing
    ? []
    : [
        {
          userId,
          deviceId,
          createdTs: edges.now(),
          ...(await edges.keyring.sealForUser(
            userId,
            deviceContext(userId, deviceId),
            JSON.stringify(details),
          )),
        },
      ];
  return {
    session: { userId, deviceId, ...given },
    rows: {
      devices: device,
      replacedSessions: standing ? [{ userId, deviceId }] : [],
      newTokens: [row],
    },
    claims: claimTurns(usable),
    isNewDevice: !standing,
    replaced: old.map(({ tokenId }) => tokenId),
  };
}

/** Opens a session of an account that exists and is active when it commits. */
export async function openSession(
  edges: SessionEdges,
  userId: string,
  wish: SessionWish,
): Promise<OpenedSession> {
  edges.trail?.note({
    resource: { type: "user", id: userId },
    ...(wish.deviceId !== undefined && { after: { device: wish.deviceId } }),
  });
  const { session, rows, claims, isNewDevice, replaced } = await sessionRows(
    edges,
    userId,
    wish,
  );
  const write: RecordedWrite = {
    positions: 1,
    idempotency: claims,
    activeUsers: [userId],
    liveDevices: isNewDevice ? [] : [{ userId, deviceId: session.deviceId }],
    rows: {
      ...rows,
      ...(isNewDevice ? { deviceListChanges: [{ at: 0, userId }] } : {}),
    },
    wake: { users: [userId] },
  };
  const outcome = await edges.committer.commit(write);
  // Its session was just refreshed, ended or replaced.
  if (outcome.status === "duplicate") return openSession(edges, userId, wish);
  const isOverDevice =
    outcome.status === "conflict" &&
    (outcome.over === "missing-device" || outcome.over === "device");
  // It was removed or put to sleep just now.
  if (isOverDevice) return openSession(edges, userId, wish);
  if (outcome.status !== "committed") {
    throw new MatrixError(
      "M_USER_DEACTIVATED",
      "This account has been deactivated.",
    );
  }
  await edges.notifier.revoke(replaced);
  // Others may have opened one when this one found room; what is stored decides.
  if (isNewDevice && (await countDevices(edges.db, userId)) > MOST_DEVICES) {
    await removeDevices(edges, userId, [session.deviceId]);
    throw tooManyDevices(edges);
  }
  return session;
}

export async function assertRoomForDevice(
  edges: Pick<Edges, "db" | "settings">,
  userId: string,
): Promise<void> {
  if ((await countDevices(edges.db, userId)) >= MOST_DEVICES)
    throw tooManyDevices(edges);
}

const tooManyDevices = ({ settings }: Pick<Edges, "settings">): MatrixError =>
  userLimitExceeded(
    settings,
    `An account has no more than ${MOST_DEVICES} devices. Remove some of them first.`,
  );

/** Whoever logged in to a device that sleeps would get its messages, and hold none of its keys. */
async function assertAwake(
  { db }: Pick<Edges, "db">,
  userId: string,
  deviceId: string,
): Promise<void> {
  const asleep = await findDehydratedDevice(db, userId);
  if (asleep?.deviceId !== deviceId) return;
  throw new MatrixError(
    "M_FORBIDDEN",
    "This is the id of your dehydrated device, which cannot be logged in to.",
  );
}

/** Signatures name a device or a cross-signing key: no name may mean both. */
export async function assertFreeName(
  { db }: Pick<Edges, "db">,
  userId: string,
  deviceId: string,
): Promise<void> {
  const keys = await listCrossSigningKeys(db, [userId]);
  const isTaken = keys.some(
    ({ json }) => publicKeyIn(JSON.parse(json) as JsonObject) === deviceId,
  );
  if (!isTaken) return;
  throw new MatrixError(
    "M_FORBIDDEN",
    "The device id is the same as a cross-signing key.",
  );
}

function newDeviceId(
  { random }: Pick<Edges, "random">,
  { actedBy }: SessionWish,
): string {
  const mark = random.letters(10).toUpperCase();
  return actedBy === undefined ? mark : actingDevice(mark, actedBy);
}

/** What a device may be called by whoever asks for it. */
export function assertDeviceId(deviceId: string): void {
  if (isActingName(deviceId)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "Devices of administrators alone are called so.",
    );
  }
  if (
    deviceId === "" ||
    Buffer.byteLength(deviceId) > 255 ||
    /[\0-\x1f\x7f]/.test(deviceId)
  ) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "A device id has 1 to 255 bytes and no control characters.",
    );
  }
}
