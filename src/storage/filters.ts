import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export async function findFilter(
  sql: Sql,
  userId: string,
  filterId: number,
): Promise<Sealed | undefined> {
  const [row] = await sql<Sealed[]>`
    select key_id, sealed from filters
    where user_id = ${userId} and filter_id = ${filterId}`;
  return row;
}

/** Stores a filter, or finds the equal one; of more than `most` the oldest go. Answers its id. */
export async function storeFilter(
  sql: Sql,
  row: { userId: string; filterId: number; hash: Uint8Array } & Sealed,
  most: number,
): Promise<number> {
  const { userId, filterId, hash, keyId, sealed } = row;
  // One after the other for each user, or two that store what the other takes away would
  // wait in a ring. The update that changes nothing lets the equal row be answered.
  const [stored] = await sql<{ filterId: number }[]>`
    with locked as materialized (
      select from pg_advisory_xact_lock(hashtextextended(${`myelin filters ${userId}`}, 0))
    ), outdated as (
      delete from filters where (user_id, filter_id) in (
        select user_id, filter_id from locked, filters where user_id = ${userId} and hash <> ${hash}
        order by filter_id desc offset ${most - 1})
    )
    insert into filters (user_id, filter_id, hash, key_id, sealed)
    select ${userId}, ${filterId}::bigint, ${hash}::bytea, ${keyId}::bigint, ${sealed}::bytea from locked
    on conflict (user_id, hash) do update set hash = excluded.hash
    returning filter_id`;
  return stored!.filterId;
}
