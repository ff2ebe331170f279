import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A signed end of the log before which nothing need be kept any more. */
export interface PrunableEnd {
  seq: number;
  hash: Uint8Array;
  signedTs: number;
  /** The first record before it that is still there. */
  fromSeq: number;
}

/**
 * The newest one that is older than `ageMs` and than the time of any hold, among records up
 * to a place; none within a day of the one that was pruned last.
 */
export async function findPrunableEnd(
  sql: Sql,
  { ageMs, upTo }: { ageMs: number; upTo: number },
): Promise<PrunableEnd | undefined> {
  const [row] = await sql<PrunableEnd[]>`
    select c.seq, c.hash, c.ts as signed_ts, (select min(seq) from audit_log) as from_seq
    from audit_checkpoints c
    where c.ts < least(database_ms() - ${ageMs}::bigint,
        (select min(coalesce(from_ts, 0)) from holds where released_ts is null))
      and c.seq <= ${upTo}::bigint
      and c.ts >= coalesce((select max(signed_ts) from audit_prunings) + ${DAY_MS}::bigint, 0)
    order by c.ts desc, c.seq desc limit 1`;
  return row;
}

/** Up to where a record says that the log is no longer kept, also where some of that is still there. */
export async function findPrunedTo(sql: Sql): Promise<number> {
  const [row] = await sql<{ seq: number }[]>`
    select coalesce(max(seq), 0) as seq from audit_prunings`;
  return row!.seq;
}

/** Deletes some of what was pruned, unless a hold is of it; answers how many records. */
export async function prunePart(
  sql: Sql,
  lease: Lease,
  limit: number,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    with held as materialized (${heldLease(sql, lease)})
    select coalesce((select prune_audit_log(${limit}::bigint) from held), 0) as count`;
  return row!.count;
}
