import type { Sql } from "./database.ts";
import { eventHead, type EventHead } from "./events.ts";
import type { Span } from "./span.ts";

/** An event that others may relate to. */
export interface Parent {
  roomNid: number;
  eventId: string;
}

/** What somebody may see of relations. */
export interface Sight {
  userId: string;
  ignored: readonly string[];
  /** By room, the parts of the stream that may be seen; a room that is not in it may be seen whole. */
  spans: ReadonlyMap<number, readonly Span[]>;
}

/** The relations that are shown with the event that they are of. */
export const BUNDLED = ["m.replace", "m.thread", "m.reference"] as const;
export type BundledType = (typeof BUNDLED)[number];

const parentsOf = (sql: Sql, parents: readonly Parent[]) => sql`
  unnest(${parents.map((p) => p.roomNid)}::bigint[], ${parents.map((p) => p.eventId)}::text[]) as p(room_nid, event_id)`;

/** Of relations: `e` was accepted, stands in the stream and was not redacted. */
const isLive = (sql: Sql) =>
  sql`e.status = 0 and e.redacted_by is null and e.position is not null`;

/** Replies in threads: state belongs to no thread. */
const isReply = (sql: Sql) =>
  sql`e.rel_type = 'm.thread' and e.state_key is null`;

const isHeard = (sql: Sql, { ignored }: Sight) =>
  ignored.length === 0
    ? sql``
    : sql`and not e.sender = any(${ignored as string[]}::text[])`;

/** That `e` stands where somebody may see it. */
function isSeen(sql: Sql, { spans }: Sight) {
  if (spans.size === 0) return sql``;
  const rows = [...spans].flatMap(([roomNid, parts]) =>
    parts.map((part) => ({ roomNid, ...part })),
  );
  return sql`and (not e.room_nid = any(${[...spans.keys()]}::bigint[]) or exists (
    select from unnest(
      ${rows.map((r) => r.roomNid)}::bigint[], ${rows.map((r) => r.after)}::bigint[],
      ${rows.map((r) => r.upTo)}::bigint[]) as s(room_nid, after_position, up_to)
    where s.room_nid = e.room_nid and e.position > s.after_position and e.position <= s.up_to))`;
}

/** Which events have relations that are shown with them, and of which types. */
export async function listBundledTypes(
  sql: Sql,
  parents: readonly Parent[],
): Promise<{ eventId: string; relType: BundledType }[]> {
  if (parents.length === 0) return [];
  return sql<{ eventId: string; relType: BundledType }[]>`
    select p.event_id, c.rel_type
    from ${parentsOf(sql, parents)} cross join unnest(${[...BUNDLED]}::text[]) as t(rel_type)
    cross join lateral (
      select e.rel_type from events e
      where e.room_nid = p.room_nid and e.relates_to = p.event_id and e.rel_type = t.rel_type and ${isLive(sql)}
      limit 1
    ) c`;
}

/** An event that its sender may edit; its type is the stored (escaped) one. */
export interface Editable extends Parent {
  sender: string;
  type: string;
}

/** Edits of events by their own senders, of their own types, the newest first, at most so many of each. */
export async function listEdits(
  sql: Sql,
  events: readonly Editable[],
  sight: Sight,
  most: number,
): Promise<EventHead[]> {
  if (events.length === 0) return [];
  return sql<EventHead[]>`
    select c.* from unnest(
      ${events.map((e) => e.roomNid)}::bigint[], ${events.map((e) => e.eventId)}::text[],
      ${events.map((e) => e.sender)}::text[], ${events.map((e) => e.type)}::text[])
      as p(room_nid, event_id, sender, type)
    cross join lateral (
      select ${eventHead(sql)} from events e
      where e.room_nid = p.room_nid and e.relates_to = p.event_id and e.sender = p.sender and e.type = p.type
        and e.rel_type = 'm.replace' and e.state_key is null and ${isLive(sql)} ${isSeen(sql, sight)}
      order by e.origin_server_ts desc, e.event_id desc limit ${most}
    ) c
    order by c.relates_to, c.origin_server_ts desc, c.event_id desc`;
}

/** A thread as somebody sees it: its last reply, and what they are. */
export interface ThreadSummary extends EventHead {
  replies: number;
  hasReplied: boolean;
}

/** By their roots; threads without a reply that may be seen are left out. */
export async function listThreadSummaries(
  sql: Sql,
  roots: readonly Parent[],
  sight: Sight,
): Promise<ThreadSummary[]> {
  if (roots.length === 0) return [];
  const { ignored, spans, userId } = sight;
  const ofThread = sql`
    e.room_nid = p.room_nid and e.relates_to = p.event_id and ${isReply(sql)} and ${isLive(sql)}`;
  const ofIgnored =
    ignored.length === 0
      ? sql`0`
      : sql`(select count(*) from events e where ${ofThread} and e.sender = any(${ignored as string[]}::text[]))`;
  const whole = sql`t.replies - ${ofIgnored}`;
  const seen = sql`
    (select count(*) from events e where ${ofThread} ${isHeard(sql, sight)} ${isSeen(sql, sight)})`;
  const replies =
    spans.size === 0
      ? whole
      : sql`case when p.room_nid = any(${[...spans.keys()]}::bigint[]) then ${seen} else ${whole} end`;
  return sql<ThreadSummary[]>`
    select c.*, ${replies} as replies,
      exists (select from events e where ${ofThread} and e.sender = ${userId} ${isSeen(sql, sight)}) as has_replied
    from ${parentsOf(sql, roots)}
    join threads t on t.room_nid = p.room_nid and t.thread = p.event_id and t.replies > 0
    cross join lateral (
      select ${eventHead(sql)} from events e
      where ${ofThread} ${isHeard(sql, sight)} ${isSeen(sql, sight)}
      order by e.position desc limit 1
    ) c`;
}

/** Which events refer to these, oldest first, the newest of each up to a limit. */
export async function listReferences(
  sql: Sql,
  parents: readonly Parent[],
  sight: Sight,
  most: number,
): Promise<{ relatesTo: string; eventId: string }[]> {
  if (parents.length === 0) return [];
  return sql<{ relatesTo: string; eventId: string }[]>`
    select c.relates_to, c.event_id from ${parentsOf(sql, parents)}
    cross join lateral (
      select e.relates_to, e.event_id, e.position from events e
      where e.room_nid = p.room_nid and e.relates_to = p.event_id and e.rel_type = 'm.reference'
        and ${isLive(sql)} ${isHeard(sql, sight)} ${isSeen(sql, sight)}
      order by e.position desc limit ${most}
    ) c
    order by c.position`;
}

/** Which relations of an event a page of them holds; types are stored (escaped) ones. */
export interface RelationsPage {
  relType: string | null;
  type: string | null;
  isBackwards: boolean;
  /** Positions above the one, up to the other. */
  after: number;
  upTo: number;
  limit: number;
  /** Whether relations of relations are followed, and theirs: three steps in all. */
  isRecursive: boolean;
}

/** However many there are: relations of relations are looked for among the newest of them. */
const MOST_FOLLOWED = 10_000;

/** Events that relate to an event, or to one that does. */
export async function listRelations(
  sql: Sql,
  parent: Parent,
  page: RelationsPage,
  sight: Sight,
): Promise<EventHead[]> {
  const { relType, type, isBackwards, after, upTo, limit, isRecursive } = page;
  const wanted = sql`
    ${isLive(sql)} and e.position > ${after} and e.position <= ${upTo}
    ${relType === null ? sql`` : sql`and e.rel_type = ${relType}`}
    ${type === null ? sql`` : sql`and e.type = ${type}`}
    ${isHeard(sql, sight)} ${isSeen(sql, sight)}`;
  const order = isBackwards ? sql`e.position desc` : sql`e.position`;
  if (!isRecursive) {
    return sql<EventHead[]>`
      select ${eventHead(sql)} from events e
      where e.room_nid = ${parent.roomNid} and e.relates_to = ${parent.eventId} and ${wanted}
      order by ${order} limit ${limit}`;
  }
  // What relates to an event comes after it, so nothing above the page leads into it.
  const isOnTheWay = sql`e.room_nid = ${parent.roomNid} and e.position <= ${upTo} and ${isLive(sql)}`;
  return sql<EventHead[]>`
    with children as materialized (
      select e.event_id from events e where e.relates_to = ${parent.eventId} and ${isOnTheWay}
      order by e.position desc limit ${MOST_FOLLOWED}
    ), grandchildren as materialized (
      select e.event_id from children c join events e on e.relates_to = c.event_id and ${isOnTheWay}
      limit ${MOST_FOLLOWED}
    ), parents as (
      select ${parent.eventId}::text as event_id union select event_id from children
      union select event_id from grandchildren
    )
    select ${eventHead(sql)} from parents p join events e on e.room_nid = ${parent.roomNid} and e.relates_to = p.event_id
    where e.event_id <> ${parent.eventId} and ${wanted}
    order by ${order} limit ${limit}`;
}

/**
 * What relates to an event and was not redacted yet; of edits, those alone that are
 * of the event's own sender and type.
 */
export async function listRedactable(
  sql: Sql,
  { roomNid, eventId, sender, type }: Editable,
  wanted: {
    /** Null for any. */
    relTypes: readonly string[] | null;
    /** Null for everybody's. */
    sender: string | null;
  },
  limit: number,
): Promise<EventHead[]> {
  const { relTypes, sender: by } = wanted;
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.room_nid = ${roomNid} and e.relates_to = ${eventId} and ${isLive(sql)} and e.type <> 'm.room.create'
      ${relTypes === null ? sql`` : sql`and e.rel_type = any(${relTypes as string[]}::text[])`}
      ${by === null ? sql`` : sql`and e.sender = ${by}`}
      and (e.rel_type <> 'm.replace' or e.sender = ${sender} and e.type = ${type})
    limit ${limit}`;
}

/** A thread's root, and the place of the last reply that somebody may see. */
export interface ThreadRoot extends EventHead {
  lastPosition: number;
}

/** Roots of a room's threads, those with the newest replies first. */
export async function listThreadRoots(
  sql: Sql,
  roomNid: number,
  page: {
    /** Threads whose last reply stands here or before. */
    upTo: number;
    limit: number;
    /** Only those in which the user has spoken. */
    isParticipated: boolean;
  },
  sight: Sight,
): Promise<ThreadRoot[]> {
  const { upTo, limit, isParticipated } = page;
  const { userId, ignored, spans } = sight;
  const ofThread = sql`
    e.room_nid = ${roomNid} and e.relates_to = t.thread and ${isReply(sql)} and ${isLive(sql)}`;
  // For who sees all replies, the last of them is known.
  const last =
    ignored.length === 0 && spans.size === 0
      ? sql`
        select t.thread, t.last_position from threads t
        where t.room_nid = ${roomNid} and t.replies > 0`
      : sql`
        select t.thread, l.position as last_position from threads t
        cross join lateral (
          select e.position from events e where ${ofThread} ${isHeard(sql, sight)} ${isSeen(sql, sight)}
          order by e.position desc limit 1
        ) l
        where t.room_nid = ${roomNid} and t.replies > 0`;
  const participated = isParticipated
    ? sql`and (root.sender = ${userId} or exists (
        select from events e where ${ofThread} and e.sender = ${userId} ${isSeen(sql, sight)}))`
    : sql``;
  return sql<ThreadRoot[]>`
    select root.*, t.last_position from (${last}) t
    cross join lateral (
      select ${eventHead(sql)} from events e
      where e.event_id = t.thread and e.room_nid = ${roomNid} and e.status = 0
        and (e.rel_type is null or e.redacted_by is not null)
    ) root
    where t.last_position <= ${upTo} ${participated}
    order by t.last_position desc limit ${limit}`;
}
