import type { Sql } from "./database.ts";

export interface UserRow {
  userId: string;
  passwordHash: string | null;
  /** Or about to be. */
  isDeactivated: boolean;
  /** It can be taken back yet that it ends. */
  isEnding: boolean;
  isLocked: boolean;
  isSuspended: boolean;
  isShadowBanned: boolean;
  isGuest: boolean;
  createdTs: number;
  expiresTs: number | null;
  /** Until when cross-signing keys may be replaced without the password. */
  keysOpenUntilTs: number | null;
}

export async function findUser(
  sql: Sql,
  userId: string,
): Promise<UserRow | undefined> {
  const [row] = await sql<UserRow[]>`
    select user_id, password_hash, is_deactivated or is_ending as is_deactivated, is_ending, is_locked, is_suspended, is_shadow_banned, is_guest, created_ts, expires_ts, keys_open_until_ts
    from users where user_id = ${userId}`;
  return row;
}

/** Which of the given users exist here and are not deactivated. */
export async function listActiveUsers(
  sql: Sql,
  userIds: readonly string[],
): Promise<string[]> {
  if (userIds.length === 0) return [];
  const rows = await sql<{ userId: string }[]>`
    select user_id from users where user_id = any(${userIds as string[]}::text[]) and not is_deactivated`;
  return rows.map((row) => row.userId);
}

/** Which of the given users have or had an account here. */
export async function listExistingUsers(
  sql: Sql,
  userIds: readonly string[],
): Promise<string[]> {
  if (userIds.length === 0) return [];
  const rows = await sql<{ userId: string }[]>`
    select user_id from users where user_id = any(${userIds as string[]}::text[])`;
  return rows.map((row) => row.userId);
}

/** Where in the stream those of the users who were erased asked for it. */
export async function listErasures(
  sql: Sql,
  userIds: readonly string[],
): Promise<Map<string, number>> {
  if (userIds.length === 0) return new Map();
  const rows = await sql<{ userId: string; position: number }[]>`
    select user_id, erased_position as position from users
    where user_id = any(${userIds as string[]}::text[]) and erased_position is not null`;
  return new Map(rows.map(({ userId, position }) => [userId, position]));
}

/** Deactivated users who are still in rooms, or have backups: their deactivation did not come to its end. */
export async function listUnfinishedDeactivations(sql: Sql): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select user_id from users where is_deactivated and (exists (
      select from memberships m
      where m.user_id = users.user_id and m.membership in ('join', 'invite', 'knock'))
      or exists (select from key_backups b where b.user_id = users.user_id and not b.is_deleted))`;
  return rows.map((row) => row.userId);
}

/** Nonces of shared-secret registration are good once, for a minute. */
export async function insertNonce(
  sql: Sql,
  nonceHash: Uint8Array,
  expiresTs: number,
  nowTs: number,
): Promise<void> {
  await sql`
    with expired as (delete from registration_nonces where expires_ts < ${nowTs})
    insert into registration_nonces (nonce_hash, expires_ts) values (${nonceHash}, ${expiresTs})`;
}

export async function takeNonce(
  sql: Sql,
  nonceHash: Uint8Array,
  nowTs: number,
): Promise<boolean> {
  const rows = await sql`
    delete from registration_nonces where nonce_hash = ${nonceHash} and expires_ts >= ${nowTs} returning nonce_hash`;
  return rows.length === 1;
}
