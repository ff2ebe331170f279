import type { Sql } from "./database.ts";

export interface DeviceName {
  userId: string;
  deviceId: string;
}

/** How much may wait for a device; fewer messages than `fewest` never come to so many bytes. */
export interface InboxLimits {
  messages: number;
  bytes: number;
  fewest: number;
}

/** All devices of these users, and whether as much waits for them as may. */
export async function listInboxes(
  sql: Sql,
  userIds: readonly string[],
  most: InboxLimits,
): Promise<(DeviceName & { isFull: boolean })[]> {
  if (userIds.length === 0) return [];
  const waiting = sql`to_device t where t.user_id = d.user_id and t.device_id = d.device_id`;
  return sql<(DeviceName & { isFull: boolean })[]>`
    select d.user_id, d.device_id,
      exists (select from ${waiting} offset ${most.messages - 1})
      or (exists (select from ${waiting} offset ${most.fewest - 1})
        and (select sum(octet_length(t.sealed)) from ${waiting}) > ${most.bytes}) as is_full
    from devices d where d.user_id = any(${userIds as string[]}::text[])`;
}
