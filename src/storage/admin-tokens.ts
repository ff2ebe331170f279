import type { Sql } from "./database.ts";

export interface AdminTokenRow {
  tokenId: number;
  userId: string;
  name: string;
  permissions: string[];
  networks: string[];
  expiresTs: number;
  createdTs: number;
}

/** Whom a token of the admin API speaks for, if it is good at this moment. */
export async function findAdminToken(
  sql: Sql,
  tokenHash: Uint8Array,
): Promise<
  | (Pick<AdminTokenRow, "tokenId" | "userId" | "permissions" | "networks"> & {
      isGuest: boolean;
      isLocked: boolean;
      isSuspended: boolean;
    })
  | undefined
> {
  const [row] = await sql<
    (AdminTokenRow & {
      isGuest: boolean;
      isLocked: boolean;
      isSuspended: boolean;
    })[]
  >`
    select t.token_id, t.user_id, t.permissions, t.networks, u.is_guest, u.is_locked or u.is_ending as is_locked, u.is_suspended
    from admin_tokens t join users u on u.user_id = t.user_id
    where t.token_hash = ${tokenHash} and t.expires_ts > database_ms() and not u.is_deactivated`;
  return row;
}

/** A user's tokens that are still good, newest first. */
export function listAdminTokens(
  sql: Sql,
  userId: string,
): Promise<AdminTokenRow[]> {
  return sql<AdminTokenRow[]>`
    select token_id, user_id, name, permissions, networks, expires_ts, created_ts
    from admin_tokens where user_id = ${userId} and expires_ts > database_ms()
    order by created_ts desc, token_id desc`;
}

/** Tokens of a user whose time is over. */
export async function listSpentAdminTokens(
  sql: Sql,
  userId: string,
): Promise<number[]> {
  const rows = await sql<{ tokenId: number }[]>`
    select token_id from admin_tokens where user_id = ${userId} and expires_ts <= database_ms()`;
  return rows.map(({ tokenId }) => tokenId);
}
