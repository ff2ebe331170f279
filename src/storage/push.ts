import type { Sql } from "./database.ts";

export type PushMode = "keywords" | "rows";

export interface AudienceRow {
  userId: string;
  mode: PushMode;
  isJoined: boolean;
}

/** Joined members of a room whose push rules need more than the running counts. */
export async function listAudience(
  sql: Sql,
  room: { roomNid: number; roomId: string },
): Promise<AudienceRow[]> {
  return sql<AudienceRow[]>`
    select p.user_id, max(p.mode) as mode, true as is_joined
    from memberships m join push_modes p on p.user_id = m.user_id and p.room_id in ('', ${room.roomId})
    where m.room_nid = ${room.roomNid} and m.membership = 'join'
    group by p.user_id`;
}

/** Of those, whoever came, left, or changed their rules after a position. */
export async function listAudienceChanges(
  sql: Sql,
  room: { roomNid: number; roomId: string },
  after: number,
): Promise<AudienceRow[]> {
  return sql<AudienceRow[]>`
    select p.user_id, max(p.mode) as mode, bool_or(coalesce(m.membership = 'join', false)) as is_joined
    from (
      select user_id from push_modes where position > ${after} and room_id in ('', ${room.roomId})
      union
      select state_key from state_changes
      where room_nid = ${room.roomNid} and position > ${after} and type = 'm.room.member'
    ) c(user_id)
    join push_modes p on p.user_id = c.user_id and p.room_id in ('', ${room.roomId})
    left join memberships m on m.user_id = c.user_id and m.room_nid = ${room.roomNid}
    group by p.user_id`;
}

/** Those of the users who have joined the room. */
export async function listJoinedAmong(
  sql: Sql,
  roomNid: number,
  userIds: readonly string[],
): Promise<string[]> {
  if (userIds.length === 0) return [];
  const rows = await sql<{ userId: string }[]>`
    select user_id from memberships
    where room_nid = ${roomNid} and user_id = any(${userIds as string[]}::text[]) and membership = 'join'`;
  return rows.map(({ userId }) => userId);
}

export interface StoredRules {
  userId: string;
  keyId: number;
  sealed: Uint8Array;
}

/** The push rules that these users have stored, sealed. */
export async function listStoredPushRules(
  sql: Sql,
  userIds: readonly string[],
): Promise<StoredRules[]> {
  if (userIds.length === 0) return [];
  return sql<StoredRules[]>`
    select user_id, key_id, sealed from account_data
    where user_id = any(${userIds as string[]}::text[]) and room_nid = 0 and type = 'm.push_rules'
      and sealed is not null`;
}
