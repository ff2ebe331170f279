import type { Sql } from "./database.ts";

/** A room, as every part of the server names it. */
export interface RoomRow {
  roomNid: number;
  roomId: string;
  roomVersion: string;
  isPublished: boolean;
  isResident: boolean;
}

/** What the next event of a room is built on, read in one snapshot. */
export interface RoomHeadRow extends RoomRow {
  hasDailyKeys: boolean;
  stateVersion: number;
  snapshotId: number | null;
  extremities: { nid: number; eventId: string; depth: number }[];
  snapshot: { hops: number; size: number; hash: Uint8Array } | null;
}

export async function findRoomByNid(
  sql: Sql,
  roomNid: number,
): Promise<RoomRow | undefined> {
  const [row] = await sql<RoomRow[]>`
    select room_nid, room_id, room_version, is_published, is_resident
    from rooms where room_nid = ${roomNid}`;
  return row;
}

export async function findRoom(
  sql: Sql,
  roomId: string,
): Promise<RoomRow | undefined> {
  const [row] = await sql<RoomRow[]>`
    select room_nid, room_id, room_version, is_published, is_resident
    from rooms where room_id = ${roomId}`;
  return row;
}

export async function listRooms(
  sql: Sql,
  roomNids: readonly number[],
): Promise<RoomRow[]> {
  return sql<RoomRow[]>`
    select room_nid, room_id, room_version, is_published, is_resident
    from rooms where room_nid = any(${roomNids as number[]}::bigint[])`;
}

export async function findRoomHead(
  sql: Sql,
  roomNid: number,
): Promise<RoomHeadRow | undefined> {
  const [row] = await listRoomHeads(sql, [roomNid]);
  return row;
}

/** The newest 20 forward extremities of each room come along: no event cites more. */
export async function listRoomHeads(
  sql: Sql,
  roomNids: readonly number[],
): Promise<RoomHeadRow[]> {
  const rows = await sql<
    (RoomRow & {
      hasDailyKeys: boolean;
      stateVersion: number;
      snapshotId: number | null;
      extremityNids: number[];
      extremityIds: string[];
      extremityDepths: number[];
      hops: number | null;
      size: number | null;
      hash: Uint8Array | null;
    })[]
  >`
    select r.room_nid, r.room_id, r.room_version, r.is_published, r.is_resident,
      r.has_daily_keys, r.state_version, r.snapshot_id, s.hops, s.size, s.hash,
      x.extremity_nids, x.extremity_ids, x.extremity_depths
    from rooms r
    left join state_snapshots s on s.snapshot_id = r.snapshot_id
    cross join lateral (
      select coalesce(array_agg(nid), '{}') as extremity_nids,
        coalesce(array_agg(event_id), '{}') as extremity_ids,
        coalesce(array_agg(depth), '{}') as extremity_depths
      from (
        select e.nid, e.event_id, e.depth
        from forward_extremities f join events e on e.nid = f.nid
        where f.room_nid = r.room_nid order by e.depth desc, e.nid desc limit 20
      ) newest
    ) x
    where r.room_nid = any(${roomNids as number[]}::bigint[])`;
  return rows.map(
    ({
      extremityNids,
      extremityIds,
      extremityDepths,
      hops,
      size,
      hash,
      ...row
    }) => ({
      ...row,
      snapshot:
        hops === null || size === null || hash === null
          ? null
          : { hops, size, hash },
      extremities: extremityNids.map((nid, i) => ({
        nid: Number(nid),
        eventId: extremityIds[i]!,
        depth: Number(extremityDepths[i]),
      })),
    }),
  );
}

/** Rooms that this server knows by these ids. */
export async function listRoomsById(
  sql: Sql,
  roomIds: readonly string[],
): Promise<RoomRow[]> {
  if (roomIds.length === 0) return [];
  return sql<RoomRow[]>`
    select room_nid, room_id, room_version, is_published, is_resident
    from rooms where room_id = any(${roomIds as string[]}::text[])`;
}

/** Those of these rooms whose keys last a day. */
export async function listDailyRooms(
  sql: Sql,
  roomNids: readonly number[],
): Promise<number[]> {
  const rows = await sql<{ roomNid: number }[]>`
    select room_nid from rooms where room_nid = any(${roomNids as number[]}::bigint[]) and has_daily_keys`;
  return rows.map(({ roomNid }) => roomNid);
}
