import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

/** Begins a run, unless there is one; answers whether it did. Nobody asked for it but the policies. */
export async function beginRetentionRun(
  sql: Sql,
  lease: Lease,
  jobId: string,
): Promise<boolean> {
  const { count } = await sql`
    with held as materialized (${heldLease(sql, lease)})
    insert into admin_jobs (job_id, kind, params, not_before, created_by, created_ts)
    select ${jobId}, 'retention', '{}', database_ms(), 'server', database_ms()
    where exists (select from held) and not exists (
      select from admin_jobs where kind = 'retention' and state in ('scheduled', 'active'))`;
  return count > 0;
}

/** Whether a run has begun within so long. */
export async function hasRunLately(sql: Sql, ms: number): Promise<boolean> {
  const [row] = await sql`
    select from admin_jobs where kind = 'retention' and created_ts > database_ms() - ${ms}::bigint limit 1`;
  return row !== undefined;
}

/** Whether something said in any room is due, or state that is past may be. */
export async function isAnythingDue(sql: Sql, clock: number): Promise<boolean> {
  const [row] = await sql`
    select from retention_rooms r join rooms o on o.room_nid = r.room_nid
    join policies_in_force() p on p.policy_id = r.policy_id and p.active_version = r.policy_version
    where r.max_ms is not null and (
      r.swept_version is distinct from o.state_version or r.state_due_ts + r.max_ms <= ${clock}::bigint
      or exists (
        select from events e
        where e.room_nid = r.room_nid and e.redacted_by is null and e.status <> 3 and e.state_key is null
          and least(e.origin_server_ts, e.received_ts) <= ${clock}::bigint - r.max_ms and not is_event_held(e.nid)))
    limit 1`;
  return row !== undefined;
}

/** Each day all devices are looked at again: some were held, and are so no more. */
export async function rewindAddresses(
  sql: Sql,
  lease: Lease,
  clock: number,
  everyMs: number,
): Promise<void> {
  await sql`
    update retention_progress set addresses_ts = 0, begun_ts = ${clock}::bigint
    where begun_ts <= ${clock - everyMs}::bigint and exists (${heldLease(sql, lease)})`;
}

/** How a policy in force gets on. */
export interface RetentionStatusRow {
  policyId: string;
  rooms: number;
  /** Of messages. Null where there is none. */
  oldestTs: number | null;
  overdue: number;
  /** By how long the longest is. */
  overdueMs: number;
  held: number;
}

/** Of one room so many are counted. */
const MOST_COUNTED = 1000;

export const listRetentionStatus = (
  sql: Sql,
  clock: number,
): Promise<RetentionStatusRow[]> => sql<RetentionStatusRow[]>`
  select p.policy_id, count(r.room_nid) as rooms, min(o.ts)::bigint as oldest_ts,
    coalesce(sum(d.due), 0)::bigint as overdue, coalesce(sum(d.held), 0)::bigint as held,
    coalesce(max(least(${clock}::bigint - r.max_ms - d.oldest_ts, database_ms() - p.in_force_ts)), 0)::bigint as overdue_ms
  from policies_in_force() p
  left join retention_rooms r on r.policy_id = p.policy_id and r.policy_version = p.active_version and r.max_ms is not null
  left join lateral (
    select least(e.origin_server_ts, e.received_ts) as ts from events e
    where e.room_nid = r.room_nid and e.redacted_by is null and e.status <> 3 and e.state_key is null
    order by least(e.origin_server_ts, e.received_ts) limit 1) o on true
  left join lateral (
    select count(*) filter (where not is_held) as due, count(*) filter (where is_held) as held,
      min(ts) filter (where not is_held) as oldest_ts
    from (
      select least(e.origin_server_ts, e.received_ts) as ts, is_event_held(e.nid) as is_held from events e
      where e.room_nid = r.room_nid and e.redacted_by is null and e.status <> 3 and e.state_key is null
        and least(e.origin_server_ts, e.received_ts) <= ${clock}::bigint - r.max_ms
      order by least(e.origin_server_ts, e.received_ts) limit ${MOST_COUNTED}) due) d on true
  group by p.policy_id order by p.policy_id limit 1000`;

export async function setOverdue(
  sql: Sql,
  lease: Lease,
  overdueMs: number,
): Promise<void> {
  await sql`
    update retention_progress set overdue_ms = ${overdueMs}::bigint where exists (${heldLease(sql, lease)})`;
}

/** By how long the longest of what should be gone is overdue, as the last tick has seen it. */
export async function getOverdue(sql: Sql): Promise<number> {
  const [row] = await sql<{ overdueMs: number }[]>`
    select overdue_ms from retention_progress where is_only`;
  return row?.overdueMs ?? 0;
}

/** What the last run that did anything for a policy has done. */
export interface LastRunRow {
  policyId: string;
  jobId: string;
  state: string;
  createdTs: number;
  endedTs: number | null;
}

export const listLastRuns = (sql: Sql): Promise<LastRunRow[]> => sql<
  LastRunRow[]
>`
  select distinct on (t.policy_id) t.policy_id, j.job_id, j.state, j.created_ts, j.ended_ts
  from retention_tallies t join admin_jobs j on j.job_id = t.job_id
  order by t.policy_id, j.created_ts desc`;
