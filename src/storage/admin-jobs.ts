import { randomUUID } from "node:crypto";
import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";
import type { AdminJobKind } from "./write.ts";

export type AdminJobState =
  "scheduled" | "active" | "complete" | "failed" | "cancelled";

export interface AdminJobRow {
  jobId: string;
  kind: AdminJobKind;
  roomId: string | null;
  userId: string | null;
  params: string;
  progress: string;
  state: AdminJobState;
  notBefore: number;
  createdBy: string;
  createdTs: number;
  endedTs: number | null;
  failures: number;
  error: string | null;
}

/** The right to do a task. Whoever takes it after us raises its generation. */
export interface JobClaim {
  readonly jobId: string;
  readonly holder: string;
  readonly generation: number;
}

const columns = (sql: Sql) => sql`
  job_id, kind, room_id, user_id, params, progress, state, not_before, created_by, created_ts, ended_ts, failures, error`;

/** Takes a task that is due and that nobody is at: the given one, or the one that waits longest. */
export async function claimJob(
  sql: Sql,
  forMs: number,
  jobId: string | null = null,
): Promise<{ job: AdminJobRow; claim: JobClaim } | undefined> {
  const holder = randomUUID();
  const [row] = await sql<(AdminJobRow & { generation: number })[]>`
    with due as (
      select job_id as due_id from admin_jobs
      where state in ('scheduled', 'active') and not_before <= database_ms() and held_until <= clock_timestamp()
        and (${jobId}::text is null or job_id = ${jobId})
      order by not_before limit 1 for update skip locked
    )
    update admin_jobs set state = 'active', holder = ${holder}, generation = generation + 1,
      held_until = clock_timestamp() + ${forMs} * interval '1 millisecond'
    from due where job_id = due_id
    returning ${columns(sql)}, generation`;
  if (!row) return undefined;
  const { generation, ...job } = row;
  return { job, claim: { jobId: job.jobId, holder, generation } };
}

/** For the writes of a task: its row while it is held and was not taken back, none after. */
export const heldJob = (
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  condition = sql`true`,
) => sql`
  select job_id from admin_jobs
  where job_id = ${jobId} and holder = ${holder} and generation = ${generation}
    and held_until > clock_timestamp() and state = 'active' and ${condition}
  for update`;

/** Holds it so long from now on; false where it was lost, or taken back. */
export async function renewJob(
  sql: Sql,
  claim: JobClaim,
  forMs: number,
): Promise<boolean> {
  const { count } = await sql`
    with held as materialized (${heldJob(sql, claim)})
    update admin_jobs set held_until = clock_timestamp() + ${forMs} * interval '1 millisecond'
    from held where admin_jobs.job_id = held.job_id`;
  return count > 0;
}

/** What a task is when nobody is at it any more. */
export interface JobRest {
  state: AdminJobState;
  /** JSON. */
  progress: string;
  /** How long it waits for its next step. */
  waitMs?: number;
  error?: string;
  hasFailed?: boolean;
}

/** Lets go of a task. */
export async function settleJob(
  sql: Sql,
  claim: JobClaim,
  { state, progress, waitMs = 0, error, hasFailed = false }: JobRest,
): Promise<boolean> {
  const hasEnded = state !== "scheduled" && state !== "active";
  const { count } = await sql`
    with held as materialized (${heldJob(sql, claim)})
    update admin_jobs set state = ${state}, progress = ${progress}, error = ${error ?? null},
      not_before = database_ms() + ${waitMs}::bigint, held_until = '-infinity', holder = null,
      failures = case when ${hasFailed} then failures + 1 else 0 end,
      ended_ts = case when ${hasEnded} then database_ms() end
    from held where admin_jobs.job_id = held.job_id`;
  return count > 0;
}

/** Notes how far it has come; false where it was lost, or taken back. */
export async function saveProgress(
  sql: Sql,
  claim: JobClaim,
  progress: string,
): Promise<boolean> {
  const { count } = await sql`
    with held as materialized (${heldJob(sql, claim)})
    update admin_jobs set progress = ${progress} from held where admin_jobs.job_id = held.job_id`;
  return count > 0;
}

export async function findJob(
  sql: Sql,
  jobId: string,
): Promise<AdminJobRow | undefined> {
  const [row] = await sql<AdminJobRow[]>`
    select ${columns(sql)} from admin_jobs where job_id = ${jobId}`;
  return row;
}

/** The task that erases a user, the newest where there were several. */
export async function findErasureJob(
  sql: Sql,
  userId: string,
): Promise<AdminJobRow | undefined> {
  const [row] = await sql<AdminJobRow[]>`
    select ${columns(sql)} from admin_jobs where user_id = ${userId} and kind = 'erase-user'
    order by created_ts desc, job_id limit 1`;
  return row;
}

export interface JobSearch {
  kind: string | null;
  state: string | null;
  roomId: string | null;
  limit: number;
  offset: number;
  isDescending: boolean;
}

/** A page of the tasks, and how many there are in all. */
export async function listJobs(
  sql: Sql,
  { kind, state, roomId, limit, offset, isDescending }: JobSearch,
): Promise<{ jobs: AdminJobRow[]; total: number }> {
  const direction = isDescending ? sql`desc` : sql`asc`;
  const { rows: jobs, total } = await countedPage(
    { limit, offset },
    (at) => sql<(AdminJobRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over () as total from admin_jobs
    where (${kind}::text is null or kind = ${kind}) and (${state}::text is null or state = ${state})
      and (${roomId}::text is null or room_id = ${roomId})
    order by created_ts ${direction}, job_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { jobs, total };
}

/** The tasks of a kind that are about a room and have not been forgotten, the oldest first. */
export async function listJobsOfRoom(
  sql: Sql,
  roomId: string,
  kind: AdminJobKind,
): Promise<AdminJobRow[]> {
  return sql<AdminJobRow[]>`
    select ${columns(sql)} from admin_jobs
    where room_id = ${roomId} and kind = ${kind} order by created_ts, job_id limit 100`;
}

export interface JobItemRow {
  jobId: string;
  item: string;
  kind: "kicked" | "not-kicked" | "not-redacted";
  reason: string | null;
}

const MOST_ITEMS = 100_000;

export async function listJobItems(
  sql: Sql,
  jobIds: readonly string[],
): Promise<JobItemRow[]> {
  if (jobIds.length === 0) return [];
  return sql<JobItemRow[]>`
    select job_id, item, kind, reason from admin_job_items
    where job_id = any(${jobIds as string[]}::text[]) order by job_id, item limit ${MOST_ITEMS}`;
}

/** Ended tasks go after so long, the next `limit` of them. */
export async function deleteEndedJobs(
  sql: Sql,
  keptMs: number,
  limit: number,
): Promise<number> {
  const { count } = await sql`
    delete from admin_jobs where job_id = any(array(
      select job_id from admin_jobs
      where created_ts < database_ms() - ${keptMs}::bigint and ended_ts < database_ms() - ${keptMs}::bigint
      order by created_ts limit ${limit} for update skip locked))`;
  return count;
}
