import type { Sql } from "./database.ts";

/** A room as an administrator finds it, but for what its state says. */
export interface ListedRoom {
  roomNid: number;
  roomId: string;
  roomVersion: string;
  stateVersion: number;
  isPublished: boolean;
  creator: string | null;
  joinedMembers: number;
  joinedLocalMembers: number;
  stateEvents: number;
}

/** What a page of rooms can be ordered by without opening any state. */
export const STORED_ORDERS = [
  ...["joined_members", "joined_local_members", "version"],
  ...["creator", "public", "state_events", "room_id"],
] as const;
export type StoredOrder = (typeof STORED_ORDERS)[number];

const ORDERS: Readonly<Record<StoredOrder, string>> = {
  joined_members: "joined_members",
  joined_local_members: "joined_local_members",
  version: "room_version",
  creator: "creator",
  public: "is_published",
  state_events: "state_events",
  room_id: "room_id",
};

export interface RoomsSearch {
  /** Null for all of them. */
  roomNid: number | null;
  isPublished: boolean | null;
  isEmpty: boolean | null;
  order: StoredOrder;
  isDescending: boolean;
  /** Null for all of them. */
  limit: number | null;
  offset: number;
}

/**
 * Rooms that this server is in, with what is counted of them, and how many there are in
 * all: in one statement, however many they are.
 */
export async function listRoomsForAdmin(
  sql: Sql,
  search: RoomsSearch,
): Promise<{ rooms: ListedRoom[]; total: number }> {
  const { roomNid, isPublished, isEmpty, limit, offset } = search;
  const order = sql(ORDERS[search.order]);
  const direction = search.isDescending ? sql`desc` : sql`asc`;
  const one = roomNid === null ? sql`` : sql`and m.room_nid = ${roomNid}`;
  const ofRoom = roomNid === null ? sql`` : sql`and r.room_nid = ${roomNid}`;
  const ofState = roomNid === null ? sql`` : sql`where room_nid = ${roomNid}`;
  const rows = await sql<(ListedRoom & { total: number })[]>`
    with members as (
      select m.room_nid, count(*) as joined_members, count(u.user_id) as joined_local_members
      from memberships m left join users u on u.user_id = m.user_id
      where m.membership = 'join' ${one} group by m.room_nid
    ), states as (
      select room_nid, count(*) as state_events from current_state ${ofState} group by room_nid
    ), listed as (
      select r.room_nid, r.room_id, r.room_version, r.state_version, r.is_published, e.sender as creator,
        coalesce(members.joined_members, 0) as joined_members,
        coalesce(members.joined_local_members, 0) as joined_local_members,
        coalesce(states.state_events, 0) as state_events
      from rooms r
      left join members on members.room_nid = r.room_nid
      left join states on states.room_nid = r.room_nid
      left join current_state c on c.room_nid = r.room_nid and c.type = 'm.room.create' and c.state_key = ''
      left join events e on e.nid = c.nid
      where r.is_resident ${ofRoom}
        and (${isPublished}::boolean is null or r.is_published = ${isPublished})
        and (${isEmpty}::boolean is null or (members.joined_members is null) = ${isEmpty})
    )
    select *, count(*) over () as total from listed
    order by ${order} ${direction} nulls last, room_id ${direction} limit ${limit} offset ${offset}`;
  return {
    rooms: rows.map(({ total: _, ...row }) => row),
    total: rows[0]?.total ?? 0,
  };
}

/** Devices of this server's users in a room. */
export async function countLocalDevices(
  sql: Sql,
  roomNid: number,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from memberships m join devices d on d.user_id = m.user_id
    where m.room_nid = ${roomNid} and m.membership = 'join'`;
  return row!.count;
}

/** Whether every user of this server that was ever in a room has forgotten it. */
export async function isForgottenByAll(
  sql: Sql,
  roomNid: number,
): Promise<boolean> {
  const [row] = await sql`
    select from memberships m join users u on u.user_id = m.user_id
    where m.room_nid = ${roomNid} and not m.is_forgotten limit 1`;
  return row === undefined;
}

export interface ExtremityOfRoom {
  nid: number;
  eventId: string;
  depth: number;
  receivedTs: number;
  snapshotId: number | null;
}

/** The ends of a room's graph, the newest first. */
export async function listExtremities(
  sql: Sql,
  roomNid: number,
): Promise<ExtremityOfRoom[]> {
  return sql<ExtremityOfRoom[]>`
    select e.nid, e.event_id, e.depth, e.received_ts, coalesce(e.snapshot_after, e.snapshot_id) as snapshot_id
    from forward_extremities f join events e on e.nid = f.nid
    where f.room_nid = ${roomNid} order by e.depth desc, e.nid desc limit 500`;
}

/** An event by its id, of whichever room. */
export async function findRoomNidOfEvent(
  sql: Sql,
  eventId: string,
): Promise<number | undefined> {
  const [row] = await sql<{ roomNid: number }[]>`
    select room_nid from events where event_id = ${eventId}`;
  return row?.roomNid;
}
