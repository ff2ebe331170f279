import type { Sql } from "./database.ts";
import { REMOVED } from "./profiles.ts";

/** Somebody who changed their profile, with the name of now; none where it was removed. */
export interface NamedUser {
  userId: string;
  position: number;
  keyId: number | null;
  sealed: Uint8Array | null;
}

/** Whose display name changed after a position, in the order of the stream. */
export async function listNamedUsersAfter(
  sql: Sql,
  position: number,
  limit: number,
): Promise<NamedUser[]> {
  return sql<NamedUser[]>`
    select p.user_id, p.position, n.key_id, n.sealed
    from profile_fields p
    left join profile_fields n on n.user_id = p.user_id and n.name = 'displayname'
    where p.position > ${position} and p.name in ('displayname', ${REMOVED})
    order by p.position limit ${limit}`;
}

/** Those of the users who may be found at all: people whose account is in use. */
export async function listFindable(
  sql: Sql,
  userIds: readonly string[],
): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select user_id from users
    where user_id = any(${userIds as string[]}::text[]) and not is_deactivated and not is_guest`;
  return rows.map(({ userId }) => userId);
}

/** Those of the users who share a room with a viewer. */
export async function listSharingRooms(
  sql: Sql,
  viewer: string,
  userIds: readonly string[],
): Promise<string[]> {
  if (userIds.length === 0) return [];
  const rows = await sql<{ userId: string }[]>`
    select u.user_id from unnest(${userIds as string[]}::text[]) as u(user_id)
    where exists (
      select from memberships mine
      join memberships theirs on theirs.room_nid = mine.room_nid and theirs.user_id = u.user_id
      where mine.user_id = ${viewer} and mine.membership = 'join' and theirs.membership = 'join')`;
  return rows.map(({ userId }) => userId);
}

/** The rooms that each of these users is in, of each at most so many. */
export async function listRoomsOfUsers(
  sql: Sql,
  userIds: readonly string[],
  most: number,
): Promise<{ userId: string; roomNid: number }[]> {
  if (userIds.length === 0) return [];
  return sql<{ userId: string; roomNid: number }[]>`
    select u.user_id, m.room_nid from unnest(${userIds as string[]}::text[]) as u(user_id)
    cross join lateral (
      select room_nid from memberships
      where user_id = u.user_id and membership = 'join' order by room_nid limit ${most}
    ) m`;
}
