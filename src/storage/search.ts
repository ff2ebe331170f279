import type { Sql } from "./database.ts";
import { eventHead, type EventHead } from "./events.ts";
import { heldLease, type Lease } from "./leases.ts";
import { conditionsOf, type TimelineConditions } from "./sync-timeline.ts";

/** The types of events whose words are found. */
export const SEARCHED_TYPES = ["m.room.message", "m.room.name", "m.room.topic"];

/** A month of a room, and the key under which its words are hashed. */
export interface SearchSpan {
  roomNid: number;
  span: string;
  keyId: number;
}

/** One event's words as keyed hashes, in decimal. */
export interface SearchRow {
  nid: number;
  roomNid: number;
  position: number;
  span: string;
  keyId: number;
  words: readonly string[];
}

/** How far the stream was read for words. */
export async function getSearchPosition(sql: Sql): Promise<number> {
  const [row] = await sql<{ position: number }[]>`
    select position from search_progress where is_only`;
  return row?.position ?? 0;
}

/** What is searched of rooms in (after, upTo] of the stream. */
export async function listSearchedBetween(
  sql: Sql,
  roomNids: readonly number[],
  after: number,
  upTo: number,
): Promise<EventHead[]> {
  if (roomNids.length === 0) return [];
  return sql<EventHead[]>`
    select found.* from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)
    cross join lateral (
      select ${eventHead(sql)} from events e
      where e.room_nid = r.room_nid and e.position > ${after} and e.position <= ${upTo}
        and e.status = 0 and e.redacted_by is null and e.type = any(${SEARCHED_TYPES}::text[])
      order by e.position
    ) found`;
}

/** Of one of many rooms. */
const MOST_OF_ROOM = 50;

/** The newest of what is searched of rooms in (after, upTo] of the stream. */
export async function listNewestSearched(
  sql: Sql,
  roomNids: readonly number[],
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
  conditions: TimelineConditions,
): Promise<EventHead[]> {
  if (roomNids.length === 0) return [];
  const ofRoom = Math.max(MOST_OF_ROOM, Math.ceil(limit / roomNids.length));
  return sql<EventHead[]>`
    select found.* from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)
    cross join lateral (
      select ${eventHead(sql)} from events e
      where e.room_nid = r.room_nid and e.position > ${after} and e.position <= ${upTo}
        and e.status = 0 and e.redacted_by is null and e.type = any(${SEARCHED_TYPES}::text[])
        ${conditionsOf(sql, conditions)}
      order by e.position desc limit ${ofRoom}
    ) found
    order by found.position desc limit ${limit}`;
}

/** The spans of rooms, newest first. */
export async function listSearchSpans(
  sql: Sql,
  roomNids: readonly number[],
  limit: number,
): Promise<SearchSpan[]> {
  if (roomNids.length === 0) return [];
  return sql<SearchSpan[]>`
    select room_nid, span, key_id from search_spans
    where room_nid = any(${roomNids as number[]}::bigint[])
    order by span desc limit ${limit}`;
}

/** The given spans, those that are new with the given key. */
export async function settleSearchSpans(
  sql: Sql,
  lease: Lease,
  spans: readonly SearchSpan[],
): Promise<SearchSpan[]> {
  if (spans.length === 0) return [];
  const rooms = spans.map(({ roomNid }) => roomNid);
  const names = spans.map(({ span }) => span);
  const settled = await listSpansNamed(sql, rooms, names);
  if (settled.length === spans.length) return settled;
  await sql`
    with held as (${heldLease(sql, lease)})
    insert into search_spans (room_nid, span, key_id)
    select * from unnest(
      ${rooms}::bigint[], ${names}::text[], ${spans.map(({ keyId }) => keyId)}::bigint[])
    where exists (select from held)
    on conflict do nothing`;
  return listSpansNamed(sql, rooms, names);
}

const listSpansNamed = (
  sql: Sql,
  roomNids: number[],
  names: string[],
): Promise<SearchSpan[]> => sql<SearchSpan[]>`
  select s.room_nid, s.span, s.key_id
  from unnest(${roomNids}::bigint[], ${names}::text[]) as w(room_nid, span)
  join search_spans s on s.room_nid = w.room_nid and s.span = w.span`;

/** What a row has to have while it is written: its event's content, and its key. */
const livingRows = (sql: Sql, rows: readonly SearchRow[]) => sql`
  select g.nid, g.room_nid, g.position, g.span, g.words
  from jsonb_to_recordset(${JSON.stringify(rows.map(toColumns))}::text::jsonb)
    as g(nid bigint, room_nid bigint, position bigint, span text, key_id bigint, words bigint[])
  join (
    select nid from event_contents where nid = any(${rows.map(({ nid }) => nid)}::bigint[])
    order by nid for key share
  ) living on living.nid = g.nid
  where g.key_id = 0 or g.key_id in (
    select key_id from keys where key_id = any(${rows.map(({ keyId }) => keyId)}::bigint[])
    order by key_id for key share)`;

const toColumns = (row: SearchRow) => ({
  nid: row.nid,
  room_nid: row.roomNid,
  position: row.position,
  span: row.span,
  key_id: row.keyId,
  words: row.words,
});

/** Moves on from one position to another with the words of what lies between. */
export async function insertSearchRows(
  sql: Sql,
  lease: Lease,
  { from, upTo }: { from: number; upTo: number },
  rows: readonly SearchRow[],
): Promise<void> {
  await sql`
    with held as (${heldLease(sql, lease)}), moved as (
      update search_progress set position = ${upTo}
      where position = ${from} and exists (select from held)
      returning position
    )
    insert into search_events (nid, room_nid, position, span, words)
    select * from (${livingRows(sql, rows)}) living where exists (select from moved)
    on conflict do nothing`;
}

/** A span whose key was destroyed. `pendingFrom` 0: its old words are still there. */
export type PendingSpan = SearchSpan & { roomId: string; pendingFrom: number };

export async function findPendingSpan(
  sql: Sql,
): Promise<PendingSpan | undefined> {
  const [row] = await sql<PendingSpan[]>`
    select s.room_nid, s.span, s.key_id, s.pending_from, r.room_id
    from search_spans s join rooms r on r.room_nid = s.room_nid
    where s.pending_from >= 0 order by s.pending_from, s.room_nid limit 1`;
  return row;
}

/** Rows that one statement takes away. */
const MOST_CLEARED = 5_000;

/** Takes words away that are under a key which is no more; names the next key when none is left. */
export async function clearSearchSpan(
  sql: Sql,
  lease: Lease,
  { roomNid, span }: PendingSpan,
  keyId: number,
): Promise<void> {
  await sql`
    with held as (${heldLease(sql, lease)}), old as materialized (
      select nid from search_events
      where room_nid = ${roomNid} and span = ${span} limit ${MOST_CLEARED}
    ), cleared as (
      delete from search_events where nid in (select nid from old) and exists (select from held)
    )
    update search_spans set key_id = ${keyId}, pending_from = 1
    where room_nid = ${roomNid} and span = ${span} and pending_from = 0 and exists (select from held)
      and (select count(*) from old) < ${MOST_CLEARED}`;
}

/** What is searched of a room from a position on, received in [since, until). */
export async function listSearchedOfSpan(
  sql: Sql,
  { roomNid, pendingFrom }: PendingSpan,
  upTo: number,
  { since, until }: { since: number; until: number },
  limit: number,
): Promise<EventHead[]> {
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.room_nid = ${roomNid} and e.position >= ${pendingFrom} and e.position <= ${upTo}
      and e.received_ts >= ${since} and e.received_ts < ${until}
      and e.status = 0 and e.redacted_by is null and e.type = any(${SEARCHED_TYPES}::text[])
    order by e.position limit ${limit}`;
}

/** Adds the words of what a span had before; `next` null where that is all. */
export async function insertSpanRows(
  sql: Sql,
  lease: Lease,
  { roomNid, span, pendingFrom }: PendingSpan,
  next: number | null,
  rows: readonly SearchRow[],
): Promise<void> {
  await sql`
    with held as (${heldLease(sql, lease)}), living as materialized (${livingRows(sql, rows)}), moved as (
      -- Keys are locked before their spans, as by whoever destroys them.
      update search_spans set pending_from = ${next}::bigint
      where room_nid = ${roomNid} and span = ${span} and pending_from = ${pendingFrom}
        and exists (select from held) and (select count(*) from living) >= 0
      returning span
    )
    insert into search_events (nid, room_nid, position, span, words)
    select * from living where exists (select from moved)
    on conflict do nothing`;
}

/** The newest events that have a hash of each list among their words, up to a position. */
export async function listWithWords(
  sql: Sql,
  hashes: readonly (readonly string[])[],
  { upTo, limit }: { upTo: number; limit: number },
  conditions: TimelineConditions,
): Promise<EventHead[]> {
  const [first, ...others] = hashes;
  if (first === undefined || first.length === 0) return [];
  const has = (list: readonly string[]) =>
    sql`s.words && ${list as string[]}::text[]::bigint[]`;
  const more = others.reduce(
    (all, list) => sql`${all} and ${has(list)}`,
    sql``,
  );
  return sql<EventHead[]>`
    with found as materialized (
      select s.nid, s.position from search_events s where ${has(first)} ${more}
    )
    select ${eventHead(sql)} from found f join events e on e.nid = f.nid
    where f.position <= ${upTo} and e.redacted_by is null ${conditionsOf(sql, conditions)}
    order by f.position desc limit ${limit}`;
}
