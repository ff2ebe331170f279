import type { Edges } from "../../edges.ts";
import { isDeviceId } from "../../core/ids.ts";
import { emptyJsonObject, type JsonObject } from "../../core/json.ts";
import {
  claimKeys as takeKeys,
  type WantedKey,
} from "../../storage/device-keys.ts";
import { divideUsers } from "./unreachable.ts";

/**
 * Gives out one key of each device: the oldest one-time key, or the fallback key.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim
 * @param wanted algorithms by device, by user
 */
export async function claimKeys(
  { db, settings }: Pick<Edges, "db" | "settings">,
  wanted: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<{ one_time_keys: JsonObject; failures: JsonObject }> {
  const { local, failures } = divideUsers(settings, Object.keys(wanted));
  const keys: WantedKey[] = local.flatMap((userId) =>
    Object.entries(wanted[userId] ?? {})
      .filter(([deviceId, name]) => isDeviceId(deviceId) && isName(name))
      .map(([deviceId, algorithm]) => ({ userId, deviceId, algorithm })),
  );
  const claimed = emptyJsonObject();
  for (const key of await takeKeys(db, keys)) {
    const devices = (claimed[key.userId] ??= emptyJsonObject()) as JsonObject;
    devices[key.deviceId] = {
      [`${key.algorithm}:${key.keyId}`]: JSON.parse(key.json) as JsonObject,
    };
  }
  return { one_time_keys: claimed, failures };
}

const isName = (algorithm: string): boolean =>
  /^[\x21-\x7e]{1,64}$/.test(algorithm);
