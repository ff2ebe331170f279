import type { Sql } from "./database.ts";

export interface UiaSessionRow {
  sessionId: string;
  operation: string;
  completed: string[];
  details: Record<string, string>;
  createdTs: number;
}

export async function insertUiaSession(
  sql: Sql,
  row: UiaSessionRow,
  expiredBefore: number,
): Promise<void> {
  await sql`
    with expired as (delete from uia_sessions where created_ts < ${expiredBefore})
    insert into uia_sessions (session_id, operation, created_ts)
    values (${row.sessionId}, ${row.operation}, ${row.createdTs})`;
}

export async function findUiaSession(
  sql: Sql,
  sessionId: string,
  createdAfter: number,
): Promise<UiaSessionRow | undefined> {
  // The database takes no NUL, not even to say that it does not know it.
  if (sessionId.includes("\0")) return undefined;
  const [row] = await sql<UiaSessionRow[]>`
    select session_id, operation, completed, details, created_ts from uia_sessions
    where session_id = ${sessionId} and created_ts >= ${createdAfter}`;
  return row;
}

/** Adds a completed stage; two processes that add at once keep both. */
export async function completeUiaStage(
  sql: Sql,
  sessionId: string,
  stage: string,
  details: Record<string, string>,
): Promise<string[]> {
  const [row] = await sql<{ completed: string[] }[]>`
    update uia_sessions set
      completed = case when ${stage} = any(completed) then completed else completed || ${stage}::text end,
      details = details || ${JSON.stringify(details)}::text::jsonb
    where session_id = ${sessionId} returning completed`;
  return row?.completed ?? [];
}

/** A session authorises one operation once: whoever deletes the row may go on. */
export async function takeUiaSession(
  sql: Sql,
  sessionId: string,
): Promise<UiaSessionRow | undefined> {
  const [row] = await sql<UiaSessionRow[]>`
    delete from uia_sessions where session_id = ${sessionId}
    returning session_id, operation, completed, details, created_ts`;
  return row;
}
