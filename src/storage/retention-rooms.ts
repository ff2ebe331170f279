import type { Sql } from "./database.ts";
import { heldLease, type Lease } from "./leases.ts";

export interface KnownRoom {
  roomNid: number;
  roomId: string;
  stateVersion: number;
}

/** A room whose policies have to be looked at anew. */
export interface StaleRoom extends KnownRoom {
  /** Its own state is another one. */
  isChanged: boolean;
}

/** The next rooms whose state or whose policies are not those that their row was made of. */
export const listStaleRooms = (
  sql: Sql,
  madeOf: string,
  limit: number,
): Promise<StaleRoom[]> => sql<StaleRoom[]>`
  select o.room_nid, o.room_id, o.state_version,
    r.room_nid is not null and r.state_version <> o.state_version as is_changed
  from rooms o
  left join retention_rooms r on r.room_nid = o.room_nid
  where r.room_nid is null or r.state_version <> o.state_version or r.made_of <> ${madeOf}
  limit ${limit}`;

/** The next rooms there are, for who asks what a policy would do. */
export const listRoomsAfter = (
  sql: Sql,
  after: number,
  limit: number,
): Promise<KnownRoom[]> => sql<KnownRoom[]>`
  select room_nid, room_id, state_version from rooms
  where room_nid > ${after} order by room_nid limit ${limit}`;

export interface RetainedRoomRow {
  roomNid: number;
  stateVersion: number;
  policyId: string | null;
  policyVersion: number | null;
  maxMs: number | null;
  redacts: boolean;
  dropsReceipts: boolean;
  hasDailyKeys: boolean;
}

/** Notes what the policies come to, and has each room's keys follow. */
export async function saveRetainedRooms(
  sql: Sql,
  lease: Lease,
  madeOf: string,
  rows: readonly RetainedRoomRow[],
): Promise<void> {
  await sql`
    with held as materialized (${heldLease(sql, lease)}), made as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows.map(toColumns))}::text::jsonb)
        as m(room_nid bigint, state_version bigint, policy_id text, policy_version int, max_ms bigint,
          redacts boolean, drops_receipts boolean, has_daily_keys boolean)
      where exists (select from held)
    ), changing as materialized (
      select o.room_nid from rooms o join made on made.room_nid = o.room_nid
      where o.has_daily_keys <> made.has_daily_keys order by o.room_nid for update of o
    ), spans as (
      -- Whoever writes there reads the room's head anew.
      update rooms set has_daily_keys = not has_daily_keys, state_version = state_version + 1
      where room_nid in (select room_nid from changing)
    )
    insert into retention_rooms (
      room_nid, policy_id, policy_version, max_ms, redacts, drops_receipts, state_version, made_of)
    select room_nid, policy_id, policy_version, max_ms, redacts, drops_receipts, state_version, ${madeOf} from made
    on conflict (room_nid) do update set policy_id = excluded.policy_id, policy_version = excluded.policy_version,
      max_ms = excluded.max_ms, redacts = excluded.redacts, drops_receipts = excluded.drops_receipts,
      state_version = excluded.state_version, made_of = excluded.made_of`;
}

const toColumns = (row: RetainedRoomRow) => ({
  room_nid: row.roomNid,
  state_version: row.stateVersion,
  policy_id: row.policyId,
  policy_version: row.policyVersion,
  max_ms: row.maxMs,
  redacts: row.redacts,
  drops_receipts: row.dropsReceipts,
  has_daily_keys: row.hasDailyKeys,
});

/** Has what is within a space looked at anew: what is in it may be others by now. */
export async function markWithinSpaces(
  sql: Sql,
  lease: Lease,
  roomNids: readonly number[],
): Promise<void> {
  await sql`
    with recursive held as materialized (${heldLease(sql, lease)}), within(room_nid) as (
      select o.room_nid from current_state c join rooms o on o.room_id = c.state_key
      where c.room_nid = any(${roomNids as number[]}::bigint[]) and c.type = 'm.space.child'
      union
      select o.room_nid from within w
      join current_state c on c.room_nid = w.room_nid and c.type = 'm.space.child'
      join rooms o on o.room_id = c.state_key
    )
    update retention_rooms set made_of = '' from within
    where retention_rooms.room_nid = within.room_nid and retention_rooms.room_nid <> all(${roomNids as number[]}::bigint[])
      and exists (select from held)`;
}

/** A step of the tree of spaces that both sides say. */
export interface SpaceStepRow {
  spaceId: string;
  roomId: string;
  parentNid: number;
  childNid: number;
}

const MOST_STEPS = 100_000;

/** The steps that lead down from spaces. */
export const listStepsWithin = (
  sql: Sql,
  spaceIds: readonly string[],
): Promise<SpaceStepRow[]> => sql<SpaceStepRow[]>`
  with recursive steps(space_id, room_id, room_nid, child_nid, parent_nid) as (
    select s.room_id, o.room_id, o.room_nid, c.nid, p.nid
    from rooms s
    join current_state c on c.room_nid = s.room_nid and c.type = 'm.space.child'
    join rooms o on o.room_id = c.state_key
    join current_state p on p.room_nid = o.room_nid and p.type = 'm.space.parent' and p.state_key = s.room_id
    where s.room_id = any(${spaceIds as string[]}::text[])
    union
    select steps.room_id, o.room_id, o.room_nid, c.nid, p.nid
    from steps
    join current_state c on c.room_nid = steps.room_nid and c.type = 'm.space.child'
    join rooms o on o.room_id = c.state_key
    join current_state p on p.room_nid = o.room_nid and p.type = 'm.space.parent' and p.state_key = steps.room_id
  )
  select space_id, room_id, parent_nid, child_nid from steps limit ${MOST_STEPS}`;

/** How many are in each room or invited to it, counted to three. */
export const listFewMembers = (
  sql: Sql,
  roomNids: readonly number[],
): Promise<{ roomNid: number; count: number }[]> => sql`
  select r.room_nid, m.count from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)
  cross join lateral (
    select count(*) as count from (
      select from memberships m where m.room_nid = r.room_nid and m.membership in ('join', 'invite') limit 3) few
  ) m`;
