import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export interface SessionRow {
  tokenId: number;
  userId: string;
  deviceId: string;
  expiresTs: number | null;
  isAdmin: boolean;
  isGuest: boolean;
  isLocked: boolean;
  isSuspended: boolean;
  isDeactivated: boolean;
}

/** Whom an access token speaks for. */
export async function findSession(sql: Sql, tokenHash: Uint8Array): Promise<SessionRow | undefined> {
  const [row] = await sql<SessionRow[]>`
    select t.token_id, t.user_id, t.device_id, t.expires_ts,
      u.is_admin, u.is_guest, u.is_locked, u.is_suspended, u.is_deactivated
    from access_tokens t join users u on u.user_id = t.user_id
    where t.token_hash = ${tokenHash}`;
  return row;
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

export interface RefreshRow {
  userId: string;
  deviceId: string;
  accessTokenId: number;
  nextHash: Uint8Array | null;
}

export async function findRefreshToken(sql: Sql, tokenHash: Uint8Array): Promise<RefreshRow | undefined> {
  const [row] = await sql<RefreshRow[]>`
    select user_id, device_id, access_token_id, next_hash from refresh_tokens
    where token_hash = ${tokenHash}`;
  return row;
}

export type DeviceRow = {
  userId: string;
  deviceId: string;
  lastSeenTs: number | null;
  createdTs: number;
} & Sealed;

export async function listDevices(sql: Sql, userId: string): Promise<DeviceRow[]> {
  return sql<DeviceRow[]>`
    select user_id, device_id, key_id, sealed, last_seen_ts, created_ts
    from devices where user_id = ${userId} order by device_id`;
}

export async function findDevice(sql: Sql, userId: string, deviceId: string): Promise<DeviceRow | undefined> {
  const [row] = await sql<DeviceRow[]>`
    select user_id, device_id, key_id, sealed, last_seen_ts, created_ts
    from devices where user_id = ${userId} and device_id = ${deviceId}`;
  return row;
}

/** When and from where a device was last seen: worth knowing, not worth a place in the stream. */
export async function updateLastSeen(
  sql: Sql,
  row: { userId: string; deviceId: string; lastSeenTs: number } & Sealed,
): Promise<void> {
  await sql`
    update devices set last_seen_ts = ${row.lastSeenTs}, key_id = ${row.keyId}, sealed = ${row.sealed}
    where user_id = ${row.userId} and device_id = ${row.deviceId}`;
}
