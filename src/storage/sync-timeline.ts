import type { Sql } from "./database.ts";
import { eventHead, type EventHead } from "./events.ts";

/** What a timeline is cut out of one room: positions above `after`, up to `upTo`. */
export interface TimelineRange {
  roomNid: number;
  after: number;
  upTo: number;
  /** The most events of it. */
  limit: number;
}

/** Conditions of an event filter as SQL understands them: `like` patterns of stored types. */
export interface TimelineConditions {
  types: readonly string[] | null;
  notTypes: readonly string[] | null;
  senders: readonly string[] | null;
  notSenders: readonly string[] | null;
  relTypes: readonly string[] | null;
  notRelTypes: readonly string[] | null;
  hasUrl: boolean | null;
  /** What an event that relates to it must be; null: it needs none. */
  relatedBy: {
    relTypes: readonly string[] | null;
    senders: readonly string[] | null;
  } | null;
}

/** The conditions for a query of `events e`. */
export const conditionsOf = (sql: Sql, c: TimelineConditions) => sql`
  ${c.types ? sql`and e.type like any(${c.types as string[]}::text[])` : sql``}
  ${c.notTypes ? sql`and not e.type like any(${c.notTypes as string[]}::text[])` : sql``}
  ${c.senders ? sql`and e.sender = any(${c.senders as string[]}::text[])` : sql``}
  ${c.notSenders ? sql`and not e.sender = any(${c.notSenders as string[]}::text[])` : sql``}
  ${c.relTypes ? sql`and e.rel_type = any(${c.relTypes as string[]}::text[])` : sql``}
  ${c.notRelTypes ? sql`and (e.rel_type is null or not e.rel_type = any(${c.notRelTypes as string[]}::text[]))` : sql``}
  ${c.hasUrl === null ? sql`` : sql`and e.has_url = ${c.hasUrl}`}
  ${c.relatedBy === null ? sql`` : sql`and exists (${relationsOf(sql, c.relatedBy)})`}`;

const relationsOf = (
  sql: Sql,
  { relTypes, senders }: NonNullable<TimelineConditions["relatedBy"]>,
) => sql`
  select from events r
  where r.room_nid = e.room_nid and r.relates_to = e.event_id and r.status = 0 and r.redacted_by is null
    ${relTypes ? sql`and r.rel_type = any(${relTypes as string[]}::text[])` : sql``}
    ${senders ? sql`and r.sender = any(${senders as string[]}::text[])` : sql``}`;

/** The newest accepted events of many rooms, newest first in each. */
export async function listTimelines(
  sql: Sql,
  ranges: readonly TimelineRange[],
  conditions: TimelineConditions,
): Promise<EventHead[]> {
  if (ranges.length === 0) return [];
  return sql<EventHead[]>`
    select t.* from unnest(
      ${ranges.map((r) => r.roomNid)}::bigint[], ${ranges.map((r) => r.after)}::bigint[],
      ${ranges.map((r) => r.upTo)}::bigint[], ${ranges.map((r) => r.limit)}::int[])
      as r(room_nid, after_position, up_to, most)
    cross join lateral (
      select ${eventHead(sql)} from events e
      where e.room_nid = r.room_nid and e.position > r.after_position and e.position <= r.up_to
        and e.status = 0 ${conditionsOf(sql, conditions)}
      order by e.position desc limit r.most
    ) t
    order by t.room_nid, t.position desc`;
}

/** A page of one room's history by the paging key; accepted events only. */
export async function listPage(
  sql: Sql,
  roomNid: number,
  page: {
    from: { depth: number; arrival: number };
    /** Exclusive end of the page in its direction, where one is asked for. */
    to: { depth: number; arrival: number } | null;
    isBackwards: boolean;
    /** The newest position of the stream that may be in it; what was backfilled has none. */
    upToPosition: number | null;
    /** Positions up to this one, and what was backfilled, are left out. */
    afterPosition: number | null;
    limit: number;
  },
  conditions: TimelineConditions,
): Promise<EventHead[]> {
  const { from, to, isBackwards, upToPosition, afterPosition, limit } = page;
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.room_nid = ${roomNid} and e.arrival is not null and e.status = 0
      ${
        isBackwards
          ? sql`and (e.depth, e.arrival) <= (${from.depth}, ${from.arrival})`
          : sql`and (e.depth, e.arrival) > (${from.depth}, ${from.arrival})`
      }
      ${
        to === null
          ? sql``
          : isBackwards
            ? sql`and (e.depth, e.arrival) > (${to.depth}, ${to.arrival})`
            : sql`and (e.depth, e.arrival) <= (${to.depth}, ${to.arrival})`
      }
      ${upToPosition === null ? sql`` : sql`and (e.position is null or e.position <= ${upToPosition})`}
      ${afterPosition === null ? sql`` : sql`and e.position > ${afterPosition}`}
      ${conditionsOf(sql, conditions)}
    order by ${isBackwards ? sql`e.depth desc, e.arrival desc` : sql`e.depth, e.arrival`}
    limit ${limit}`;
}
