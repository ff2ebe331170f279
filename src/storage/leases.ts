import { randomUUID } from "node:crypto";
import type { Sql } from "./database.ts";

/** The setting that stands while jobs are paused. */
export const JOBS_PAUSED = "jobs paused";

/** The right to run a job. Whoever takes it after us raises its generation. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  readonly generation: number;
}

/**
 * Undefined while somebody holds it, it rests, or jobs are paused, unless it never is.
 * Times are the database's.
 */
export async function takeLease(
  sql: Sql,
  name: string,
  forMs: number,
  isNeverPaused = false,
): Promise<Lease | undefined> {
  const holder = randomUUID();
  const [row] = await sql<{ generation: number }[]>`
    insert into leases as held (name, holder, generation, expires_ts)
    select ${name}, ${holder}, 1, clock_timestamp() + ${forMs} * interval '1 millisecond'
    where ${isNeverPaused} or not exists (select from server_settings where name = ${JOBS_PAUSED})
    on conflict (name) do update set
      holder = excluded.holder, generation = held.generation + 1, expires_ts = excluded.expires_ts, is_running = true
    where held.expires_ts <= clock_timestamp()
    returning generation`;
  return row && { name, holder, generation: row.generation };
}

/** Holds it so long from now on; false where it was lost. */
export async function renewLease(
  sql: Sql,
  lease: Lease,
  forMs: number,
): Promise<boolean> {
  const { count } = await sql`
    update leases set expires_ts = clock_timestamp() + ${forMs} * interval '1 millisecond'
    where name = ${lease.name} and holder = ${lease.holder} and generation = ${lease.generation}
      and expires_ts > clock_timestamp()`;
  return count > 0;
}

/** Lets go of it; nobody takes it before it has rested. */
export async function endLease(
  sql: Sql,
  lease: Lease,
  restMs: number,
): Promise<void> {
  await sql`
    update leases set expires_ts = clock_timestamp() + ${restMs} * interval '1 millisecond', is_running = false
    where name = ${lease.name} and holder = ${lease.holder} and generation = ${lease.generation}
      and expires_ts > clock_timestamp()`;
}

/**
 * For the writes of a job: one row while the lease is held, none after. It can
 * be taken by nobody else before the statement is through.
 */
export const heldLease = (sql: Sql, { name, holder, generation }: Lease) => sql`
  select from leases
  where name = ${name} and holder = ${holder} and generation = ${generation}
    and expires_ts > clock_timestamp()
  for share`;
