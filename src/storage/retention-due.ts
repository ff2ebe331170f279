import { heldJob, type JobClaim } from "./admin-jobs.ts";
import type { Sql } from "./database.ts";

/** What retention counts as now: neither this process's clock nor the database's may run ahead alone. */
export async function readRetentionClock(
  sql: Sql,
  now: number,
): Promise<number> {
  const [row] = await sql<{ ts: number }[]>`
    select least(database_ms(), ${now}::bigint) as ts`;
  return row!.ts;
}

/** A room in which things come to their end. */
export interface AgingRoom {
  roomNid: number;
  policyId: string;
  maxMs: number;
  redacts: boolean;
  dropsReceipts: boolean;
  /** Whether its state was looked through since it last changed. */
  isStateSwept: boolean;
}

const A_DAY_MS = 24 * 60 * 60 * 1000;

/** The next rooms that a policy in force is for. */
export const listAgingRooms = (
  sql: Sql,
  { from, clock, limit }: { from: number; clock: number; limit: number },
): Promise<AgingRoom[]> => sql<AgingRoom[]>`
  select r.room_nid, r.policy_id, r.max_ms, r.redacts, r.drops_receipts,
    r.swept_version is not distinct from o.state_version and r.swept_ts > ${clock - A_DAY_MS}
      and coalesce(r.state_due_ts + r.max_ms > ${clock}, true) as is_state_swept
  from retention_rooms r join rooms o on o.room_nid = r.room_nid
  join policies_in_force() p on p.policy_id = r.policy_id and p.active_version = r.policy_version
  where r.max_ms is not null and r.room_nid >= ${from} order by r.room_nid limit ${limit}`;

/** Up to where things in a room go. */
export interface DueRoom {
  roomNid: number;
  /** Looked through up to here. */
  fromTs: number;
  untilTs: number;
}

export interface DueEvent {
  nid: number;
  roomNid: number;
  ts: number;
  eventId: string;
  type: string;
  sender: string;
}

/**
 * The oldest things said in these rooms that are due and not held, room by room: those of
 * no room are read before all of the one before it.
 */
export async function listDueMessages(
  sql: Sql,
  rooms: readonly DueRoom[],
  limit: number,
): Promise<DueEvent[]> {
  if (rooms.length === 0) return [];
  return sql<DueEvent[]>`
    select due.nid, r.room_nid, due.ts, due.event_id, due.type, due.sender
    from unnest(${rooms.map(({ roomNid }) => roomNid)}::bigint[], ${rooms.map(({ fromTs }) => fromTs)}::bigint[],
      ${rooms.map(({ untilTs }) => untilTs)}::bigint[]) with ordinality as r(room_nid, from_ts, until_ts, place)
    cross join lateral (
      select e.nid, least(e.origin_server_ts, e.received_ts) as ts, e.event_id, e.type, e.sender from events e
      where e.room_nid = r.room_nid and e.redacted_by is null and e.status <> 3 and e.state_key is null
        and least(e.origin_server_ts, e.received_ts) >= r.from_ts
        and least(e.origin_server_ts, e.received_ts) <= r.until_ts and not is_event_held(e.nid)
      order by least(e.origin_server_ts, e.received_ts) limit ${limit}
    ) due
    limit ${limit}`;
}

/** Auth of others' memberships may yet read these of an old state. */
const KEPT_STATE = ["m.room.third_party_invite"];

/** As `listDueMessages`, of state that is no longer current. */
export async function listDueState(
  sql: Sql,
  rooms: readonly DueRoom[],
  limit: number,
): Promise<DueEvent[]> {
  if (rooms.length === 0) return [];
  return sql<DueEvent[]>`
    select due.nid, r.room_nid, due.ts, due.event_id, due.type, due.sender
    from unnest(${rooms.map(({ roomNid }) => roomNid)}::bigint[], ${rooms.map(({ fromTs }) => fromTs)}::bigint[],
      ${rooms.map(({ untilTs }) => untilTs)}::bigint[]) with ordinality as r(room_nid, from_ts, until_ts, place)
    cross join lateral (
      select e.nid, least(e.origin_server_ts, e.received_ts) as ts, e.event_id, e.type, e.sender from events e
      where e.room_nid = r.room_nid and ${pastState(sql)}
        and least(e.origin_server_ts, e.received_ts) >= r.from_ts
        and least(e.origin_server_ts, e.received_ts) <= r.until_ts and not is_event_held(e.nid)
      order by least(e.origin_server_ts, e.received_ts) limit ${limit}
    ) due
    limit ${limit}`;
}

const pastState = (sql: Sql) => sql`
  e.redacted_by is null and e.status <> 3 and e.state_key is not null and e.type <> all(${KEPT_STATE}::text[])
  and not exists (
    select from current_state s
    where s.room_nid = e.room_nid and s.type = e.type and s.state_key = e.state_key and s.nid = e.nid)`;

/** Notes that the state of rooms was looked through, and when the next of it is due. */
export async function noteSwept(
  sql: Sql,
  claim: JobClaim,
  roomNids: readonly number[],
  clock: number,
): Promise<void> {
  await sql`
    with held as materialized (${heldJob(sql, claim)})
    update retention_rooms set swept_version = seen.state_version, swept_ts = ${clock}::bigint, state_due_ts = seen.due_ts
    from (
      select o.room_nid, o.state_version, (
        select min(least(e.origin_server_ts, e.received_ts)) from events e
        where e.room_nid = o.room_nid and ${pastState(sql)}) as due_ts
      from rooms o where o.room_nid = any(${roomNids as number[]}::bigint[]) and exists (select from held)
    ) seen
    where retention_rooms.room_nid = seen.room_nid`;
}

/**
 * Notes of rooms up to where all that counts as unread is gone, so that who has not read for
 * long is counted no slower for what is over. Rooms are locked in their order.
 */
export async function raiseFloors(
  sql: Sql,
  claim: JobClaim,
  roomNids: readonly number[],
): Promise<void> {
  await sql`
    with held as materialized (${heldJob(sql, claim)}), floors as materialized (
      select o.room_nid, coalesce((
        select e.position - 1 from events e
        where e.room_nid = o.room_nid and e.position > o.expired_position and e.is_countable and e.redacted_by is null
        order by e.position limit 1), (
        select max(e.position) from events e where e.room_nid = o.room_nid and e.position is not null)) as position
      from rooms o where o.room_nid = any(${roomNids as number[]}::bigint[]) and exists (select from held)
    ), rising as materialized (
      select o.room_nid, floors.position from rooms o join floors on floors.room_nid = o.room_nid
      where floors.position > o.expired_position order by o.room_nid for no key update of o
    )
    update rooms set expired_position = rising.position from rising where rooms.room_nid = rising.room_nid`;
}

/** Edits of these events, so many at the most: what they say is what their event said. */
export async function listEditsOf(
  sql: Sql,
  events: readonly DueEvent[],
  limit: number,
): Promise<number[]> {
  const rows = await sql<{ nid: number }[]>`
    select e.nid from unnest(${events.map(({ roomNid }) => roomNid)}::bigint[], ${events.map(({ eventId }) => eventId)}::text[])
      as d(room_nid, event_id)
    join events e on e.room_nid = d.room_nid and e.relates_to = d.event_id and e.rel_type = 'm.replace'
    where e.redacted_by is null and e.state_key is null and e.status <> 3 and not is_event_held(e.nid)
      and e.nid <> all(${events.map(({ nid }) => nid)}::bigint[])
    limit ${limit}`;
  return rows.map(({ nid }) => nid);
}

/** Destroys what these events say; answers how many there were. */
export async function expireEvents(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  nids: readonly number[],
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select expire_events(${jobId}, ${holder}, ${generation}, ${nids as number[]}::bigint[]) as count`;
  return row!.count;
}

/** Adds to what a run counts of a policy. */
export async function addTally(
  sql: Sql,
  { jobId }: JobClaim,
  tally: { policyId: string; what: string; count: number },
): Promise<void> {
  await sql`select add_tally(${jobId}, ${tally.policyId}, ${tally.what}, ${tally.count})`;
}

/** Deletes receipts of these rooms that are older than their messages may be; answers how many. */
export async function deleteOldReceipts(
  sql: Sql,
  claim: JobClaim,
  rooms: readonly { roomNid: number; untilTs: number }[],
  limit: number,
): Promise<number> {
  if (rooms.length === 0) return 0;
  const { jobId, holder, generation } = claim;
  const [row] = await sql<{ count: number }[]>`
    select drop_receipts(${jobId}, ${holder}, ${generation}, ${rooms.map(({ roomNid }) => roomNid)}::bigint[],
      ${rooms.map(({ untilTs }) => untilTs)}::bigint[], ${limit}) as count`;
  return row!.count;
}

/** Keys of these rooms whose span is over, and of which nothing is left. */
export async function listEndedSpans(
  sql: Sql,
  rooms: readonly { roomNid: number; untilTs: number }[],
  limit: number,
): Promise<number[]> {
  if (rooms.length === 0) return [];
  const rows = await sql<{ keyId: number }[]>`
    select k.key_id from unnest(${rooms.map(({ roomNid }) => roomNid)}::bigint[],
      ${rooms.map(({ untilTs }) => untilTs)}::bigint[]) as r(room_nid, until_ts)
    join rooms o on o.room_nid = r.room_nid
    cross join unnest('{room-span,room-words}'::text[]) as s(scope)
    join keys k on k.scope = s.scope and k.owner = o.room_id
    where span_end(k.span) <= r.until_ts and not is_span_used(r.room_nid, k.span)
    limit ${limit}`;
  return rows.map(({ keyId }) => keyId);
}

/** Destroys keys of spans, and has every process forget them; answers which. */
export async function destroySpans(
  sql: Sql,
  { jobId, holder, generation }: JobClaim,
  keyIds: readonly number[],
): Promise<number[]> {
  const rows = await sql<{ keyId: number }[]>`
    select key_id from destroy_spans(${jobId}, ${holder}, ${generation}, ${keyIds as number[]}::bigint[]) as d(key_id)`;
  return rows.map(({ keyId }) => keyId);
}
