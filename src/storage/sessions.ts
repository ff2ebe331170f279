import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export interface SessionRow {
  tokenId: number;
  userId: string;
  deviceId: string;
  expiresTs: number | null;
  /** Meaningful for tokens that expire. */
  isUsed: boolean;
  isGuest: boolean;
  /** Or about to end, which can be taken back. */
  isLocked: boolean;
  isSuspended: boolean;
  isDeactivated: boolean;
  isShadowBanned: boolean;
  messagesPerSecond: number | null;
  burstCount: number | null;
  /** When the account ends, unless it is renewed. */
  accountExpiresTs: number | null;
  /** The administrator who acts in the user's place. */
  actedBy: string | null;
}

/** Whom access tokens speak for, by their hashes. */
export async function listSessions(
  sql: Sql,
  tokenHashes: readonly Buffer[],
): Promise<(SessionRow & { tokenHash: Buffer })[]> {
  const hashes = tokenHashes.map((hash) => `\\x${hash.toString("hex")}`);
  return sql<(SessionRow & { tokenHash: Buffer })[]>`
    select t.token_hash, t.token_id, t.user_id, t.device_id, t.expires_ts, t.is_used,
      u.is_guest, u.is_locked or u.is_ending as is_locked, u.is_suspended, u.is_deactivated, u.is_shadow_banned,
      u.messages_per_second, u.burst_count, u.expires_ts as account_expires_ts, t.acted_by
    from access_tokens t join users u on u.user_id = t.user_id
    where t.token_hash = any(${hashes}::text[]::bytea[])`;
}

/** The tokens of a user's devices, of the named ones where any are named. */
export async function listTokens(
  sql: Sql,
  userId: string,
  deviceIds?: readonly string[],
): Promise<{ tokenId: number; deviceId: string }[]> {
  return sql<{ tokenId: number; deviceId: string }[]>`
    select token_id, device_id from access_tokens
    where user_id = ${userId} ${deviceIds ? sql`and device_id = any(${deviceIds as string[]}::text[])` : sql``}`;
}

/** From now on the refresh token before this access token is spent. */
export async function noteTokenUsed(sql: Sql, tokenId: number): Promise<void> {
  await sql`update access_tokens set is_used = true where token_id = ${tokenId}`;
}

export interface RefreshRow {
  userId: string;
  deviceId: string;
  accessTokenId: number;
  /** What replaced it, once it was used. */
  nextHash: Uint8Array | null;
  /** The access token given out with the replacement; null where that one is gone. */
  nextTokenId: number | null;
  /** Whether the replacement, or the access token given out with it, was used. */
  isNextUsed: boolean;
  createdTs: number;
}

export async function findRefreshToken(
  sql: Sql,
  tokenHash: Uint8Array,
): Promise<RefreshRow | undefined> {
  const [row] = await sql<RefreshRow[]>`
    select r.user_id, r.device_id, r.access_token_id, r.next_hash, next.access_token_id as next_token_id,
      r.created_ts,
      r.next_hash is not null
        and (next.token_hash is null or next.next_hash is not null or coalesce(t.is_used, true)) as is_next_used
    from refresh_tokens r
    left join refresh_tokens next on next.token_hash = r.next_hash
    left join access_tokens t on t.token_id = next.access_token_id
    where r.token_hash = ${tokenHash}`;
  return row;
}

export interface UsableRefreshRow {
  tokenHash: Uint8Array;
  nextHash: Uint8Array | null;
}

/**
 * The refresh tokens of a device that another pair can be had for: the living,
 * and those before them. With `known`, none where the device no longer has it.
 */
export async function listUsableRefreshTokens(
  sql: Sql,
  userId: string,
  deviceId: string,
  known?: Uint8Array,
): Promise<UsableRefreshRow[]> {
  return sql<UsableRefreshRow[]>`
    select r.token_hash, r.next_hash from refresh_tokens r
    left join refresh_tokens next on next.token_hash = r.next_hash
    where r.user_id = ${userId} and r.device_id = ${deviceId}
      and (r.next_hash is null or (next.token_hash is not null and next.next_hash is null))
      ${known ? sql`and exists (select from refresh_tokens where token_hash = ${known})` : sql``}`;
}

export type DeviceRow = {
  userId: string;
  deviceId: string;
  lastSeenTs: number | null;
  createdTs: number;
} & Sealed;

export async function listDevices(
  sql: Sql,
  userId: string,
): Promise<DeviceRow[]> {
  return sql<DeviceRow[]>`
    select user_id, device_id, key_id, sealed, last_seen_ts, created_ts
    from devices where user_id = ${userId} order by device_id`;
}

export async function listDevicesSeenLast(
  sql: Sql,
  userId: string,
  limit: number,
): Promise<DeviceRow[]> {
  return sql<DeviceRow[]>`
    select user_id, device_id, key_id, sealed, last_seen_ts, created_ts
    from devices where user_id = ${userId} and last_seen_ts is not null
    order by last_seen_ts desc limit ${limit}`;
}

export async function countDevices(sql: Sql, userId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from devices where user_id = ${userId}`;
  return row!.count;
}

export async function findDevice(
  sql: Sql,
  userId: string,
  deviceId: string,
): Promise<DeviceRow | undefined> {
  const [row] = await sql<DeviceRow[]>`
    select user_id, device_id, key_id, sealed, last_seen_ts, created_ts
    from devices where user_id = ${userId} and device_id = ${deviceId}`;
  return row;
}

/**
 * When and from where a device was last seen: worth knowing, not worth a place
 * in the stream. Left out where the details changed meanwhile.
 */
export async function updateLastSeen(
  sql: Sql,
  row: {
    userId: string;
    deviceId: string;
    lastSeenTs: number;
    before: Uint8Array;
  } & Sealed,
): Promise<void> {
  await sql`
    with seen as (
      insert into user_activity as known (user_id, last_seen_ts) values (${row.userId}, ${row.lastSeenTs})
      on conflict (user_id) do update set last_seen_ts = excluded.last_seen_ts
      where known.last_seen_ts < excluded.last_seen_ts
    )
    update devices set last_seen_ts = ${row.lastSeenTs}, key_id = ${row.keyId}, sealed = ${row.sealed}
    where user_id = ${row.userId} and device_id = ${row.deviceId} and sealed = ${row.before}`;
}
