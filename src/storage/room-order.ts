import type { Sql } from "./database.ts";

/** Where each of the rooms was last active, up to a position; rooms that never were are absent. */
export async function listBumps(
  sql: Sql,
  roomNids: readonly number[],
  upTo: number,
): Promise<Map<number, number>> {
  if (roomNids.length === 0) return new Map();
  // The types stand here as in the index: a plan for all calls cannot see into a parameter.
  const [columns] = await sql<
    [{ roomNids: number[] | null; positions: number[] | null }]
  >`
    select json_agg(r.room_nid) as room_nids, json_agg(b.position) as positions
    from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)
    cross join lateral (
      select e.position from events e
      where e.room_nid = r.room_nid and e.position <= ${upTo} and e.status = 0
        and e.type in (
          'm.room.create', 'm.room.message', 'm.room.encrypted', 'm.sticker', 'm.call.invite', 'm.poll.start', 'm.beacon_info')
      order by e.position desc limit 1
    ) b`;
  const { positions, roomNids: found } = columns;
  return new Map(found?.map((roomNid, i) => [roomNid, positions![i]!]));
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
