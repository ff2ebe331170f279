import { isEventId } from "../core/ids.ts";
import type { Sql } from "./database.ts";

/** The columns of an event that queries choose by; never its content. */
export interface EventHead {
  nid: number;
  roomNid: number;
  eventId: string;
  position: number | null;
  depth: number;
  arrival: number | null;
  originServerTs: number;
  receivedTs: number;
  snapshotId: number | null;
  snapshotAfter: number | null;
  replacesNid: number | null;
  redactedBy: number | null;
  status: number;
  /** Type and state key as stored: JSON-escaped. */
  type: string;
  stateKey: string | null;
  sender: string;
  deviceId: string | null;
  txnId: string | null;
  redacts: string | null;
  relType: string | null;
  relatesTo: string | null;
  thread: string | null;
}

/** The two parts of an event; no content where it was redacted or destroyed. */
export interface EventParts {
  nid: number;
  skeleton: string;
  firstKey: number | null;
  secondKey: number | null;
  sealed: Uint8Array | null;
}

/** The columns of `EventHead`, for queries of other files: `select ${eventHead(sql)} from events e`. */
export const eventHead = (sql: Sql) => sql`
  e.nid, e.room_nid, e.event_id, e.position, e.depth, e.arrival, e.origin_server_ts, e.received_ts,
  e.snapshot_id, e.snapshot_after, e.replaces_nid, e.redacted_by, e.status, e.type, e.state_key, e.sender,
  e.device_id, e.txn_id, e.redacts, e.rel_type, e.relates_to, e.thread`;

export async function listEventHeads(
  sql: Sql,
  nids: readonly number[],
): Promise<EventHead[]> {
  if (nids.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e where e.nid = any(${nids as number[]}::bigint[])`;
}

/** All events in the order of their numbers, after one of them. */
export const listEventHeadsFrom = (
  sql: Sql,
  after: number,
  limit: number,
): Promise<EventHead[]> => sql<EventHead[]>`
  select ${eventHead(sql)} from events e where e.nid > ${after} order by e.nid limit ${limit}`;

/** Events of one room by id; ids of other rooms, and what is no id, find nothing. */
export async function listEventHeadsById(
  sql: Sql,
  roomNid: number,
  eventIds: readonly string[],
): Promise<EventHead[]> {
  const named = eventIds.filter(isEventId);
  if (named.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.event_id = any(${named as string[]}::text[]) and e.room_nid = ${roomNid}`;
}

/** A user's events of one room that relate to an event, those too that were redacted. */
export async function listRelatedBy(
  sql: Sql,
  roomNid: number,
  sender: string,
  { relType, relatesTo }: { relType: string; relatesTo: string },
): Promise<EventHead[]> {
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.room_nid = ${roomNid} and e.relates_to = ${relatesTo} and e.rel_type = ${relType}
      and e.sender = ${sender} and e.status = 0`;
}

export async function listEventParts(
  sql: Sql,
  nids: readonly number[],
): Promise<EventParts[]> {
  if (nids.length === 0) return [];
  return sql<EventParts[]>`
    select e.nid, e.skeleton, c.first_key, c.second_key, c.sealed
    from events e left join event_contents c on c.nid = e.nid
    where e.nid = any(${nids as number[]}::bigint[])`;
}

/** Current state events at the given places; places are stored (escaped) types and state keys. */
export async function listCurrentStateHeads(
  sql: Sql,
  roomNid: number,
  places: readonly (readonly [type: string, stateKey: string])[],
): Promise<EventHead[]> {
  return listCurrentStateAt(
    sql,
    places.map(([type, stateKey]) => ({ roomNid, type, stateKey })),
  );
}

/** A (escaped) place in the current state of one of many rooms. */
export interface StatePlace {
  roomNid: number;
  type: string;
  stateKey: string;
}

/**
 * Current state events at places in many rooms at once. The limit has each place looked up:
 * joined freely, a crowded room's whole state was read where most rooms are small.
 */
export async function listCurrentStateAt(
  sql: Sql,
  places: readonly StatePlace[],
): Promise<EventHead[]> {
  if (places.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)}
    from unnest(
      ${places.map(({ roomNid }) => roomNid)}::bigint[],
      ${places.map(({ type }) => type)}::text[],
      ${places.map(({ stateKey }) => stateKey)}::text[]
    ) as p(room_nid, type, state_key)
    cross join lateral (
      select nid from current_state s
      where s.room_nid = p.room_nid and s.type = p.type and s.state_key = p.state_key limit 1) s
    join events e on e.nid = s.nid`;
}

/** All of a room's current state; `exceptType` leaves one (escaped) type out. */
export async function listAllCurrentStateHeads(
  sql: Sql,
  roomNid: number,
  exceptType?: string,
): Promise<EventHead[]> {
  return sql<EventHead[]>`
    select ${eventHead(sql)} from current_state s join events e on e.nid = s.nid
    where s.room_nid = ${roomNid} ${exceptType === undefined ? sql`` : sql`and s.type <> ${exceptType}`}`;
}

/** Chosen (escaped) types of current state in many rooms at once, with the empty state key. */
export async function listCurrentStateOfRooms(
  sql: Sql,
  roomNids: readonly number[],
  types: readonly string[],
): Promise<EventHead[]> {
  if (roomNids.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)} from current_state s join events e on e.nid = s.nid
    where s.room_nid = any(${roomNids as number[]}::bigint[]) and s.type = any(${types as string[]}::text[])
      and s.state_key = ''`;
}

/** Current state events of one (escaped) type. */
export async function listStateHeadsOfType(
  sql: Sql,
  roomNid: number,
  type: string,
): Promise<EventHead[]> {
  return sql<EventHead[]>`
    select ${eventHead(sql)} from current_state s join events e on e.nid = s.nid
    where s.room_nid = ${roomNid} and s.type = ${type}`;
}

/** Of the given state events those that are no members, or are among the (escaped) members given. */
export async function listStateHeadsAmong(
  sql: Sql,
  nids: readonly number[],
  members: readonly string[] | null,
): Promise<EventHead[]> {
  if (members === null) return listEventHeads(sql, nids);
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.nid = any(${nids as number[]}::bigint[])
      and (e.type <> 'm.room.member' or e.state_key = any(${members as string[]}::text[]))`;
}

/** Current state of many rooms, of members the (escaped) given ones alone. */
export async function listStateOfRoomsAmong(
  sql: Sql,
  roomNids: readonly number[],
  members: readonly string[],
): Promise<EventHead[]> {
  if (roomNids.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)} from current_state s join events e on e.nid = s.nid
    where s.room_nid = any(${roomNids as number[]}::bigint[])
      and (s.type <> 'm.room.member' or s.state_key = any(${members as string[]}::text[]))`;
}

/** Current state events of one (escaped) type in many rooms, at most so many where that is said. */
export async function listStateOfRoomsOfType(
  sql: Sql,
  roomNids: readonly number[],
  type: string,
  limit: number | null = null,
): Promise<EventHead[]> {
  if (roomNids.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)} from current_state s join events e on e.nid = s.nid
    where s.room_nid = any(${roomNids as number[]}::bigint[]) and s.type = ${type}
    order by s.room_nid, s.state_key limit ${limit}::bigint`;
}
