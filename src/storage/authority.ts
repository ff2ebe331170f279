import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";
import type { ScopeKind } from "./write.ts";

/** What a change of who may do what is decided on, with the database's time. */
export interface AuthorityRow {
  version: number;
  isSealed: boolean;
  nowTs: number;
}

export async function readAuthority(sql: Sql): Promise<AuthorityRow> {
  const [row] = await sql<AuthorityRow[]>`
    select version, sealed_ts is not null as is_sealed, database_ms() as now_ts from authority`;
  return row!;
}

/** A role that somebody holds at this moment, and whether its scope holds what is asked for. */
export interface PowerRow {
  bindingId: number;
  userId: string;
  roleId: string;
  /** Of a custom role; null for a built-in one. */
  permissions: string[] | null;
  scopeKind: ScopeKind;
  scopeId: string;
  expiresTs: number | null;
  /** Of the user, for groups and user sets; of the room itself, for rooms and spaces. */
  isWithin: boolean;
}

/** All that these users hold, in one statement. */
export function listPowers(
  sql: Sql,
  userIds: readonly string[],
  { userId = "", roomId = "" }: { userId?: string; roomId?: string } = {},
): Promise<PowerRow[]> {
  return sql<PowerRow[]>`
    select b.binding_id, b.user_id, b.role_id, c.permissions, b.scope_kind, b.scope_id, b.expires_ts,
      case b.scope_kind
        when 'server' then true
        when 'group' then exists (
          select from user_group_members m where m.group_id = b.scope_id and m.user_id = ${userId})
        when 'users' then exists (
          select from binding_users u where u.binding_id = b.binding_id and u.user_id = ${userId})
        else b.scope_id = ${roomId} end as is_within
    from role_bindings b left join custom_roles c on c.role_id = b.role_id
    where b.user_id = any(${userIds as string[]}::text[])
      and (b.expires_ts is null or b.expires_ts > database_ms())
    order by b.binding_id`;
}

/** A room that names a space as its parent, and is named as that one's child. */
export interface SpaceLinkRow {
  roomId: string;
  spaceId: string;
  /** The two events that say so. */
  parentNid: number;
  childNid: number;
}

const MOST_LEVELS = 8;
const MOST_LINKS = 1000;

/** Upwards from rooms, what both sides say of each other. */
export function listSpaceLinks(
  sql: Sql,
  roomIds: readonly string[],
): Promise<SpaceLinkRow[]> {
  return sql<SpaceLinkRow[]>`
    with recursive links(room_id, space_id, space_nid, parent_nid, child_nid, level) as (
      select r.room_id, s.room_id, s.room_nid, p.nid, c.nid, 1
      from rooms r
      join current_state p on p.room_nid = r.room_nid and p.type = 'm.space.parent'
      join rooms s on s.room_id = p.state_key
      join current_state c on c.room_nid = s.room_nid and c.type = 'm.space.child' and c.state_key = r.room_id
      where r.room_id = any(${roomIds as string[]}::text[])
      union
      select r.room_id, s.room_id, s.room_nid, p.nid, c.nid, links.level + 1
      from links join rooms r on r.room_nid = links.space_nid
      join current_state p on p.room_nid = r.room_nid and p.type = 'm.space.parent'
      join rooms s on s.room_id = p.state_key
      join current_state c on c.room_nid = s.room_nid and c.type = 'm.space.child' and c.state_key = r.room_id
      where links.level < ${MOST_LEVELS}
    )
    select room_id, space_id, parent_nid, child_nid from links
    limit ${MOST_LINKS * roomIds.length}`;
}

export interface CustomRoleRow {
  roleId: string;
  description: string;
  permissions: string[];
  side: "shared" | "operations" | "security" | "audit";
  createdBy: string;
  changedTs: number;
}

export function listCustomRoles(sql: Sql): Promise<CustomRoleRow[]> {
  return sql<CustomRoleRow[]>`
    select role_id, description, permissions, side, created_by, changed_ts
    from custom_roles order by role_id limit 1000`;
}

export async function findCustomRole(
  sql: Sql,
  roleId: string,
): Promise<CustomRoleRow | undefined> {
  const [row] = await sql<CustomRoleRow[]>`
    select role_id, description, permissions, side, created_by, changed_ts
    from custom_roles where role_id = ${roleId}`;
  return row;
}

/** Who holds a role at this moment. */
export async function listHolders(sql: Sql, roleId: string): Promise<string[]> {
  const rows = await listHoldersOf(sql, [roleId]);
  return rows.map(({ userId }) => userId);
}

/** Who holds which of these roles at this moment. */
export function listHoldersOf(
  sql: Sql,
  roleIds: readonly string[],
): Promise<{ roleId: string; userId: string }[]> {
  return sql<{ roleId: string; userId: string }[]>`
    select distinct role_id, user_id from role_bindings
    where role_id = any(${roleIds as string[]}::text[]) and (expires_ts is null or expires_ts > database_ms())`;
}

/** Who holds a role for the whole server and without an end. */
export async function listLastingHolders(
  sql: Sql,
  roleId: string,
): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select distinct b.user_id from role_bindings b join users u on u.user_id = b.user_id and not u.is_ending
    where b.role_id = ${roleId} and b.scope_kind = 'server' and b.expires_ts is null`;
  return rows.map(({ userId }) => userId);
}

export interface BindingRow {
  bindingId: number;
  userId: string;
  roleId: string;
  scopeKind: ScopeKind;
  scopeId: string;
  users: string[];
  expiresTs: number | null;
  reason: string;
  grantedBy: string;
  grantedTs: number;
  isExpired: boolean;
}

export interface BindingSearch {
  userId: string | null;
  roleId: string | null;
  scopeKind: string | null;
  scopeId: string | null;
  orderBy: "granted_ts" | "expires_ts" | "user_id" | "role_id";
  isDescending: boolean;
  limit: number;
  offset: number;
}

/** A page of the bindings, expired ones too, and how many there are in all. */
export async function listBindings(
  sql: Sql,
  search: BindingSearch,
): Promise<{ bindings: BindingRow[]; total: number }> {
  const { userId, roleId, scopeKind, scopeId, limit, offset } = search;
  const order = sql(search.orderBy);
  const direction = search.isDescending ? sql`desc` : sql`asc`;
  const { rows: bindings, total } = await countedPage(
    { limit, offset },
    (at) => sql<(BindingRow & { total: number })[]>`
    select binding_id, user_id, role_id, scope_kind, scope_id, expires_ts, reason, granted_by, granted_ts,
      coalesce(expires_ts <= database_ms(), false) as is_expired,
      array(select u.user_id from binding_users u where u.binding_id = b.binding_id order by 1) as users,
      count(*) over () as total
    from role_bindings b
    where (${userId}::text is null or user_id = ${userId})
      and (${roleId}::text is null or role_id = ${roleId})
      and (${scopeKind}::text is null or scope_kind = ${scopeKind})
      and (${scopeId}::text is null or scope_id = ${scopeId})
    order by ${order} ${direction}, binding_id ${direction}
    limit ${at.limit} offset ${at.offset}`,
  );
  return { bindings, total };
}

export async function findBinding(
  sql: Sql,
  bindingId: number,
): Promise<Omit<BindingRow, "users" | "isExpired"> | undefined> {
  const [row] = await sql<Omit<BindingRow, "users" | "isExpired">[]>`
    select binding_id, user_id, role_id, scope_kind, scope_id, expires_ts, reason, granted_by, granted_ts
    from role_bindings where binding_id = ${bindingId}`;
  return row;
}
