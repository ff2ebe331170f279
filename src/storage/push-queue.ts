import type { Sql } from "./database.ts";
import { eventHead, type EventHead } from "./events.ts";
import type { PusherKind } from "./pushers.ts";
import { heldShards, type PushShard } from "./push-shards.ts";
import type { Sealed } from "./write.ts";

/** The rooms that were touched in (after, end], of so many batches at most. */
export async function listTouchedRooms(
  sql: Sql,
  after: number,
  upTo: number,
  mostBatches: number,
): Promise<{ rooms: number[]; upTo: number }> {
  const [row] = await sql<{ rooms: number[]; upTo: number }[]>`
    with page as materialized (
      select last_position, room_nids from batches
      where last_position > ${after} and last_position <= ${upTo}
      order by last_position limit ${mostBatches}
    )
    select coalesce(max(last_position), ${upTo}) as up_to,
      coalesce((select array_agg(distinct room_nid) from page, unnest(room_nids) as room_nid), '{}') as rooms
    from page`;
  return row!;
}

/** What was said in rooms in (after, upTo], as far as members may see it. */
export async function listNewEvents(
  sql: Sql,
  roomNids: readonly number[],
  { after, upTo }: { after: number; upTo: number },
): Promise<EventHead[]> {
  if (roomNids.length === 0) return [];
  return sql<EventHead[]>`
    select ${eventHead(sql)} from events e
    where e.room_nid = any(${roomNids as number[]}::bigint[]) and e.position > ${after} and e.position <= ${upTo}
      and e.status = 0 and e.redacted_by is null
    order by e.position`;
}

/** The state version of each room: what a process remembers of its members holds until it moves. */
export async function listStateVersions(
  sql: Sql,
  roomNids: readonly number[],
): Promise<Map<number, number>> {
  if (roomNids.length === 0) return new Map();
  const rows = await sql<{ roomNid: number; stateVersion: number }[]>`
    select room_nid, state_version from rooms where room_nid = any(${roomNids as number[]}::bigint[])`;
  return new Map(
    rows.map(({ roomNid, stateVersion }) => [roomNid, stateVersion]),
  );
}

/** Receipts of those among whom somebody has pushers: their counts may have fallen. */
export async function listReaders(
  sql: Sql,
  roomNids: readonly number[],
  shards: readonly number[],
  { after, upTo }: { after: number; upTo: number },
): Promise<ReaderRow[]> {
  if (roomNids.length === 0) return [];
  return sql<ReaderRow[]>`
    select x.room_nid, x.user_id, max(x.position) as position, p.pusher_id, p.shard
    from receipts x join pushers p on p.user_id = x.user_id
    where x.room_nid = any(${roomNids as number[]}::bigint[]) and x.position > ${after} and x.position <= ${upTo}
      and p.shard = any(${shards as number[]}::smallint[]) and p.is_enabled and p.kind = 'http'
    group by x.room_nid, x.user_id, p.pusher_id, p.shard`;
}

export interface ReaderRow {
  roomNid: number;
  userId: string;
  position: number;
  pusherId: number;
  shard: number;
}

/** Something that a pusher is to be told. */
export interface QueuedRow {
  pusherId: number;
  position: number;
  /** Null where only the count is news. */
  nid: number | null;
  roomNid: number;
  thread: string;
  actions: string;
}

/**
 * Queues what was found up to a position, and moves the shards on to there. Answers
 * which of them are still held: nothing is written for the others.
 */
export async function queuePushes(
  sql: Sql,
  holder: string,
  shards: readonly PushShard[],
  upTo: number,
  rows: readonly QueuedRow[],
): Promise<number[]> {
  const moved = await sql<{ shard: number }[]>`
    with held as materialized (${heldShards(sql, holder, shards)}),
    queued as (
      insert into push_queue (pusher_id, position, nid, room_nid, thread, actions)
      select q.pusher_id, q.position, q.nid, q.room_nid, q.thread, q.actions
      from unnest(
        ${rows.map((r) => r.pusherId)}::bigint[], ${rows.map((r) => r.position)}::bigint[],
        ${rows.map((r) => r.nid)}::bigint[], ${rows.map((r) => r.roomNid)}::bigint[],
        ${rows.map((r) => r.thread)}::text[], ${rows.map((r) => r.actions)}::text[])
        as q(pusher_id, position, nid, room_nid, thread, actions)
      join pushers p on p.pusher_id = q.pusher_id join held on held.shard = p.shard
      on conflict do nothing
    )
    update push_shards s set position = greatest(s.position, ${upTo}) from held where s.shard = held.shard
    returning s.shard`;
  return moved.map(({ shard }) => shard);
}

/** Pushers that have something queued, and how long they rest still; of the named users, where any are. */
export async function listWaitingPushers(
  sql: Sql,
  shards: readonly number[],
  userIds?: readonly string[],
): Promise<{ pusherId: number; waitMs: number }[]> {
  return sql<{ pusherId: number; waitMs: number }[]>`
    select s.pusher_id,
      greatest(0, least(86400000, extract(epoch from
        case when s.retry_ts = '-infinity' then clock_timestamp() else s.retry_ts end - clock_timestamp()) * 1000))::float8
        as wait_ms
    from pushers p join pusher_states s on s.pusher_id = p.pusher_id
    where p.shard = any(${shards as number[]}::smallint[])
      ${userIds ? sql`and p.user_id = any(${userIds as string[]}::text[])` : sql``}
      and exists (select from push_queue q where q.pusher_id = p.pusher_id)`;
}

/** What a pusher is told next, with the pusher. */
export interface DueRow extends QueuedRow, Sealed {
  userId: string;
  kind: PusherKind;
  shard: number;
  keyHash: Uint8Array;
  createdTs: number;
  /** The count that it was told last. */
  badge: number;
  failures: number;
  /** Since when it fails, in ms. */
  failingMs: number;
  ageMs: number;
  /** Since the last mail; null where there was none. */
  mailedMs: number | null;
  mailRestMs: number;
  /** The event was read since, its room was left, or the user may read nothing. */
  isOver: boolean;
}

/** The oldest rows of each of the pushers, in their order. */
export async function listDuePushes(
  sql: Sql,
  pusherIds: readonly number[],
  mostEach: number,
): Promise<DueRow[]> {
  if (pusherIds.length === 0) return [];
  return sql<DueRow[]>`
    select q.pusher_id, q.position, q.nid, q.room_nid, q.thread, q.actions,
      p.user_id, p.kind, p.shard, p.created_ts, p.key_hash, p.key_id, p.sealed, s.badge, s.failures, s.mail_rest_ms,
      coalesce(extract(epoch from clock_timestamp() - s.failing_since_ts) * 1000, 0)::float8 as failing_ms,
      (extract(epoch from clock_timestamp() - q.queued_ts) * 1000)::float8 as age_ms,
      (extract(epoch from clock_timestamp() - s.mailed_ts) * 1000)::float8 as mailed_ms,
      not p.is_enabled or u.is_locked or u.is_ending or u.is_deactivated
        or q.nid is not null and (
          exists (
            select from receipts x where x.room_nid = q.room_nid and x.user_id = p.user_id
              and x.receipt_type in ('m.read', 'm.read.private') and x.thread in ('', q.thread)
              and x.event_position >= q.position)
          or exists (
            select from own_positions o where o.room_nid = q.room_nid and o.user_id = p.user_id
              and o.thread = q.thread and o.position >= q.position)
          or not exists (
            select from memberships m where m.room_nid = q.room_nid and m.user_id = p.user_id
              and m.membership in ('join', 'invite'))) as is_over
    from pushers p join pusher_states s on s.pusher_id = p.pusher_id join users u on u.user_id = p.user_id
    cross join lateral (
      select * from push_queue q where q.pusher_id = p.pusher_id order by q.position limit ${mostEach}) q
    where p.pusher_id = any(${pusherIds as number[]}::bigint[])
    order by q.pusher_id, q.position`;
}

/** What became of what a pusher was told. */
export interface Settlement {
  pusherId: number;
  /** All up to here is done with. */
  position: number;
  badge: number;
  /** How long it rests, where its gateway has failed. */
  restMs: number | null;
  /** Where a mail went: how long the next one waits. */
  mailRestMs: number | null;
}

/** Of what a failing pusher waits for, the latest: so much is never told at once. */
const MOST_KEPT = 500;

/** Writes for many pushers what became of what they were told. */
export async function settlePushes(
  sql: Sql,
  holder: string,
  shards: readonly PushShard[],
  settled: readonly Settlement[],
): Promise<void> {
  await sql`
    with held as materialized (${heldShards(sql, holder, shards)}),
    outcomes as materialized (
      select r.* from unnest(
        ${settled.map((s) => s.pusherId)}::bigint[], ${settled.map((s) => s.position)}::bigint[],
        ${settled.map((s) => s.badge)}::int[], ${settled.map((s) => s.restMs)}::float8[],
        ${settled.map((s) => s.mailRestMs)}::float8[]) as r(pusher_id, position, badge, rest_ms, mail_rest_ms)
      join pushers p on p.pusher_id = r.pusher_id join held on held.shard = p.shard
    ), told as (
      delete from push_queue q using outcomes o
      where q.pusher_id = o.pusher_id and (q.position <= o.position or o.rest_ms is not null and q.position <= (
        select f.position from push_queue f where f.pusher_id = o.pusher_id
        order by f.position desc limit 1 offset ${MOST_KEPT}))
    )
    update pusher_states s set badge = o.badge,
      failures = case when o.rest_ms is null then 0 else s.failures + 1 end,
      failing_since_ts = case when o.rest_ms is not null then coalesce(s.failing_since_ts, clock_timestamp()) end,
      retry_ts = case when o.rest_ms is null then '-infinity'
        else clock_timestamp() + o.rest_ms * interval '1 millisecond' end,
      mailed_ts = case when o.mail_rest_ms is null then s.mailed_ts else clock_timestamp() end,
      mail_rest_ms = coalesce(o.mail_rest_ms::bigint, s.mail_rest_ms)
    from outcomes o
    where s.pusher_id = o.pusher_id and (
      s.badge <> o.badge or o.rest_ms is not null or s.failures > 0 or o.mail_rest_ms is not null)`;
}

/** Takes pushers away that their gateways do not know any more. */
export async function deletePushers(
  sql: Sql,
  holder: string,
  shards: readonly PushShard[],
  pusherIds: readonly number[],
): Promise<void> {
  await sql`
    with held as materialized (${heldShards(sql, holder, shards)})
    delete from pushers p using held
    where p.shard = held.shard and p.pusher_id = any(${pusherIds as number[]}::bigint[])`;
}
