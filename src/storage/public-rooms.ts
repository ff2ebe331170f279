import type { Sql } from "./database.ts";

export interface PublishedRoom {
  roomNid: number;
  roomId: string;
  joined: number;
}

/** Published rooms with how many have joined, the largest first. */
export async function listPublishedRooms(sql: Sql): Promise<PublishedRoom[]> {
  return sql<PublishedRoom[]>`
    select r.room_nid, r.room_id, (
      select count(*) from memberships m where m.room_nid = r.room_nid and m.membership = 'join') as joined
    from rooms r where r.is_published
    order by joined desc, r.room_nid desc`;
}
