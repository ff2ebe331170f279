import type { Sql } from "./database.ts";

export interface LoginTokenRow {
  tokenHash: Uint8Array;
  userId: string;
  /** The device that it was given out to: it dies with that. */
  deviceId: string;
  passwordHashDigest: Uint8Array;
  expiresTs: number;
}

/** False where the device is gone. */
export async function insertLoginToken(
  sql: Sql,
  row: LoginTokenRow,
  nowTs: number,
): Promise<boolean> {
  const { count } = await sql`
    with expired as (delete from login_tokens where expires_ts < ${nowTs})
    insert into login_tokens (token_hash, user_id, device_id, password_hash_digest, expires_ts)
    select ${row.tokenHash}::bytea, user_id, device_id, ${row.passwordHashDigest}::bytea, ${row.expiresTs}::bigint
    from devices where user_id = ${row.userId} and device_id = ${row.deviceId} for key share`;
  return count > 0;
}

/** A token is good once: whoever deletes the row has it. */
export async function takeLoginToken(
  sql: Sql,
  tokenHash: Uint8Array,
): Promise<LoginTokenRow | undefined> {
  const [row] = await sql<LoginTokenRow[]>`
    delete from login_tokens where token_hash = ${tokenHash}
    returning token_hash, user_id, device_id, password_hash_digest, expires_ts`;
  return row;
}
