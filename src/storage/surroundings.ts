import type { Sql } from "./database.ts";
import { eventHead, type EventHead } from "./events.ts";
import type { PagingKey } from "./paging.ts";
import type { Span } from "./span.ts";

export type PlacedEvent = PagingKey & { roomNid: number };

/** An event near another: `at` is that one's place in the list, from 1. */
export type EventNear = EventHead & { at: number; isBefore: boolean };

/** The accepted events around each of these, nearest first on either side. */
export async function listEventsNear(
  sql: Sql,
  places: readonly PlacedEvent[],
  { before, after }: { before: number; after: number },
): Promise<EventNear[]> {
  if (places.length === 0 || before + after === 0) return [];
  return sql<EventNear[]>`
    select p.at, near.* from unnest(
      ${places.map(({ roomNid }) => roomNid)}::bigint[], ${places.map(({ depth }) => depth)}::bigint[],
      ${places.map(({ arrival }) => arrival)}::bigint[])
      with ordinality as p(room_nid, depth, arrival, at)
    cross join lateral (
      (select true as is_before, ${eventHead(sql)} from events e
        where e.room_nid = p.room_nid and e.arrival is not null and e.status = 0
          and (e.depth, e.arrival) < (p.depth, p.arrival)
        order by e.depth desc, e.arrival desc limit ${before})
      union all
      (select false as is_before, ${eventHead(sql)} from events e
        where e.room_nid = p.room_nid and e.arrival is not null and e.status = 0
          and (e.depth, e.arrival) > (p.depth, p.arrival)
        order by e.depth, e.arrival limit ${after})
    ) near`;
}

/** Somebody in a room at a position of the stream. */
export interface MemberAt {
  roomNid: number;
  /** Escaped. */
  userId: string;
  position: number;
}

/** The member event that stood then, by the place of each in the list, from 1. */
export async function listMemberNidsAt(
  sql: Sql,
  members: readonly MemberAt[],
): Promise<{ at: number; nid: number }[]> {
  if (members.length === 0) return [];
  return sql<{ at: number; nid: number }[]>`
    select m.at, c.new_nid as nid from unnest(
      ${members.map(({ roomNid }) => roomNid)}::bigint[], ${members.map(({ userId }) => userId)}::text[],
      ${members.map(({ position }) => position)}::bigint[])
      with ordinality as m(room_nid, user_id, position, at)
    cross join lateral (
      select new_nid from state_changes
      where room_nid = m.room_nid and type = 'm.room.member' and state_key = m.user_id and position <= m.position
      order by position desc limit 1
    ) c
    where c.new_nid is not null`;
}

/** Of a room's events by their time, those that stand in some parts of the stream. */
export interface TimeWindow {
  ts: number;
  isBackwards: boolean;
  /** Null: all of it. */
  parts: readonly Span[] | null;
  /** Of those that stand elsewhere no more are passed over. */
  mostPassed: number;
  limit: number;
}

/** The accepted events of a room that are nearest to a time on one side of it. */
export async function listHeadsByTime(
  sql: Sql,
  roomNid: number,
  { ts, isBackwards, parts, mostPassed, limit }: TimeWindow,
): Promise<EventHead[]> {
  const order = isBackwards
    ? sql`e.origin_server_ts desc, e.depth desc, e.arrival desc`
    : sql`e.origin_server_ts, e.depth, e.arrival`;
  const isIn = parts
    ? sql`where exists (
        select from unnest(
          ${parts.map(({ after }) => after)}::bigint[], ${parts.map(({ upTo }) => upTo)}::bigint[]) as s(after_position, up_to)
        where e.position > s.after_position and e.position <= s.up_to)`
    : sql``;
  return sql<EventHead[]>`
    select ${eventHead(sql)} from (
      select * from events e
      where e.room_nid = ${roomNid} and e.arrival is not null and e.status = 0 and e.position is not null
        and e.origin_server_ts ${isBackwards ? sql`<=` : sql`>=`} ${ts}
      order by ${order} limit ${parts ? mostPassed : limit}) e
    ${isIn} order by ${order} limit ${limit}`;
}
