import type { Edges } from "../../edges.ts";
import { isDeviceId } from "../../core/ids.ts";
import { emptyJsonObject, type JsonObject } from "../../core/json.ts";
import {
  claimKeys as takeKeys,
  type WantedKey,
} from "../../storage/device-keys.ts";
import { divideUsers } from "./unreachable.ts";

type Needs = Pick<Edges, "committer" | "db" | "log" | "settings">;

/**
 * Gives out one key of each device: the oldest one-time key, or the fallback key.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim
 * @param wanted algorithms by device, by user
 */
export async function claimKeys(
  edges: Needs,
  wanted: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<{ one_time_keys: JsonObject; failures: JsonObject }> {
  const { local, failures } = divideUsers(edges.settings, Object.keys(wanted));
  const keys: WantedKey[] = local.flatMap((userId) =>
    Object.entries(wanted[userId] ?? {})
      .filter(([deviceId, name]) => isDeviceId(deviceId) && isName(name))
      .map(([deviceId, algorithm]) => ({ userId, deviceId, algorithm })),
  );
  const taken = await takeKeys(edges.db, keys);
  await tellOwners(
    edges,
    taken.filter(({ isSpent }) => isSpent).map(({ userId }) => userId),
  );
  const claimed = emptyJsonObject();
  for (const key of taken) {
    const devices = (claimed[key.userId] ??= emptyJsonObject()) as JsonObject;
    devices[key.deviceId] = {
      [`${key.algorithm}:${key.keyId}`]: JSON.parse(key.json) as JsonObject,
    };
  }
  return { one_time_keys: claimed, failures };
}

/** Owners see at once how many keys are left, and make new ones in time. */
async function tellOwners(
  { committer, log }: Needs,
  userIds: readonly string[],
): Promise<void> {
  if (userIds.length === 0) return;
  try {
    await committer.commit({ positions: 1, wake: { users: userIds } });
  } catch (error) {
    // The keys are taken and have to be given out; the next sync tells of them too.
    log.warn({ err: error }, "Owners of claimed keys are told later.");
  }
}

const isName = (algorithm: string): boolean =>
  /^[\x21-\x7e]{1,64}$/.test(algorithm);
