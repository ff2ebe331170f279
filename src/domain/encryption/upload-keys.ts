import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  findDeviceKeys,
  listFallbackKeys,
  listOneTimeKeys,
} from "../../storage/device-keys.ts";
import { countOneTimeKeys } from "../../storage/sync-extras.ts";
import type { WriteRows } from "../../storage/write.ts";
import type { Requester } from "../accounts/requester.ts";
import { parseDeviceKeys } from "./device-keys.ts";
import {
  lastOfEachAlgorithm,
  parseOneTimeKeys,
  type OneTimeKey,
} from "./one-time-keys.ts";
import { wakeForKeys } from "./tell-key-change.ts";

export interface KeyUpload {
  deviceKeys?: JsonObject;
  oneTimeKeys: JsonObject;
  fallbackKeys: JsonObject;
}

type Needs = Pick<Edges, "committer" | "db">;

const MOST_KEYS = 10_000;

/**
 * Stores what is new of a device's keys and answers how many one-time keys wait,
 * by algorithm.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysupload
 */
export async function uploadKeys(
  edges: Needs,
  requester: Requester,
  upload: KeyUpload,
): Promise<Record<string, number>> {
  const { userId, deviceId } = requester;
  const owner = { userId, deviceId };
  const json = upload.deviceKeys && parseDeviceKeys(owner, upload.deviceKeys);
  const oneTimeKeys = await newOneTimeKeys(
    edges,
    requester,
    parseOneTimeKeys(upload.oneTimeKeys),
  );
  const fallbackKeys = await newFallbackKeys(
    edges,
    requester,
    parseOneTimeKeys(upload.fallbackKeys),
  );
  const isChanged =
    json !== undefined &&
    json !== (await findDeviceKeys(edges.db, userId, deviceId));
  const rows: Partial<WriteRows> = {
    oneTimeKeys: oneTimeKeys.map((key) => ({ at: 0, ...owner, ...key })),
    fallbackKeys: fallbackKeys.map((key) => ({ ...owner, ...key })),
    ...(isChanged && {
      deviceKeys: [{ ...owner, json }],
      deviceListChanges: [{ at: 0, userId }],
    }),
  };
  if (isChanged || oneTimeKeys.length > 0 || fallbackKeys.length > 0) {
    const outcome = await edges.committer.commit({
      positions: 1,
      liveDevices: [owner],
      rows,
      wake: isChanged ? await wakeForKeys(edges, userId) : { users: [userId] },
    });
    if (outcome.status !== "committed") {
      throw new MatrixError("M_UNKNOWN_TOKEN", "This device was removed.");
    }
  }
  return countKeys(edges, owner);
}

/** Those that are not there yet. Throws where an id in use is given another key. */
async function newOneTimeKeys(
  { db }: Needs,
  { userId, deviceId }: Requester,
  keys: readonly OneTimeKey[],
): Promise<OneTimeKey[]> {
  if (keys.length === 0) return [];
  const standing = await listOneTimeKeys(db, userId, deviceId, keys);
  const known = new Map(standing.map((key) => [nameOf(key), key.json]));
  const added = keys.filter((key) => !known.has(nameOf(key)));
  const other = keys.find(
    (key) => (known.get(nameOf(key)) ?? key.json) !== key.json,
  );
  if (other) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      `Another one-time key is known as ${nameOf(other)}.`,
    );
  }
  const counts = await countOneTimeKeys(db, userId, deviceId);
  const held = counts.reduce((sum, { count }) => sum + count, 0);
  if (held + added.length > MOST_KEYS) {
    throw new MatrixError(
      "M_TOO_LARGE",
      `A device can hold no more than ${MOST_KEYS} one-time keys.`,
    );
  }
  return added;
}

async function newFallbackKeys(
  { db }: Needs,
  { userId, deviceId }: Requester,
  keys: readonly OneTimeKey[],
): Promise<OneTimeKey[]> {
  if (keys.length === 0) return [];
  const latest = lastOfEachAlgorithm(keys);
  const standing = await listFallbackKeys(db, userId, deviceId);
  const known = new Map(standing.map((key) => [nameOf(key), key.json]));
  if (known.size + latest.length > MOST_ALGORITHMS) {
    throw new MatrixError("M_TOO_LARGE", "These are too many fallback keys.");
  }
  return latest.filter((key) => known.get(nameOf(key)) !== key.json);
}

const MOST_ALGORITHMS = 40;

const nameOf = ({ algorithm, keyId }: { algorithm: string; keyId: string }) =>
  `${algorithm}:${keyId}`;

async function countKeys(
  { db }: Needs,
  { userId, deviceId }: { userId: string; deviceId: string },
): Promise<Record<string, number>> {
  const rows = await countOneTimeKeys(db, userId, deviceId);
  return Object.fromEntries([
    ["signed_curve25519", 0],
    ...rows.map(({ algorithm, count }) => [algorithm, count] as const),
  ]);
}
