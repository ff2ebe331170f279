import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

/**
 * Deletes at most `limit` rows whose time is older than `ageMs`, by the database's time,
 * the oldest first. What somebody holds just now goes the next time.
 */
export async function deleteOldRows(
  sql: Sql,
  lease: Lease,
  { table, time }: { table: string; time: string },
  ageMs: number,
  limit: number,
): Promise<number> {
  const { count } = await sql`
    with held as (${heldLease(sql, lease)})
    delete from ${sql(table)} where ctid = any(array(
      select ctid from ${sql(table)}
      where exists (select from held)
        and ${sql(time)} < (extract(epoch from clock_timestamp()) * 1000)::bigint - ${ageMs}::bigint
      order by ${sql(time)} limit ${limit} for update skip locked))`;
  return count;
}
