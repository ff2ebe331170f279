import type { Sql } from "./database.ts";

export async function insertOpenidToken(
  sql: Sql,
  row: {
    tokenHash: Uint8Array;
    userId: string;
    deviceId: string;
    expiresTs: number;
  },
  now: number,
): Promise<void> {
  await sql`
    with expired as (delete from openid_tokens where expires_ts <= ${now})
    insert into openid_tokens (token_hash, user_id, device_id, expires_ts)
    values (${row.tokenHash}, ${row.userId}, ${row.deviceId}, ${row.expiresTs})`;
}

/** Whose it is; of nobody who may not log in any more. */
export async function findOpenidUser(
  sql: Sql,
  tokenHash: Uint8Array,
  now: number,
): Promise<string | undefined> {
  const [row] = await sql<{ userId: string }[]>`
    select u.user_id from openid_tokens t join users u on u.user_id = t.user_id
    where t.token_hash = ${tokenHash} and t.expires_ts > ${now}
      and not u.is_deactivated and not u.is_locked and not u.is_ending`;
  return row?.userId;
}
