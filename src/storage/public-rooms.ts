import type { Sql } from "./database.ts";

export interface PublishedRoom {
  roomNid: number;
  roomId: string;
  joinedCount: number;
}

/** Rooms of the directory that somebody is in, the largest first. */
export async function listPublishedRooms(sql: Sql): Promise<PublishedRoom[]> {
  return sql<PublishedRoom[]>`
    select r.room_nid, r.room_id, count(*)::int as joined_count
    from rooms r join memberships m on m.room_nid = r.room_nid and m.membership = 'join'
    where r.is_published
    group by r.room_nid order by joined_count desc, r.room_nid`;
}
