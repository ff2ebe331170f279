import type { Sql } from "./database.ts";

/** The room in which a user is told what the server has to say, and what the user is in it. */
export interface NoticeRoomRow {
  roomNid: number;
  /** Null where the room is gone. */
  roomId: string | null;
  membership: string | null;
}

export async function findNoticeRoom(
  sql: Sql,
  userId: string,
): Promise<NoticeRoomRow | undefined> {
  const rooms = await listNoticeRooms(sql, [userId]);
  return rooms.get(userId);
}

/** Those of several users, by their ids. */
export async function listNoticeRooms(
  sql: Sql,
  userIds: readonly string[],
): Promise<Map<string, NoticeRoomRow>> {
  const rows = await sql<(NoticeRoomRow & { userId: string })[]>`
    select n.user_id, n.room_nid, r.room_id, m.membership from notice_rooms n
    left join rooms r on r.room_nid = n.room_nid
    left join memberships m on m.room_nid = n.room_nid and m.user_id = n.user_id
    where n.user_id = any(${userIds as string[]}::text[])`;
  return new Map(rows.map(({ userId, ...row }) => [userId, row]));
}
