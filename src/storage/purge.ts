import { heldJob, type JobClaim } from "./admin-jobs.ts";
import type { Sql } from "./database.ts";
import { againstHolds } from "./holds.ts";
import type { PagingKey } from "./paging.ts";
import { ACCEPTED, PURGED } from "./write.ts";

/** The claim of who destroys, with the holds locked before it. */
const heldToDestroy = (sql: Sql, claim: JobClaim) =>
  heldJob(sql, claim, againstHolds(sql));

/** A part of a room's history, in the order of its paging key; both ends are left out. */
export interface DoomedRange {
  roomNid: number;
  after: PagingKey;
  before: PagingKey;
  /** Events of users whose id ends so stay; "" for none. */
  keptEnding: string;
}

/** An event on its way out, which need not go. */
export interface DoomedRow extends PagingKey {
  nid: number;
  isKept: boolean;
  /** By a legal hold. */
  isHeld: boolean;
}

/** The next events of a range. Those of current state stay, and those that are kept. */
export async function listDoomed(
  sql: Sql,
  { roomNid, after, before, keptEnding }: DoomedRange,
  limit: number,
): Promise<DoomedRow[]> {
  return sql<DoomedRow[]>`
    select e.nid, e.depth, e.arrival,
      (${keptEnding} <> '' and right(e.sender, ${keptEnding.length}) = ${keptEnding})
      or (e.state_key is not null and exists (
        select from current_state s
        where s.room_nid = e.room_nid and s.type = e.type and s.state_key = e.state_key and s.nid = e.nid)) as is_kept,
      is_event_held(e.nid) as is_held
    from events e
    where e.room_nid = ${roomNid} and e.arrival is not null
      and (e.depth, e.arrival) > (${after.depth}, ${after.arrival})
      and (e.depth, e.arrival) < (${before.depth}, ${before.arrival})
    order by e.depth, e.arrival limit ${limit}`;
}

/** The next events of a room, whatever they are. */
export async function listEventNids(
  sql: Sql,
  roomNid: number,
  limit: number,
): Promise<number[]> {
  const rows = await sql<{ nid: number }[]>`
    (select nid from events where room_nid = ${roomNid} and arrival is not null
      order by depth, arrival limit ${limit})
    union all
    (select nid from events where room_nid = ${roomNid} and arrival is null limit ${limit})
    limit ${limit}`;
  return rows.map(({ nid }) => nid);
}

/** Takes what was notified of these events; answers how many rows went. */
export async function clearNotifications(
  sql: Sql,
  claim: JobClaim,
  nids: readonly number[],
  limit: number,
): Promise<number> {
  const { count } = await sql`
    with held as materialized (${heldToDestroy(sql, claim)})
    delete from notifications where ctid = any(array(
      select ctid from notifications
      where nid = any(${nids as number[]}::bigint[]) and exists (select from held) limit ${limit}))`;
  return count;
}

/** What goes with an event, whether the event itself goes or not. */
const contentsOf = (sql: Sql, nids: readonly number[]) => sql`
  contents as (
    delete from event_contents where nid = any(${nids as number[]}::bigint[]) and exists (select from held)
  ), words as (
    delete from search_events where nid = any(${nids as number[]}::bigint[]) and exists (select from held)
  ), cited as (
    delete from media_references where nid = any(${nids as number[]}::bigint[]) and exists (select from held)
  )`;

/**
 * Destroys the contents of events. Messages are shown to nobody any more; of state that is
 * no longer current its skeleton stays, which auth reads.
 * @param progress JSON, noted in the same statement
 */
export async function purgeEvents(
  sql: Sql,
  claim: JobClaim,
  nids: readonly number[],
  progress: string,
): Promise<void> {
  await sql`
    with held as materialized (${heldToDestroy(sql, claim)}), noted as (
      update admin_jobs set progress = ${progress} from held where admin_jobs.job_id = held.job_id
    ), ${contentsOf(sql, nids)}, hidden as (
      update events set status = ${PURGED}::smallint
      where nid = any(${nids as number[]}::bigint[]) and state_key is null and status = ${ACCEPTED} and exists (select from held)
      returning room_nid, nid, position,
        case when rel_type = 'm.thread' and redacted_by is null and position is not null then relates_to end as thread
    )
    update threads set replies = threads.replies - gone.replies, last_position = coalesce((
        select e.position from events e
        where e.room_nid = threads.room_nid and e.relates_to = threads.thread and e.rel_type = 'm.thread'
          and e.state_key is null and e.status = 0 and e.redacted_by is null
          and e.nid not in (select nid from hidden) and e.position is not null
        order by e.position desc limit 1), 0)
      from (select room_nid, thread, count(*) as replies from hidden where thread is not null group by 1, 2) gone
      where (threads.room_nid, threads.thread) = (gone.room_nid, gone.thread)`;
}

/** Deletes events, with all that they held. */
export async function deleteEvents(
  sql: Sql,
  claim: JobClaim,
  nids: readonly number[],
): Promise<void> {
  await sql`
    with held as materialized (${heldToDestroy(sql, claim)}), ${contentsOf(sql, nids)}
    delete from events where nid = any(${nids as number[]}::bigint[]) and exists (select from held)`;
}

/** Tables that have rows of a room, each with an index that begins with it. */
const ROOM_TABLES = [
  ...["current_state", "state_changes", "state_snapshots", "receipts"],
  ...["own_positions", "threads", "search_spans", "stays", "typing"],
  ...["forward_extremities", "room_turns", "room_attributes"],
] as const;

/** Deletes the next rows that a room has besides its events; answers how many. */
export async function deleteRoomRows(
  sql: Sql,
  claim: JobClaim,
  roomNid: number,
  limit: number,
): Promise<number> {
  for (const table of ROOM_TABLES) {
    const { count } = await sql`
      with held as materialized (${heldToDestroy(sql, claim)})
      delete from ${sql(table)} where ctid = any(array(
        select ctid from ${sql(table)} where room_nid = ${roomNid} and exists (select from held) limit ${limit}))`;
    if (count > 0) return count;
  }
  return 0;
}

/** The next users that a room had, in the order of their ids. */
export async function listRoomUsers(
  sql: Sql,
  roomNid: number,
  after: string,
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select user_id from memberships where room_nid = ${roomNid} and user_id > ${after}
    order by user_id limit ${limit}`;
  return rows.map(({ userId }) => userId);
}

/** Deletes what users kept of a room; answers how many rows went. */
export async function deleteUsersRows(
  sql: Sql,
  claim: JobClaim,
  room: { roomNid: number; roomId: string },
  userIds: readonly string[],
  limit: number,
): Promise<number> {
  const { roomNid, roomId } = room;
  const users = userIds as string[];
  const [row] = await sql<{ count: number }[]>`
    with held as materialized (${heldToDestroy(sql, claim)}), data as (
      delete from account_data where ctid = any(array(
        select ctid from account_data
        where user_id = any(${users}::text[]) and room_nid = ${roomNid} and exists (select from held) limit ${limit}))
      returning 1
    ), stripped as (
      delete from stripped_states
      where user_id = any(${users}::text[]) and room_nid = ${roomNid} and exists (select from held) returning 1
    ), subscriptions as (
      delete from thread_subscriptions where ctid = any(array(
        select ctid from thread_subscriptions
        where user_id = any(${users}::text[]) and room_nid = ${roomNid} and exists (select from held) limit ${limit}))
      returning 1
    ), modes as (
      delete from push_modes
      where user_id = any(${users}::text[]) and room_id = ${roomId} and exists (select from held) returning 1
    ), notified as (
      delete from notifications where ctid = any(array(
        select ctid from notifications
        where user_id = any(${users}::text[]) and room_nid = ${roomNid} and exists (select from held) limit ${limit}))
      returning 1
    ), delayed as (
      delete from delayed_events where ctid = any(array(
        select ctid from delayed_events
        where user_id = any(${users}::text[]) and room_id = ${roomId} and exists (select from held) limit ${limit}))
      returning 1
    )
    select (select count(*) from data) + (select count(*) from stripped) + (select count(*) from subscriptions)
      + (select count(*) from modes) + (select count(*) from notified) + (select count(*) from delayed) as count`;
  return row!.count;
}

/**
 * The last of a room: its aliases, its place in the directory, and the block that was only
 * to last so long. Its number stays, for the devices that have yet to hear that they left.
 */
export async function closeRoom(
  sql: Sql,
  claim: JobClaim,
  roomNid: number,
  isUnblocked: boolean,
): Promise<void> {
  await sql`
    with held as materialized (${heldToDestroy(sql, claim)}), aliases as (
      delete from room_aliases where room_nid = ${roomNid} and exists (select from held)
    ), unblocked as (
      delete from blocked_rooms using rooms
      where ${isUnblocked} and rooms.room_nid = ${roomNid} and blocked_rooms.room_id = rooms.room_id
        and exists (select from held)
    )
    update rooms set is_published = false, is_resident = false, snapshot_id = null, state_version = state_version + 1
    where room_nid = ${roomNid} and exists (select from held)`;
}

/**
 * Deletes media that no event names besides these, no profile and nobody's settings; so many at the most.
 * It comes before the events go, so that nothing is left behind where a process dies.
 */
export async function deleteMediaOfEvents(
  sql: Sql,
  claim: JobClaim,
  nids: readonly number[],
  limit: number,
): Promise<(string | null)[]> {
  const rows = await sql<{ blobId: string | null }[]>`
    with held as materialized (${heldToDestroy(sql, claim)}), doomed as materialized (
      select m.media_id from media m
      where m.media_id = any(array(
        select media_id from media_references where nid = any(${nids as number[]}::bigint[])))
        and not m.is_protected and not is_media_held(m.media_id) and exists (select from held)
        and not exists (
          select from media_references r
          where r.media_id = m.media_id and r.nid <> all(${nids as number[]}::bigint[]))
        and not exists (select from profile_fields p where p.media_id = m.media_id) and not is_in_settings(m.media_id)
      order by m.media_id limit ${limit} for update of m
    )
    delete from media using doomed where media.media_id = doomed.media_id returning media.blob_id`;
  return rows.map(({ blobId }) => blobId);
}

/** What one notification can name. */
const MOST_KEYS = 400;

/**
 * Destroys the keys that a room's content is sealed under: what a copy of the database
 * still holds of it opens no more; so many of them at a time.
 */
export async function destroyRoomKeys(
  sql: Sql,
  claim: JobClaim,
  roomId: string,
): Promise<void> {
  await sql`
    with held as materialized (${heldToDestroy(sql, claim)}), gone as (
      delete from keys where exists (select from held) and key_id = any(array(
        select key_id from keys
        where scope in ('room-span', 'room-state', 'room-words') and owner = ${roomId} limit ${MOST_KEYS}))
      returning key_id
    ), told as (
      select count(*) as count, json_build_object('destroyed', coalesce(array_agg(key_id), '{}'))::text as message
      from gone
    )
    select count, pg_notify('myelin', message)::text as told from told`;
}

/** Whether anything may still be sealed by a room's keys. */
export async function hasRoomKeys(sql: Sql, roomId: string): Promise<boolean> {
  const [row] = await sql<{ hasKeys: boolean }[]>`
    select exists (
      select from keys where scope in ('room-span', 'room-state', 'room-words') and owner = ${roomId}) as has_keys`;
  return row!.hasKeys;
}

/** Has every process forget what it has opened. */
export async function tellContentDestroyed(sql: Sql): Promise<void> {
  await sql`select pg_notify('myelin', '{"destroyed":[]}')`;
}
