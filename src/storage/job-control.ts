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

export async function hasLease(sql: Sql, name: string): Promise<boolean> {
  const [row] = await sql`select from leases where name = ${name}`;
  return row !== undefined;
}
