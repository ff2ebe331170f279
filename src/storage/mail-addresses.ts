import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export async function hasMailAddress(
  sql: Sql,
  userId: string,
  addressHash: Uint8Array,
): Promise<boolean> {
  const [row] = await sql`
    select from mail_addresses where user_id = ${userId} and address_hash = ${addressHash}`;
  return row !== undefined;
}

/** False where there is no such user, or no longer. */
export async function insertMailAddress(
  sql: Sql,
  row: {
    userId: string;
    addressHash: Uint8Array;
    createdTs: number;
  } & Sealed,
): Promise<boolean> {
  const rows = await sql`
    insert into mail_addresses (user_id, address_hash, key_id, sealed, created_ts)
    select user_id, ${row.addressHash}, ${row.keyId}, ${row.sealed}, ${row.createdTs} from users
    where user_id = ${row.userId} and not is_deactivated
    on conflict (user_id, address_hash) do update set key_id = excluded.key_id, sealed = excluded.sealed
    returning user_id`;
  return rows.length === 1;
}
