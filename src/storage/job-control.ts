import type { Sql } from "./database.ts";
import { JOBS_PAUSED } from "./leases.ts";

/** Jobs that some process is at, and those that rest. */
export interface LeaseRow {
  name: string;
  generation: number;
  isRunning: boolean;
}

export function listLeases(sql: Sql): Promise<LeaseRow[]> {
  return sql<LeaseRow[]>`
    select name, generation, is_running from leases order by name`;
}

export async function areJobsPaused(sql: Sql): Promise<boolean> {
  const [row] =
    await sql`select from server_settings where name = ${JOBS_PAUSED}`;
  return row !== undefined;
}

/** Ends the rest of a job that nobody is at; false where there is no such job. */
export async function wakeJob(sql: Sql, name: string): Promise<boolean> {
  const [row] = await sql`
    with woken as (
      update leases set expires_ts = clock_timestamp() where name = ${name} and not is_running
    )
    select from leases where name = ${name}`;
  return row !== undefined;
}
