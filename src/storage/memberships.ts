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

type Columns<Row> = { [Name in keyof Row]: Row[Name][] | null };

/**
 * A user's memberships of the given kinds, all of them where none is given. They come
 * column by column: 5,000 rows took three times as long to read.
 */
export async function listMembershipsOf(
  sql: Sql,
  userId: string,
  memberships?: readonly Membership[],
): Promise<(MembershipRecord & { roomId: string })[]> {
  const [columns] = await sql<
    [Columns<Omit<MembershipRecord, "userId"> & { roomId: string }>]
  >`
    select json_agg(m.room_nid) as room_nid, json_agg(m.membership) as membership, json_agg(m.sender) as sender,
      json_agg(m.nid) as nid, json_agg(m.position) as position, json_agg(m.since_position) as since_position,
      json_agg(m.is_forgotten) as is_forgotten, json_agg(r.room_id) as room_id
    from memberships m join rooms r on r.room_nid = m.room_nid
    where m.user_id = ${userId}
      ${memberships ? sql`and m.membership = any(${memberships as Membership[]}::text[])` : sql``}`;
  return (columns.roomNid ?? []).map((roomNid, i) => ({
    userId,
    roomNid,
    membership: columns.membership![i]!,
    sender: columns.sender![i]!,
    nid: columns.nid![i]!,
    position: columns.position![i]!,
    sincePosition: columns.sincePosition![i]!,
    isForgotten: columns.isForgotten![i]!,
    roomId: columns.roomId![i]!,
  }));
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

/** What a user has to do with each of these rooms; nothing with those that are absent. */
export async function listMembershipsIn(
  sql: Sql,
  userId: string,
  roomNids: readonly number[],
): Promise<{ roomNid: number; membership: Membership }[]> {
  if (roomNids.length === 0) return [];
  return sql<{ roomNid: number; membership: Membership }[]>`
    select room_nid, membership from memberships
    where user_id = ${userId} and room_nid = any(${roomNids as number[]}::bigint[])`;
}

/** Those of the rooms that a user is in, by their ids. */
export async function listJoinedAmongRooms(
  sql: Sql,
  userId: string,
  roomIds: readonly string[],
): Promise<string[]> {
  if (roomIds.length === 0) return [];
  const rows = await sql<{ roomId: string }[]>`
    select r.room_id from rooms r join memberships m on m.room_nid = r.room_nid
    where r.room_id = any(${roomIds as string[]}::text[]) and m.user_id = ${userId} and m.membership = 'join'`;
  return rows.map(({ roomId }) => roomId);
}

/** How many are in each of these rooms. */
export async function countJoinedMembers(
  sql: Sql,
  roomNids: readonly number[],
): Promise<Map<number, number>> {
  if (roomNids.length === 0) return new Map();
  const rows = await sql<{ roomNid: number; count: number }[]>`
    select room_nid, joined_members as count from rooms where room_nid = any(${roomNids as number[]}::bigint[])`;
  return new Map(rows.map(({ roomNid, count }) => [roomNid, count]));
}

/** Rooms that two users are both in, by their ids after one, and how many they are in all. */
export async function listMutualRooms(
  sql: Sql,
  [one, other]: readonly [string, string],
  after: string,
  limit: number,
): Promise<{ roomIds: string[]; count: number }> {
  const [row] = await sql<{ roomIds: string[]; count: number }[]>`
    with mutual as materialized (
      select r.room_id from memberships a
      join memberships b on b.room_nid = a.room_nid and b.user_id = ${other} and b.membership = 'join'
      join rooms r on r.room_nid = a.room_nid
      where a.user_id = ${one} and a.membership = 'join'
    )
    select (select count(*)::int from mutual) as count, coalesce((
      select array_agg(room_id order by room_id) from (
        select room_id from mutual where room_id > ${after} order by room_id limit ${limit}) page), '{}') as room_ids`;
  return row!;
}
