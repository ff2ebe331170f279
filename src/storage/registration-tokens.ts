import type { Sql } from "./database.ts";

export interface RegistrationTokenRow {
  token: string;
  usesAllowed: number | null;
  completed: number;
  expiresTs: number | null;
  createdTs: number;
}

export async function findRegistrationToken(
  sql: Sql,
  token: string,
): Promise<RegistrationTokenRow | undefined> {
  const [row] = await sql<RegistrationTokenRow[]>`
    select token, uses_allowed, completed, expires_ts, created_ts from registration_tokens where token = ${token}`;
  return row;
}

export async function insertRegistrationToken(
  sql: Sql,
  row: {
    token: string;
    usesAllowed: number | null;
    expiresTs: number | null;
    createdTs: number;
  },
): Promise<boolean> {
  const inserted = await sql`
    insert into registration_tokens (token, uses_allowed, expires_ts, created_ts)
    values (${row.token}, ${row.usesAllowed}, ${row.expiresTs}, ${row.createdTs})
    on conflict do nothing returning token`;
  return inserted.length === 1;
}

/** All of them; by whether somebody could register with them now, where that is asked. */
export function listRegistrationTokens(
  sql: Sql,
  isValid: boolean | null,
): Promise<RegistrationTokenRow[]> {
  return sql<RegistrationTokenRow[]>`
    select token, uses_allowed, completed, expires_ts, created_ts from registration_tokens
    where ${isValid}::boolean is null or ${isValid} = (
      (uses_allowed is null or completed < uses_allowed) and (expires_ts is null or expires_ts > database_ms()))
    order by created_ts, token limit 10000`;
}
