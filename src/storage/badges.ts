import type { Sql } from "./database.ts";
import { lineCountAt, roomCountAt } from "./unread.ts";

/**
 * The rooms in which each of the users has something unread, and those that they are
 * invited to, with who invites them: what `listUnread` counts, for many users, and no more of it than whether
 * anything is left.
 * @param ignored whom each of them ignores, as pairs
 */
export async function listUnreadRooms(
  sql: Sql,
  userIds: readonly string[],
  ignored: readonly { userId: string; sender: string }[],
): Promise<{ userId: string; roomNid: number; inviter: string | null }[]> {
  if (userIds.length === 0) return [];
  return sql<{ userId: string; roomNid: number; inviter: string | null }[]>`
    with ignored as materialized (
      select * from unnest(${ignored.map((i) => i.userId)}::text[], ${ignored.map((i) => i.sender)}::text[])
        as i(user_id, sender)
    ), reads as materialized (
      select m.user_id, m.room_nid,
        greatest(m.since_position, rooms.expired_position, coalesce((
          select max(x.event_position) from receipts x
          where x.room_nid = m.room_nid and x.user_id = m.user_id and x.thread = ''
            and x.receipt_type in ('m.read', 'm.read.private')), 0)) as base,
        coalesce(modes.since, 9007199254740991) as counted_to
      from memberships m join rooms on rooms.room_nid = m.room_nid
      cross join lateral (
        select min(p.since_position) as since from push_modes p
        where p.user_id = m.user_id and p.room_id in ('', rooms.room_id) and p.mode = 'rows') modes
      where m.user_id = any(${userIds as string[]}::text[]) and m.membership = 'join'
    ), lines as materialized (
      select l.user_id, l.room_nid, l.thread, max(l.position) as read_to
      from (
        select x.user_id, x.room_nid, x.thread, x.event_position as position
        from reads r join receipts x on x.room_nid = r.room_nid and x.user_id = r.user_id
        where x.thread <> '' and x.receipt_type in ('m.read', 'm.read.private') and x.event_position > r.base
        union all
        select o.user_id, o.room_nid, o.thread, o.position
        from reads r join own_positions o on o.room_nid = r.room_nid and o.user_id = r.user_id
        where o.position > r.base
      ) l
      group by l.user_id, l.room_nid, l.thread
    ), parts as (
      select r.user_id, r.room_nid,
        ${roomCountAt(sql, sql`r.counted_to`)} - ${roomCountAt(sql, sql`least(r.base, r.counted_to)`)} as count
      from reads r
      union all
      select l.user_id, l.room_nid, ${lineCountAt(sql, sql`least(r.base, r.counted_to)`)}
        - ${lineCountAt(sql, sql`least(l.read_to, r.counted_to)`)}
      from lines l join reads r on r.user_id = l.user_id and r.room_nid = l.room_nid
      union all
      select r.user_id, r.room_nid, -count(*)
      from reads r join events e on e.room_nid = r.room_nid and e.position > r.base and e.position <= r.counted_to
        and e.is_countable and e.redacted_by is not null
      left join lines l on l.user_id = r.user_id and l.room_nid = e.room_nid and l.thread = coalesce(e.thread, 'main')
      where e.position > coalesce(l.read_to, 0)
      group by r.user_id, r.room_nid
      union all
      select r.user_id, r.room_nid, -count(*)
      from (select distinct user_id from ignored) i join reads r on r.user_id = i.user_id
      join events e on e.room_nid = r.room_nid and e.position > r.base and e.position <= r.counted_to
        and e.is_countable and e.redacted_by is null
      join ignored n on n.user_id = r.user_id and n.sender = e.sender
      left join lines l on l.user_id = r.user_id and l.room_nid = e.room_nid and l.thread = coalesce(e.thread, 'main')
      where e.position > coalesce(l.read_to, 0)
      group by r.user_id, r.room_nid
      union all
      select r.user_id, r.room_nid, count(*)
      from reads r join notifications n on n.room_nid = r.room_nid and n.position > r.base and not n.is_counted
        and (n.user_id = r.user_id or (n.user_id = '' and n.position <= r.counted_to))
      join events e on e.nid = n.nid and e.redacted_by is null and e.sender <> r.user_id
      left join lines l on l.user_id = r.user_id and l.room_nid = n.room_nid and l.thread = n.thread
      where n.position > coalesce(l.read_to, 0) and not exists (
        select from ignored i where i.user_id = r.user_id and i.sender = e.sender)
      group by r.user_id, r.room_nid
    )
    select user_id, room_nid, null as inviter from parts group by user_id, room_nid having sum(count) > 0
    union all
    select m.user_id, m.room_nid, m.sender from memberships m
    where m.user_id = any(${userIds as string[]}::text[]) and m.membership = 'invite' and not exists (
      select from ignored i where i.user_id = m.user_id and i.sender = m.sender)`;
}
