import type { Sql } from "./database.ts";

/** The newest accepted event of some types in each room, in (after, upTo]; rooms without one are absent. */
export async function listNewestOfTypes(
  sql: Sql,
  rooms: readonly { roomNid: number; after: number }[],
  upTo: number,
  types: readonly string[],
): Promise<{ roomNid: number; position: number }[]> {
  if (rooms.length === 0) return [];
  return sql<{ roomNid: number; position: number }[]>`
    select r.room_nid, b.position
    from unnest(${rooms.map((r) => r.roomNid)}::bigint[], ${rooms.map((r) => r.after)}::bigint[])
      as r(room_nid, after_position)
    cross join lateral (
      select e.position from events e
      where e.room_nid = r.room_nid and e.position > r.after_position and e.position <= ${upTo}
        and e.status = 0 and e.type = any(${types as string[]}::text[])
      order by e.position desc limit 1
    ) b`;
}

/** Where in the stream rooms were encrypted first; those that are not are absent. */
export async function listEncryptedSince(
  sql: Sql,
  roomNids: readonly number[],
): Promise<{ roomNid: number; position: number }[]> {
  if (roomNids.length === 0) return [];
  return sql<{ roomNid: number; position: number }[]>`
    select r.room_nid, s.position from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)
    cross join lateral (
      select position from state_changes
      where room_nid = r.room_nid and type = 'm.room.encryption' and state_key = ''
      order by position limit 1
    ) s`;
}
