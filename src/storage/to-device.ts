import type { Sql } from "./database.ts";

export interface DeviceName {
  userId: string;
  deviceId: string;
}

/** All devices of these users, and whether as many messages wait for them as may. */
export async function listInboxes(
  sql: Sql,
  userIds: readonly string[],
  mostMessages: number,
): Promise<(DeviceName & { isFull: boolean })[]> {
  if (userIds.length === 0) return [];
  return sql<(DeviceName & { isFull: boolean })[]>`
    select d.user_id, d.device_id, exists (
      select from to_device t where t.user_id = d.user_id and t.device_id = d.device_id
      offset ${mostMessages - 1}) as is_full
    from devices d where d.user_id = any(${userIds as string[]}::text[])`;
}
