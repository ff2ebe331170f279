import type { Sql } from "./database.ts";

export interface PublishedRoom {
  roomNid: number;
  roomId: string;
  joinedCount: number;
}

/** Rooms of the directory that somebody is in, the largest first. */
export async function listPublishedRooms(sql: Sql): Promise<PublishedRoom[]> {
  return sql<PublishedRoom[]>`
    select room_nid, room_id, joined_members as joined_count from rooms
    where is_published and joined_members > 0 order by joined_members desc, room_nid`;
}
