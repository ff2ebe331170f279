import type { Sql } from "./database.ts";

/** Devices by which an administrator acted in somebody's place, whose time is over. */
export function listSpentActing(
  sql: Sql,
  limit: number,
): Promise<{ userId: string; deviceId: string }[]> {
  return sql<{ userId: string; deviceId: string }[]>`
    select distinct user_id, device_id from access_tokens
    where acted_by is not null and expires_ts <= database_ms() limit ${limit}`;
}
