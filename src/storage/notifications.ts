import type { Sql } from "./database.ts";

export interface NotificationRow {
  nid: number;
  roomNid: number;
  position: number;
  thread: string;
  isHighlight: boolean;
  /** Up to where its room, and its thread in it, was read. */
  readTo: number;
}

/** How far back each room is looked through for one page. */
const DEPTH = 2000;

/**
 * What notified a user in the rooms that they are in, the latest first: what has rows
 * of its own or of everybody, and the events that the running counts count. A room is
 * not looked through without end: `horizon` is where one was left off, and what lies
 * at or before it is of a later page.
 */
export async function listNotificationRows(
  sql: Sql,
  userId: string,
  {
    before,
    limit,
    isHighlightOnly,
  }: { before: number; limit: number; isHighlightOnly: boolean },
): Promise<{ rows: NotificationRow[]; horizon: number }> {
  const found = await sql<(FoundRow & { horizon: number })[]>`
    with joined as materialized (
      select m.room_nid, m.since_position,
        greatest(m.since_position, coalesce((
          select max(x.event_position) from receipts x
          where x.room_nid = m.room_nid and x.user_id = ${userId} and x.thread = ''
            and x.receipt_type in ('m.read', 'm.read.private')), 0)) as base,
        coalesce(modes.since, 9007199254740991) as counted_to
      from memberships m join rooms on rooms.room_nid = m.room_nid
      cross join lateral (
        select min(p.since_position) as since from push_modes p
        where p.user_id = ${userId} and p.room_id in ('', rooms.room_id) and p.mode = 'rows') modes
      where m.user_id = ${userId} and m.membership = 'join'
    ), singled as (
      select n.nid, n.room_nid, n.position, n.thread, n.is_highlight
      from joined j cross join lateral (
        (select * from notifications n
          where n.user_id = ${userId} and n.room_nid = j.room_nid and n.position < ${before}
            and n.position > j.since_position and (n.is_highlight or not ${isHighlightOnly})
          order by n.position desc limit ${limit})
        union all
        (select * from notifications n
          where n.user_id = '' and n.room_nid = j.room_nid and n.position < ${before}
            and n.position > j.since_position and n.position <= j.counted_to
          order by n.position desc limit ${limit})) n
    ), counted as materialized (
      select e.nid, j.room_nid, e.position, coalesce(e.thread, 'main') as thread
      from joined j cross join lateral (
        select s.nid, s.position, s.thread
        from (
          select e.nid, e.position, e.thread, e.sender, e.is_countable from events e
          where e.room_nid = j.room_nid and e.position < least(${before}, j.counted_to + 1)
            and e.position > j.since_position
          order by e.position desc limit ${DEPTH}) s
        where s.is_countable and s.sender <> ${userId}
        order by s.position desc limit ${isHighlightOnly ? 0 : limit}) e
    ), bounds as (
      select coalesce(max(b.position), 0) as horizon
      from joined j left join (select room_nid, count(*) as count from counted group by room_nid) c
        on c.room_nid = j.room_nid
      cross join lateral (
        select e.position from events e
        where e.room_nid = j.room_nid and e.position < least(${before}, j.counted_to + 1)
          and e.position > j.since_position
        order by e.position desc limit 1 offset ${DEPTH - 1}) b
      where not ${isHighlightOnly} and coalesce(c.count, 0) < ${limit}
    ), chosen as (
      select nid, room_nid, position, thread, bool_or(is_highlight) as is_highlight
      from (select * from singled union all select *, false from counted) found, bounds
      where position >= horizon
      group by nid, room_nid, position, thread
      order by position desc limit ${limit}
    )
    select c.nid, c.room_nid, c.position, c.thread, c.is_highlight, b.horizon,
      greatest(j.base,
        coalesce((
          select max(x.event_position) from receipts x
          where x.room_nid = c.room_nid and x.user_id = ${userId} and x.thread = c.thread
            and x.receipt_type in ('m.read', 'm.read.private')), 0),
        coalesce((
          select o.position from own_positions o
          where o.room_nid = c.room_nid and o.user_id = ${userId} and o.thread = c.thread), 0)) as read_to
    from bounds b left join chosen c on true left join joined j on j.room_nid = c.room_nid
    order by c.position desc`;
  const rows = found.filter((row): row is typeof row & NotificationRow => {
    return row.nid !== null;
  });
  return { rows, horizon: found[0]?.horizon ?? 0 };
}

/** One without a number where there is nothing but a horizon. */
type FoundRow = NotificationRow | (Partial<NotificationRow> & { nid: null });
