import type { Sql } from "./database.ts";

export interface UnreadRow {
  roomNid: number;
  /**
   * `room`: of the whole room; `row`: what has rows of its own, of the room and of
   * its thread; `thread`: what a thread has of the room's count.
   */
  part: "room" | "row" | "thread";
  /** `main` or the root of a thread; null for the whole room. */
  thread: string | null;
  /** Whether the user's rules single events out by rows instead of running counts. */
  isByRows: boolean;
  /** To be added up: some are negative. */
  count: number;
  highlights: number;
}

/**
 * What is unread at `upTo` in rooms that the user has joined, in parts to be added up: the
 * running count since the whole room was read, less what was read of its threads
 * later, less what was redacted or is of ignored senders, and what has rows.
 * Threads are told apart where `byThread` asks for them.
 */
export async function listUnread(
  sql: Sql,
  userId: string,
  roomNids: readonly number[],
  {
    upTo,
    byThread,
    ignored,
  }: { upTo: number; byThread: boolean; ignored: readonly string[] },
): Promise<UnreadRow[]> {
  if (roomNids.length === 0) return [];
  const isTaken = sql`(e.redacted_by is not null ${
    ignored.length > 0
      ? sql`or e.sender = any(${ignored as string[]}::text[])`
      : sql``
  })`;
  return sql<UnreadRow[]>`
    with reads as materialized (
      select m.room_nid,
        greatest(m.since_position, rooms.expired_position, coalesce((
          select max(x.event_position) from receipts x
          where x.room_nid = m.room_nid and x.user_id = ${userId} and x.thread = ''
            and x.receipt_type in ('m.read', 'm.read.private')), 0)) as base,
        least(modes.since, ${upTo}) as counted_to, modes.since is not null as is_by_rows
      from memberships m join rooms on rooms.room_nid = m.room_nid
      cross join lateral (
        select min(p.since_position) as since from push_modes p
        where p.user_id = ${userId} and p.room_id in ('', rooms.room_id) and p.mode = 'rows') modes
      where m.user_id = ${userId} and m.room_nid = any(${roomNids as number[]}::bigint[]) and m.membership = 'join'
    ), lines as materialized (
      select l.room_nid, l.thread, max(l.position) as read_to
      from (
        select x.room_nid, x.thread, x.event_position as position from receipts x
        where x.user_id = ${userId} and x.room_nid = any(${roomNids as number[]}::bigint[]) and x.thread <> ''
          and x.receipt_type in ('m.read', 'm.read.private')
        union all
        select o.room_nid, o.thread, o.position from own_positions o
        where o.user_id = ${userId} and o.room_nid = any(${roomNids as number[]}::bigint[])
      ) l join reads r on r.room_nid = l.room_nid and l.position > r.base
      group by l.room_nid, l.thread
    ), unread_events as (
      select e.room_nid, coalesce(e.thread, 'main') as thread, e.redacted_by, e.sender
      from reads r join events e on e.room_nid = r.room_nid and e.position > r.base and e.position <= r.counted_to
      left join lines l on l.room_nid = e.room_nid and l.thread = coalesce(e.thread, 'main')
      where e.is_countable and e.position > coalesce(l.read_to, 0)
    )
    select r.room_nid, 'room' as part, null as thread, r.is_by_rows,
      ${roomCountAt(sql, sql`r.counted_to`)} - ${roomCountAt(sql, sql`least(r.base, r.counted_to)`)} as count,
      0 as highlights
    from reads r
    union all
    select l.room_nid, 'room', null, r.is_by_rows, ${lineCountAt(sql, sql`least(r.base, r.counted_to)`)}
      - ${lineCountAt(sql, sql`least(l.read_to, r.counted_to)`)}, 0
    from lines l join reads r on r.room_nid = l.room_nid
    union all
    select e.room_nid, 'room', null, false, -count(*), 0
    from reads r join events e on e.room_nid = r.room_nid and e.position > r.base and e.position <= r.counted_to
    left join lines l on l.room_nid = e.room_nid and l.thread = coalesce(e.thread, 'main')
    where e.is_countable and e.position > coalesce(l.read_to, 0) and ${isTaken}
    group by e.room_nid
    union all
    select n.room_nid, 'row', n.thread, false, count(*) filter (where not n.is_counted),
      count(distinct n.position) filter (where n.is_highlight)
    from reads r join notifications n on n.room_nid = r.room_nid and n.position > r.base
      and n.position <= ${upTo} and (n.user_id = ${userId} or (n.user_id = '' and n.position <= r.counted_to))
    join events e on e.nid = n.nid
    left join lines l on l.room_nid = n.room_nid and l.thread = n.thread
    where n.position > coalesce(l.read_to, 0) and e.sender <> ${userId} and not ${isTaken}
    group by n.room_nid, n.thread
    ${
      byThread
        ? sql`
          union all
          select e.room_nid, 'thread', e.thread, false, count(*), 0 from unread_events e
          where e.thread <> 'main' and not ${isTaken}
          group by e.room_nid, e.thread`
        : sql``
    }`;
}

/** The running count of a room (`r`) at a position. */
export const roomCountAt = (sql: Sql, position: ReturnType<Sql>) => sql`
  coalesce((
    select e.room_count from events e where e.room_nid = r.room_nid and e.position <= ${position}
    order by e.position desc limit 1), 0)`;

/** The running count of one line (`l`) of a room at a position. */
export const lineCountAt = (sql: Sql, position: ReturnType<Sql>) => sql`
  coalesce(case when l.thread = 'main' then (
    select e.thread_count from events e where e.room_nid = l.room_nid and e.thread is null and e.position <= ${position}
    order by e.position desc limit 1)
  else (
    select e.thread_count from events e where e.room_nid = l.room_nid and e.thread = l.thread and e.position <= ${position}
    order by e.position desc limit 1) end, 0)`;
