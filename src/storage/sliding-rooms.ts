import type { Sql } from "./database.ts";
import { eventHead, type EventHead } from "./events.ts";
import type { ReceiptRow } from "./sync-extras.ts";

/** Places of many rooms' current state; types and state keys as stored. */
export interface WantedPlaces {
  exact: readonly { roomNid: number; type: string; stateKey: string }[];
  /** Whatever the state key. */
  types: readonly { roomNid: number; type: string }[];
  /** All of the room's state. */
  rooms: readonly number[];
}

/** The events at those places. */
export async function listStatePlaces(
  sql: Sql,
  { exact, types, rooms }: WantedPlaces,
): Promise<(EventHead & { stateKey: string })[]> {
  if (exact.length + types.length + rooms.length === 0) return [];
  return sql<(EventHead & { stateKey: string })[]>`
    select ${eventHead(sql)}
    from unnest(${exact.map((p) => p.roomNid)}::bigint[], ${exact.map((p) => p.type)}::text[],
      ${exact.map((p) => p.stateKey)}::text[]) as p(room_nid, type, state_key)
    cross join lateral (
      select nid from current_state c
      where c.room_nid = p.room_nid and c.type = p.type and c.state_key = p.state_key limit 1) c
    join events e on e.nid = c.nid
    ${
      types.length === 0
        ? sql``
        : sql`
          union all
          select ${eventHead(sql)}
          from unnest(${types.map((p) => p.roomNid)}::bigint[], ${types.map((p) => p.type)}::text[])
            as p(room_nid, type)
          join current_state c on c.room_nid = p.room_nid and c.type = p.type
          join events e on e.nid = c.nid`
    }
    ${
      rooms.length === 0
        ? sql``
        : sql`
          union all
          select ${eventHead(sql)} from current_state c join events e on e.nid = c.nid
          where c.room_nid = any(${rooms as number[]}::bigint[])`
    }`;
}

/** Rooms in which the user read on in (after, upTo]. */
export async function listRoomsReadOn(
  sql: Sql,
  userId: string,
  rooms: readonly { roomNid: number; after: number }[],
  upTo: number,
): Promise<number[]> {
  if (rooms.length === 0) return [];
  const rows = await sql<{ roomNid: number }[]>`
    select r.room_nid
    from unnest(${rooms.map((r) => r.roomNid)}::bigint[], ${rooms.map((r) => r.after)}::bigint[])
      as r(room_nid, after_position)
    where exists (select from receipts x
      where x.room_nid = r.room_nid and x.user_id = ${userId}
        and x.position > r.after_position and x.position <= ${upTo})`;
  return rows.map(({ roomNid }) => roomNid);
}

/**
 * Receipts for the events of timelines, and the user's own in their rooms. A receipt comes
 * after its event, so that the earlier ones are not looked at.
 * @param rooms with the position of the timeline's first event; null: it has none
 */
export async function listTimelineReceipts(
  sql: Sql,
  userId: string,
  rooms: readonly { roomNid: number; first: number | null }[],
  upTo: number,
): Promise<ReceiptRow[]> {
  if (rooms.length === 0) return [];
  const shown = rooms.filter(({ first }) => first !== null);
  return sql<ReceiptRow[]>`
    select x.room_nid, x.user_id, x.receipt_type, x.thread, x.event_id, x.receipt_ts
    from unnest(${shown.map((r) => r.roomNid)}::bigint[], ${shown.map((r) => r.first)}::bigint[])
      as r(room_nid, first)
    join receipts x on x.room_nid = r.room_nid and x.position >= r.first and x.position <= ${upTo}
    where x.event_position >= r.first and x.receipt_type = 'm.read' and x.user_id <> ${userId}
    union all
    select x.room_nid, x.user_id, x.receipt_type, x.thread, x.event_id, x.receipt_ts
    from receipts x
    where x.room_nid = any(${rooms.map((r) => r.roomNid)}::bigint[]) and x.user_id = ${userId}
      and x.position <= ${upTo} and x.receipt_type in ('m.read', 'm.read.private')`;
}
