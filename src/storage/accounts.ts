import type { Sql } from "./database.ts";

/** An account as administrators see it. */
export interface AccountRow {
  userId: string;
  isGuest: boolean;
  isAdmin: boolean;
  userType: string | null;
  /** Or about to be. */
  isDeactivated: boolean;
  /** It can be taken back yet that it ends. */
  isEnding: boolean;
  isShadowBanned: boolean;
  isLocked: boolean;
  isSuspended: boolean;
  /** Or about to be. */
  isErased: boolean;
  createdTs: number;
  lastSeenTs: number | null;
  expiresTs: number | null;
  messagesPerSecond: number | null;
  burstCount: number | null;
}

export type AccountOrder =
  | "name"
  | "is_guest"
  | "admin"
  | "user_type"
  | "deactivated"
  | "shadow_banned"
  | "displayname"
  | "avatar_url"
  | "creation_ts"
  | "last_seen_ts"
  | "locked"
  | "suspended";

export interface AccountSearch {
  /** In lower case, within the id. */
  userId: string | null;
  /** In lower case, within the id's first part; or one of `named`. */
  name: string | null;
  /** Whose display name matches. */
  named: readonly string[];
  includesGuests: boolean;
  includesLocked: boolean;
  isDeactivated: boolean | null;
  isAdmin: boolean | null;
  /** "" for those without a type. */
  notUserTypes: readonly string[];
  orderBy: AccountOrder;
  /** All users who have a display name in its order, where it is ordered by that. */
  byName: readonly string[];
  isDescending: boolean;
  limit: number;
  offset: number;
}

const isAdmin = (sql: Sql) => sql`exists (
  select from role_bindings b where b.user_id = u.user_id
    and (b.expires_ts is null or b.expires_ts > database_ms()))`;

const columns = (sql: Sql) => sql`
  u.user_id, u.is_guest, ${isAdmin(sql)} as is_admin, u.user_type, u.is_deactivated or u.is_ending as is_deactivated, u.is_ending,
  u.is_shadow_banned,
  u.is_locked, u.is_suspended, u.created_ts, a.last_seen_ts, u.expires_ts, u.messages_per_second, u.burst_count,
  u.erased_position is not null
    or exists (select from pending_erasures p where p.user_id = u.user_id) as is_erased`;

function orderOf(sql: Sql, { orderBy }: AccountSearch) {
  switch (orderBy) {
    case "name":
      return sql`u.user_id`;
    case "is_guest":
      return sql`u.is_guest`;
    case "admin":
      return isAdmin(sql);
    case "user_type":
      return sql`u.user_type`;
    case "deactivated":
      return sql`(u.is_deactivated or u.is_ending)`;
    case "shadow_banned":
      return sql`u.is_shadow_banned`;
    case "locked":
      return sql`u.is_locked`;
    case "suspended":
      return sql`u.is_suspended`;
    case "creation_ts":
      return sql`u.created_ts`;
    case "last_seen_ts":
      return sql`a.last_seen_ts`;
    case "avatar_url":
      return sql`(
        select f.media_id from profile_fields f where f.user_id = u.user_id and f.name = 'avatar_url')`;
    case "displayname":
      return sql`n.place`;
  }
}

/** A page of the accounts, and how many there are in all. */
export async function listAccounts(
  sql: Sql,
  search: AccountSearch,
): Promise<{ accounts: AccountRow[]; total: number }> {
  const matches = sql`
    (${search.includesGuests}::boolean or not u.is_guest)
    and (${search.includesLocked}::boolean or not u.is_locked)
    and (${search.isDeactivated}::boolean is null or (u.is_deactivated or u.is_ending) = ${search.isDeactivated})
    and (${search.isAdmin}::boolean is null or ${isAdmin(sql)} = ${search.isAdmin})
    and (${search.userId}::text is null or strpos(lower(u.user_id), ${search.userId}) > 0)
    and (${search.name}::text is null or strpos(lower(split_part(u.user_id, ':', 1)), ${search.name}) > 0
      or not u.is_deactivated and u.user_id = any(${search.named as string[]}::text[]))
    and coalesce(u.user_type, '') <> all(${search.notUserTypes as string[]}::text[])`;
  const names =
    search.orderBy === "displayname"
      ? sql`left join unnest(${search.byName as string[]}::text[])
          with ordinality as n(user_id, place) on n.user_id = u.user_id`
      : sql``;
  const direction = search.isDescending ? sql`desc` : sql`asc`;
  const order =
    search.orderBy === "name"
      ? sql`u.user_id ${direction}`
      : sql`${orderOf(sql, search)} ${direction}, u.user_id ${direction}`;
  const [accounts, [counted]] = await Promise.all([
    sql<AccountRow[]>`
      select ${columns(sql)} from users u left join user_activity a on a.user_id = u.user_id ${names}
      where ${matches} order by ${order} limit ${search.limit} offset ${search.offset}`,
    sql<
      { total: number }[]
    >`select count(*)::int as total from users u where ${matches}`,
  ]);
  return { accounts, total: counted!.total };
}

export async function findAccount(
  sql: Sql,
  userId: string,
): Promise<AccountRow | undefined> {
  const [row] = await sql<AccountRow[]>`
    select ${columns(sql)} from users u left join user_activity a on a.user_id = u.user_id
    where u.user_id = ${userId}`;
  return row;
}

/** Whether somebody is an administrator of any kind at this moment. */
export async function hasRole(sql: Sql, userId: string): Promise<boolean> {
  const [row] = await sql`
    select from role_bindings where user_id = ${userId}
      and (expires_ts is null or expires_ts > database_ms()) limit 1`;
  return row !== undefined;
}

/** How many invites somebody sent since a time, in rooms that they have to do with. */
export async function countInvitesSent(
  sql: Sql,
  userId: string,
  fromTs: number,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from memberships m
    join state_changes c on c.room_nid = m.room_nid and c.type = 'm.room.member' and c.state_key <> m.user_id
    join events e on e.nid = c.new_nid
    where m.user_id = ${userId} and e.sender = m.user_id and e.received_ts >= ${fromTs}
      and e.skeleton like '%"membership":"invite"%'`;
  return row!.count;
}

/** How many rooms somebody entered since a time, those too that were left. */
export async function countRoomsEntered(
  sql: Sql,
  userId: string,
  fromTs: number,
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(distinct s.room_nid)::int as count
    from stays s join batches b on b.last_position = (
      select min(last_position) from batches where last_position >= s.joined_position)
    where s.user_id = ${userId} and b.committed_ts >= ${fromTs}`;
  return row!.count;
}

/** All account data of a user that has content, with the rooms' ids; null for global ones. */
export interface AccountDataRow {
  roomNid: number;
  roomId: string | null;
  type: string;
  keyId: number;
  sealed: Uint8Array;
}

export function listAllAccountData(
  sql: Sql,
  userId: string,
): Promise<AccountDataRow[]> {
  return sql<AccountDataRow[]>`
    select d.room_nid, r.room_id, d.type, d.key_id, d.sealed
    from account_data d left join rooms r on r.room_nid = d.room_nid
    where d.user_id = ${userId} and d.sealed is not null
      and (d.room_nid = 0 or r.room_nid is not null)
    order by d.room_nid, d.type`;
}
