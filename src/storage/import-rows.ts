import { heldJob, type JobClaim } from "./admin-jobs.ts";
import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export type NewImportRow = {
  line: number;
  userId: string;
  groups: readonly string[];
} & Sealed;

/**
 * Puts rows there that no task knows yet: by themselves they are nothing, and go after
 * a day.
 */
export async function insertImportRows(
  sql: Sql,
  jobId: string,
  rows: readonly NewImportRow[],
): Promise<void> {
  const list = rows.map(({ line, userId, groups, keyId, sealed }) => ({
    ...{ line, user_id: userId, groups, key_id: keyId },
    sealed: `\\x${Buffer.from(sealed).toString("hex")}`,
  }));
  await sql`
    insert into import_rows (job_id, line, user_id, groups, created_ts, key_id, sealed)
    select ${jobId}, line, user_id, groups, database_ms(), key_id, sealed
    from jsonb_to_recordset(${JSON.stringify(list)}::text::jsonb)
      as r(line int, user_id text, groups text[], key_id bigint, sealed bytea)`;
}

export type WaitingImportRow = { line: number; userId: string } & Sealed;

/** The next lines that nothing became of yet. */
export const listWaitingImports = (
  sql: Sql,
  jobId: string,
  limit: number,
): Promise<WaitingImportRow[]> => sql<WaitingImportRow[]>`
  select line, user_id, key_id, sealed from import_rows
  where job_id = ${jobId} and state = 'waiting' order by line limit ${limit}`;

/** Notes that lines came to nothing; those of a task that was taken back, or over, stay. */
export async function failImports(
  sql: Sql,
  claim: JobClaim,
  failures: readonly { line: number; errcode: string }[],
): Promise<void> {
  if (failures.length === 0) return;
  await sql`
    with held as materialized (${heldJob(sql, claim)})
    update import_rows set state = 'failed', errcode = r.errcode, key_id = 0, sealed = null
    from held, jsonb_to_recordset(${JSON.stringify(failures)}::text::jsonb) as r(line int, errcode text)
    where import_rows.job_id = held.job_id and import_rows.line = r.line and import_rows.state = 'waiting'`;
}

export interface ImportCounts {
  rows: number;
  made: number;
  failed: number;
  waiting: number;
  cancelled: number;
}

export async function countImports(
  sql: Sql,
  jobId: string,
): Promise<ImportCounts> {
  const [row] = await sql<ImportCounts[]>`
    select count(*) as rows,
      count(*) filter (where state = 'made') as made,
      count(*) filter (where state = 'failed') as failed,
      count(*) filter (where state = 'waiting') as waiting,
      count(*) filter (where state = 'cancelled') as cancelled
    from import_rows where job_id = ${jobId}`;
  return row!;
}

export interface FailedImportRow {
  line: number;
  userId: string;
  errcode: string;
}

export const listFailedImports = (
  sql: Sql,
  jobId: string,
  { offset, limit }: { offset: number; limit: number },
): Promise<FailedImportRow[]> => sql<FailedImportRow[]>`
  select line, user_id, errcode from import_rows
  where job_id = ${jobId} and state = 'failed' order by line limit ${limit} offset ${offset}`;

/** Into which groups those who were made are to go, and have not gone: the next of them. */
export const listProposedMembers = (
  sql: Sql,
  jobId: string,
  limit: number,
): Promise<{ groupId: string; userId: string }[]> => sql<
  { groupId: string; userId: string }[]
>`
  select g.group_id, i.user_id from import_rows i
  cross join unnest(i.groups) as named
  join user_groups g on g.group_id = named
  join users u on u.user_id = i.user_id
  where i.job_id = ${jobId} and i.state = 'made' and i.groups <> '{}' and not u.is_deactivated
    and not exists (select from user_group_members m where (m.group_id, m.user_id) = (g.group_id, i.user_id))
  order by i.line, g.group_id limit ${limit}`;

/** Forgets what accounts were to be whose task has ended, and rows whose task is gone. */
export async function forgetImports(sql: Sql, limit: number): Promise<number> {
  const { count: hidden } = await sql`
    update import_rows set key_id = 0, sealed = null
    where (job_id, line) in (
      select i.job_id, i.line from import_rows i join admin_jobs j on j.job_id = i.job_id
      where i.state = 'waiting' and i.sealed is not null and j.state in ('failed', 'cancelled') limit ${limit})`;
  const { count: gone } = await sql`
    delete from import_rows where (job_id, line) in (
      select i.job_id, i.line from import_rows i
      where i.created_ts < database_ms() - 86400000
        and not exists (select from admin_jobs j where j.job_id = i.job_id)
      order by i.created_ts limit ${limit})`;
  return Math.max(hidden, gone);
}
