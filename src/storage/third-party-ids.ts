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
