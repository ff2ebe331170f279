import { createHash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { findDehydratedDevice } from "../../storage/dehydrated-devices.ts";
import { findDevice } from "../../storage/sessions.ts";
import type { Sealed, WriteRows } from "../../storage/write.ts";
import { removeDevices } from "../accounts/close-session.ts";
import {
  deviceContext,
  type DeviceDetails,
} from "../accounts/device-details.ts";
import {
  assertDeviceId,
  assertFreeName,
  assertRoomForDevice,
} from "../accounts/open-session.ts";
import type { Requester } from "../accounts/requester.ts";
import { readToDevice } from "../sync/device-section.ts";
import { parseDeviceKeys } from "./device-keys.ts";
import { lastOfEachAlgorithm, parseOneTimeKeys } from "./one-time-keys.ts";
import { wakeForKeys } from "./tell-key-change.ts";

/** A device that is asleep on the server, and gets messages there. */
export interface DehydratedDevice {
  deviceId: string;
  /** The device itself, encrypted by the client. */
  data: JsonObject;
  displayName?: string;
  deviceKeys: JsonObject;
  oneTimeKeys: JsonObject;
  fallbackKeys: JsonObject;
}

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "notifier" | "now" | "settings"
>;

const MAX_DATA_BYTES = 64 * 1024;
const MOST_KEYS = 1000;
const MOST_ALGORITHMS = 40;
const MAX_TRIES = 50;

const contextOf = (userId: string, deviceId: string): string =>
  `dehydrated_devices.sealed ${userId} ${deviceId}`;

/**
 * Puts a device to sleep, in place of the one that slept before, which goes with all
 * that is its own.
 * https://github.com/matrix-org/matrix-spec-proposals/pull/3814
 */
export async function putDehydratedDevice(
  edges: Needs,
  requester: Requester,
  upload: DehydratedDevice,
): Promise<void> {
  const { userId } = requester;
  const { deviceId } = upload;
  const keys = parseKeys(userId, upload);
  const data = JSON.stringify(upload.data);
  if (Buffer.byteLength(data) > MAX_DATA_BYTES) {
    throw new MatrixError("M_TOO_LARGE", "A device has at most 64 KiB.");
  }
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const standing = await findDehydratedDevice(edges.db, userId);
    const before = standing?.deviceId ?? undefined;
    await assertNewDevice(edges, userId, deviceId, before);
    const device = await sealDevice(edges, userId, upload);
    const sealed = await edges.keyring.sealForUser(
      userId,
      contextOf(userId, deviceId),
      data,
    );
    const outcome = await edges.committer.commit({
      positions: 1,
      activeUsers: [userId],
      liveDevices: [{ userId, deviceId: requester.deviceId }],
      // Of two uploads on the same ground the second begins anew.
      idempotency: [
        { key: claimOf(userId, standing?.position ?? 0), answer: "" },
      ],
      rows: {
        ...keys,
        removedDevices:
          before === undefined ? [] : [{ userId, deviceId: before }],
        devices: [{ userId, deviceId, createdTs: edges.now(), ...device }],
        dehydratedDevices: [{ at: 0, userId, deviceId, ...sealed }],
        deviceListChanges: [{ at: 0, userId }],
      },
      wake: await wakeForKeys(edges, userId),
    });
    if (outcome.status === "committed") return;
    if (outcome.status === "conflict") {
      if (outcome.over === "key")
        edges.keyring.forget([device.keyId, sealed.keyId]);
      // Another one may have been logged in to under this id just now.
      else if (outcome.over !== "device")
        throw new MatrixError("M_UNKNOWN_TOKEN", "This device was removed.");
    }
  }
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many changes at once. Try again shortly.",
    { retry_after_ms: 500 },
  );
}

/** Throws `M_NOT_FOUND`. */
export async function getDehydratedDevice(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  userId: string,
): Promise<{ device_id: string; device_data: JsonObject }> {
  const row = await findDehydratedDevice(db, userId);
  if (!row || row.deviceId === null || row.sealed === null) throw notFound();
  const { deviceId, keyId, sealed } = row;
  const context = contextOf(userId, deviceId);
  const [text] = await keyring.openAll([{ context, keyId, sealed }]);
  if (text === undefined) throw notFound();
  return {
    device_id: deviceId,
    device_data: JSON.parse(text) as JsonObject,
  };
}

/** Answers the id of the device that is gone. Throws `M_NOT_FOUND`. */
export async function deleteDehydratedDevice(
  edges: Pick<Edges, "committer" | "db" | "notifier">,
  userId: string,
): Promise<string> {
  const row = await findDehydratedDevice(edges.db, userId);
  const deviceId = row?.deviceId ?? undefined;
  if (deviceId === undefined) throw notFound();
  await removeDevices(edges, userId, [deviceId]);
  return deviceId;
}

/**
 * Messages to the sleeping device, oldest first, as JSON. They stay until the device
 * goes, so that another one can begin anew where this one was interrupted.
 * @param from where the last answer ended
 */
export async function readDehydratedEvents(
  edges: Pick<Edges, "db" | "keyring" | "notifier">,
  requester: Requester,
  deviceId: string,
  from: string | undefined,
): Promise<string> {
  const after = from === undefined ? 0 : parseToken(from);
  const row = await findDehydratedDevice(edges.db, requester.userId);
  if (row?.deviceId !== deviceId) {
    throw new MatrixError("M_FORBIDDEN", "This is not your dehydrated device.");
  }
  const upTo = await edges.notifier.refresh();
  const { events, position } = await readToDevice(
    edges,
    { ...requester, deviceId },
    after,
    upTo,
  );
  return `{"events":[${events.join(",")}],"next_batch":"d${position}"}`;
}

function parseToken(text: string): number {
  const [, position] = /^d([0-9]{1,15})$/.exec(text) ?? [];
  if (position !== undefined) return Number(position);
  throw new MatrixError(
    "M_INVALID_PARAM",
    '"next_batch" is not a token of this server.',
  );
}

function parseKeys(
  userId: string,
  upload: DehydratedDevice,
): Pick<WriteRows, "deviceKeys" | "oneTimeKeys" | "fallbackKeys"> {
  const { deviceId } = upload;
  assertDeviceId(deviceId);
  const owner = { userId, deviceId };
  const json = parseDeviceKeys(owner, upload.deviceKeys);
  const oneTimeKeys = parseOneTimeKeys(upload.oneTimeKeys);
  const fallbackKeys = lastOfEachAlgorithm(
    parseOneTimeKeys(upload.fallbackKeys),
  );
  const isTooMuch =
    oneTimeKeys.length > MOST_KEYS || fallbackKeys.length > MOST_ALGORITHMS;
  if (isTooMuch) throw new MatrixError("M_TOO_LARGE", "Too many keys.");
  return {
    deviceKeys: [{ ...owner, json }],
    oneTimeKeys: oneTimeKeys.map((key) => ({ at: 0, ...owner, ...key })),
    fallbackKeys: fallbackKeys.map((key) => ({ ...owner, ...key })),
  };
}

async function assertNewDevice(
  edges: Pick<Edges, "db" | "settings">,
  userId: string,
  deviceId: string,
  before: string | undefined,
): Promise<void> {
  if (deviceId !== before) {
    if (await findDevice(edges.db, userId, deviceId)) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        "This is the id of another of your devices.",
      );
    }
    await assertFreeName(edges, userId, deviceId);
  }
  if (before === undefined) await assertRoomForDevice(edges, userId);
}

function sealDevice(
  { keyring }: Pick<Edges, "keyring">,
  userId: string,
  { deviceId, displayName }: DehydratedDevice,
): Promise<Sealed> {
  const details: DeviceDetails =
    displayName === undefined ? {} : { display_name: displayName };
  return keyring.sealForUser(
    userId,
    deviceContext(userId, deviceId),
    JSON.stringify(details),
  );
}

const claimOf = (userId: string, position: number): Uint8Array =>
  createHash("sha256")
    .update(JSON.stringify(["dehydrated device", userId, position]))
    .digest()
    .subarray(0, 16);

const notFound = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "You have no dehydrated device.");
