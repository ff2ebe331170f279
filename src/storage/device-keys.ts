import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

/** A device's keys as uploaded, with the device's sealed details. */
export type DeviceKeysRow = {
  userId: string;
  deviceId: string;
  json: string;
} & Sealed;

export async function listDeviceKeys(
  sql: Sql,
  userIds: readonly string[],
): Promise<DeviceKeysRow[]> {
  if (userIds.length === 0) return [];
  return sql<DeviceKeysRow[]>`
    select k.user_id, k.device_id, k.json, d.key_id, d.sealed
    from device_keys k join devices d on d.user_id = k.user_id and d.device_id = k.device_id
    where k.user_id = any(${userIds as string[]}::text[]) order by k.user_id, k.device_id`;
}

export async function findDeviceKeys(
  sql: Sql,
  userId: string,
  deviceId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    select json from device_keys where user_id = ${userId} and device_id = ${deviceId}`;
  return row?.json;
}

export interface OneTimeKeyRow {
  algorithm: string;
  keyId: string;
  json: string;
}

/** Those of the named one-time keys that are there. */
export async function listOneTimeKeys(
  sql: Sql,
  userId: string,
  deviceId: string,
  keys: readonly { algorithm: string; keyId: string }[],
): Promise<OneTimeKeyRow[]> {
  if (keys.length === 0) return [];
  return sql<OneTimeKeyRow[]>`
    select k.algorithm, k.key_id, k.json
    from unnest(${keys.map((k) => k.algorithm)}::text[], ${keys.map((k) => k.keyId)}::text[]) as n(algorithm, key_id)
    join one_time_keys k on k.user_id = ${userId} and k.device_id = ${deviceId}
      and k.algorithm = n.algorithm and k.key_id = n.key_id`;
}

export async function listFallbackKeys(
  sql: Sql,
  userId: string,
  deviceId: string,
): Promise<OneTimeKeyRow[]> {
  return sql<OneTimeKeyRow[]>`
    select algorithm, key_id, json from fallback_keys
    where user_id = ${userId} and device_id = ${deviceId}`;
}

export interface WantedKey {
  userId: string;
  deviceId: string;
  algorithm: string;
}

export type ClaimedKey = WantedKey & {
  keyId: string;
  json: string;
  /** Whether its owner has one unused key less now: not so for a fallback key in use. */
  isSpent: boolean;
};

/**
 * Takes the oldest one-time key of each device, or its fallback key where there
 * is none. One statement: a key is locked before it is given, and what another
 * claim has locked is passed over, so no key is given twice.
 */
export async function claimKeys(
  sql: Sql,
  wanted: readonly WantedKey[],
): Promise<ClaimedKey[]> {
  if (wanted.length === 0) return [];
  return sql<ClaimedKey[]>`
    with wanted as materialized (
      select * from unnest(
        ${wanted.map((w) => w.userId)}::text[], ${wanted.map((w) => w.deviceId)}::text[],
        ${wanted.map((w) => w.algorithm)}::text[]) as w(user_id, device_id, algorithm)
      order by user_id, device_id, algorithm
    ), oldest as materialized (
      select k.* from wanted w cross join lateral (
        select user_id, device_id, algorithm, key_id from one_time_keys o
        where o.user_id = w.user_id and o.device_id = w.device_id and o.algorithm = w.algorithm
        order by o.position, o.key_id limit 1 for update skip locked) k
    ), taken as (
      delete from one_time_keys k using oldest o
      where k.user_id = o.user_id and k.device_id = o.device_id and k.algorithm = o.algorithm and k.key_id = o.key_id
      returning k.user_id, k.device_id, k.algorithm, k.key_id, k.json, true as is_spent
    ), fallen as (
      update fallback_keys f set is_used = true from wanted w join fallback_keys before using (user_id, device_id, algorithm)
      where f.user_id = w.user_id and f.device_id = w.device_id and f.algorithm = w.algorithm
        and not exists (select from taken t
          where t.user_id = w.user_id and t.device_id = w.device_id and t.algorithm = w.algorithm)
      returning f.user_id, f.device_id, f.algorithm, f.key_id, f.json, not before.is_used as is_spent
    )
    select * from taken union all select * from fallen`;
}
