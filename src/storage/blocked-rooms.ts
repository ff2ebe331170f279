import type { Sql } from "./database.ts";

/** Who has blocked a room; undefined where it is open. */
export async function findRoomBlock(
  sql: Sql,
  roomId: string,
): Promise<{ blockedBy: string } | undefined> {
  const [row] = await sql<{ blockedBy: string }[]>`
    select blocked_by from blocked_rooms where room_id = ${roomId}`;
  return row;
}
