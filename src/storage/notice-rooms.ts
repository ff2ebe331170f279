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
  const [row] = await sql<NoticeRoomRow[]>`
    select n.room_nid, r.room_id, m.membership from notice_rooms n
    left join rooms r on r.room_nid = n.room_nid
    left join memberships m on m.room_nid = n.room_nid and m.user_id = n.user_id
    where n.user_id = ${userId}`;
  return row;
}
