import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export type MailAddressRow = {
  addressHash: Uint8Array;
  createdTs: number;
} & Sealed;

export async function hasMailAddress(
  sql: Sql,
  userId: string,
  addressHash: Uint8Array,
): Promise<boolean> {
  const [row] = await sql`
    select from mail_addresses where user_id = ${userId} and address_hash = ${addressHash}`;
  return row !== undefined;
}

/** Those that a user was given first come first. */
export async function listMailAddresses(
  sql: Sql,
  userId: string,
): Promise<MailAddressRow[]> {
  return sql<MailAddressRow[]>`
    select address_hash, created_ts, key_id, sealed from mail_addresses
    where user_id = ${userId} order by created_ts, address_hash`;
}

/** False where there is no such user, or no longer. */
export async function insertMailAddress(
  sql: Sql,
  row: { userId: string } & MailAddressRow,
): Promise<boolean> {
  const rows = await sql`
    insert into mail_addresses (user_id, address_hash, key_id, sealed, created_ts)
    select user_id, ${row.addressHash}, ${row.keyId}, ${row.sealed}, ${row.createdTs} from users
    where user_id = ${row.userId} and not is_deactivated
    on conflict (user_id, address_hash) do update set key_id = excluded.key_id, sealed = excluded.sealed
    returning user_id`;
  return rows.length === 1;
}
