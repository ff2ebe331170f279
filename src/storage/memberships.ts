import type { Sql } from "./database.ts";

export type Membership = "join" | "invite" | "leave" | "ban" | "knock";

export interface MembershipRecord {
  userId: string;
  roomNid: number;
  membership: Membership;
  sender: string;
  nid: number;
  position: number;
  /** Where it became what it is; later member events of the same kind leave it. */
  sincePosition: number;
  isForgotten: boolean;
}

export async function findMembership(
  sql: Sql,
  userId: string,
  roomNid: number,
): Promise<MembershipRecord | undefined> {
  const [row] = await sql<MembershipRecord[]>`
    select user_id, room_nid, membership, sender, nid, position, since_position, is_forgotten
    from memberships where user_id = ${userId} and room_nid = ${roomNid}`;
  return row;
}

/** A user's memberships of the given kinds, all of them where none is given. */
export async function listMembershipsOf(
  sql: Sql,
  userId: string,
  memberships?: readonly Membership[],
): Promise<(MembershipRecord & { roomId: string })[]> {
  return sql<(MembershipRecord & { roomId: string })[]>`
    select m.user_id, m.room_nid, m.membership, m.sender, m.nid, m.position, m.since_position, m.is_forgotten, r.room_id
    from memberships m join rooms r on r.room_nid = m.room_nid
    where m.user_id = ${userId}
      ${memberships ? sql`and m.membership = any(${memberships as Membership[]}::text[])` : sql``}`;
}

export async function listMembersOf(
  sql: Sql,
  roomNid: number,
  memberships?: readonly Membership[],
): Promise<MembershipRecord[]> {
  return sql<MembershipRecord[]>`
    select user_id, room_nid, membership, sender, nid, position, since_position, is_forgotten
    from memberships where room_nid = ${roomNid}
      ${memberships ? sql`and membership = any(${memberships as Membership[]}::text[])` : sql``}`;
}

/** How one user's membership and the room's history visibility changed, oldest first. */
export interface StateHistoryRow {
  roomNid: number;
  position: number;
  type: string;
  newNid: number | null;
}

export async function listVisibilityHistories(
  sql: Sql,
  roomNids: readonly number[],
  userId: string,
): Promise<StateHistoryRow[]> {
  if (roomNids.length === 0) return [];
  return sql<StateHistoryRow[]>`
    select room_nid, position, type, new_nid from state_changes
    where room_nid = any(${roomNids as number[]}::bigint[])
      and ((type = 'm.room.history_visibility' and state_key = '')
        or (type = 'm.room.member' and state_key = ${userId}))
    order by room_nid, position`;
}

export async function isUserJoinedToAny(
  sql: Sql,
  userId: string,
  roomIds: readonly string[],
): Promise<boolean> {
  if (roomIds.length === 0) return false;
  const [row] = await sql`
    select from memberships m join rooms r on r.room_nid = m.room_nid
    where m.user_id = ${userId} and m.membership = 'join' and r.room_id = any(${roomIds as string[]}::text[])
    limit 1`;
  return row !== undefined;
}

/** Joined members: those of the given users, then others whose id ends so, up to a limit. */
export async function listJoinedAmong(
  sql: Sql,
  roomNid: number,
  userIds: readonly string[],
  ending: string,
  mostOthers: number,
): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    (select user_id from memberships
      where room_nid = ${roomNid} and membership = 'join' and user_id = any(${userIds as string[]}::text[])
      order by user_id)
    union all
    (select user_id from memberships
      where room_nid = ${roomNid} and membership = 'join' and right(user_id, ${ending.length}) = ${ending}
      limit ${mostOthers})`;
  return rows.map(({ userId }) => userId);
}
