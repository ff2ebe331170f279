import type { Sql } from "./database.ts";

/** Rooms among the given ones with accepted or refused events, or receipts, in (after, upTo]. */
export async function listChangedRooms(
  sql: Sql,
  roomNids: readonly number[],
  after: number,
  upTo: number,
): Promise<number[]> {
  if (roomNids.length === 0) return [];
  const rows = await sql<{ roomNid: number }[]>`
    select r.room_nid from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)
    where exists (select from events e where e.room_nid = r.room_nid
        and e.position > ${after} and e.position <= ${upTo})
      or exists (select from receipts x where x.room_nid = r.room_nid
        and x.position > ${after} and x.position <= ${upTo})
      or exists (select from state_changes s where s.room_nid = r.room_nid
        and s.position > ${after} and s.position <= ${upTo})`;
  return rows.map(({ roomNid }) => roomNid);
}

/** Rooms whose members, name or alias changed in (after, upTo]: what their summaries tell of. */
export async function listChangedSummaries(
  sql: Sql,
  ranges: readonly { roomNid: number; after: number; upTo: number }[],
): Promise<number[]> {
  if (ranges.length === 0) return [];
  const rows = await sql<{ roomNid: number }[]>`
    select r.room_nid from unnest(
      ${ranges.map((r) => r.roomNid)}::bigint[], ${ranges.map((r) => r.after)}::bigint[],
      ${ranges.map((r) => r.upTo)}::bigint[]) as r(room_nid, after_position, up_to)
    where exists (select from state_changes s where s.room_nid = r.room_nid
      and s.position > r.after_position and s.position <= r.up_to
      and s.type in ('m.room.member', 'm.room.name', 'm.room.canonical_alias'))`;
  return rows.map(({ roomNid }) => roomNid);
}

export interface StateChange {
  roomNid: number;
  position: number;
  type: string;
  stateKey: string;
  oldNid: number | null;
  newNid: number | null;
}

/** Changes of current state in (after, upTo] of each room, in stream order. */
export async function listStateChanges(
  sql: Sql,
  ranges: readonly { roomNid: number; after: number; upTo: number }[],
): Promise<StateChange[]> {
  if (ranges.length === 0) return [];
  return sql<StateChange[]>`
    select s.room_nid, s.position, s.type, s.state_key, s.old_nid, s.new_nid
    from unnest(
      ${ranges.map((r) => r.roomNid)}::bigint[], ${ranges.map((r) => r.after)}::bigint[],
      ${ranges.map((r) => r.upTo)}::bigint[]) as r(room_nid, after_position, up_to)
    join state_changes s on s.room_nid = r.room_nid and s.position > r.after_position and s.position <= r.up_to
    order by s.room_nid, s.position`;
}

export interface StatePlace {
  roomNid: number;
  type: string;
  stateKey: string;
  nid: number;
}

/** Current state of many rooms; members only of those named, where `lazily` is set. */
export async function listCurrentState(
  sql: Sql,
  roomNids: readonly number[],
  lazily: boolean,
): Promise<StatePlace[]> {
  if (roomNids.length === 0) return [];
  return sql<StatePlace[]>`
    select room_nid, type, state_key, nid from current_state
    where room_nid = any(${roomNids as number[]}::bigint[]) ${lazily ? sql`and type <> 'm.room.member'` : sql``}`;
}

/** Named members of rooms; state keys as stored. */
export async function listCurrentMembers(
  sql: Sql,
  places: readonly { roomNid: number; stateKey: string }[],
): Promise<StatePlace[]> {
  if (places.length === 0) return [];
  return sql<StatePlace[]>`
    select p.room_nid, 'm.room.member' as type, p.state_key, c.nid
    from unnest(${places.map((p) => p.roomNid)}::bigint[], ${places.map((p) => p.stateKey)}::text[])
      as p(room_nid, state_key)
    cross join lateral (
      select nid from current_state c
      where c.room_nid = p.room_nid and c.type = 'm.room.member' and c.state_key = p.state_key limit 1) c`;
}

/** How the user's own member events changed in (after, upTo], in stream order. */
export async function listOwnMembershipChanges(
  sql: Sql,
  userStateKey: string,
  roomNids: readonly number[],
  after: number,
): Promise<StateChange[]> {
  if (roomNids.length === 0) return [];
  return sql<StateChange[]>`
    select room_nid, position, type, state_key, old_nid, new_nid from state_changes
    where room_nid = any(${roomNids as number[]}::bigint[]) and type = 'm.room.member'
      and state_key = ${userStateKey} and position > ${after}
    order by room_nid, position`;
}

export interface MemberCounts {
  roomNid: number;
  joined: number;
  invited: number;
}

export async function listMemberCounts(
  sql: Sql,
  roomNids: readonly number[],
): Promise<MemberCounts[]> {
  if (roomNids.length === 0) return [];
  return sql<MemberCounts[]>`
    select room_nid, joined_members as joined, invited_members as invited from rooms
    where room_nid = any(${roomNids as number[]}::bigint[])`;
}

/** The first five members besides the user: joined or invited ones, else those who left. */
export async function listHeroes(
  sql: Sql,
  roomNids: readonly number[],
  userId: string,
): Promise<{ roomNid: number; userId: string; nid: number }[]> {
  if (roomNids.length === 0) return [];
  const firstOf = (membership: string) => sql`
    (select m.user_id, m.nid, m.position from memberships m
    where m.room_nid = r.room_nid and m.membership = ${membership} and m.user_id <> ${userId}
    order by m.position limit 5)`;
  return sql<{ roomNid: number; userId: string; nid: number }[]>`
    with present as materialized (
      select r.room_nid, h.* from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)
      cross join lateral (${firstOf("join")} union all ${firstOf("invite")} order by position limit 5) h
    ), gone as (
      select r.room_nid, h.* from unnest(${roomNids as number[]}::bigint[]) as r(room_nid)
      cross join lateral (${firstOf("leave")} union all ${firstOf("ban")} order by position limit 5) h
      where r.room_nid not in (select room_nid from present)
    )
    select room_nid, user_id, nid from (select * from present union all select * from gone) heroes
    order by room_nid, position`;
}
