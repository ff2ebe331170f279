import type { Sql } from "./database.ts";
import type { Medium, Sealed } from "./write.ts";

export type ThirdPartyIdRow = {
  medium: Medium;
  addressHash: Uint8Array;
  createdTs: number;
} & Sealed;

export async function hasThirdPartyId(
  sql: Sql,
  userId: string,
  medium: Medium,
  addressHash: Uint8Array,
): Promise<boolean> {
  const [row] = await sql`
    select from third_party_ids
    where user_id = ${userId} and medium = ${medium} and address_hash = ${addressHash}`;
  return row !== undefined;
}

/** Those that a user was given first come first. */
export async function listThirdPartyIds(
  sql: Sql,
  userId: string,
): Promise<ThirdPartyIdRow[]> {
  return sql<ThirdPartyIdRow[]>`
    select medium, address_hash, created_ts, key_id, sealed from third_party_ids
    where user_id = ${userId} order by created_ts, medium, address_hash`;
}

/** Whose these addresses are, of each the one who had it first. */
export async function listOwnersOfAddresses(
  sql: Sql,
  medium: Medium,
  hashes: readonly Uint8Array[],
): Promise<{ addressHash: Uint8Array; userId: string }[]> {
  if (hashes.length === 0) return [];
  const texts = hashes.map((hash) => `\\x${Buffer.from(hash).toString("hex")}`);
  return sql<{ addressHash: Uint8Array; userId: string }[]>`
    select distinct on (address_hash) address_hash, user_id from third_party_ids
    where medium = ${medium} and address_hash = any(${texts}::text[]::bytea[])
    order by address_hash, created_ts, user_id`;
}

/** False where there is no such user, or no longer. */
export async function insertThirdPartyId(
  sql: Sql,
  row: { userId: string } & ThirdPartyIdRow,
): Promise<boolean> {
  const rows = await sql`
    insert into third_party_ids (user_id, medium, address_hash, key_id, sealed, created_ts)
    select user_id, ${row.medium}, ${row.addressHash}, ${row.keyId}, ${row.sealed}, ${row.createdTs} from users
    where user_id = ${row.userId} and not is_deactivated
    on conflict (user_id, medium, address_hash) do update set key_id = excluded.key_id, sealed = excluded.sealed
    returning user_id`;
  return rows.length === 1;
}
