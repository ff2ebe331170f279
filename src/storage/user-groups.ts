import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";

export interface GroupRow {
  groupId: string;
  description: string;
  createdBy: string;
  createdTs: number;
  members: number;
}

export interface Page {
  limit: number;
  offset: number;
  isDescending: boolean;
}

/** A page of the groups, and how many there are in all. */
export async function listGroups(
  sql: Sql,
  { limit, offset, isDescending }: Page,
): Promise<{ groups: GroupRow[]; total: number }> {
  const direction = isDescending ? sql`desc` : sql`asc`;
  const { rows: groups, total } = await countedPage(
    { limit, offset },
    (at) => sql<(GroupRow & { total: number })[]>`
    select group_id, description, created_by, created_ts, count(*) over () as total,
      (select count(*) from user_group_members m where m.group_id = g.group_id) as members
    from user_groups g order by group_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { groups, total };
}

export async function hasGroup(sql: Sql, groupId: string): Promise<boolean> {
  const rows = await sql`select from user_groups where group_id = ${groupId}`;
  return rows.length > 0;
}

/** Which of these groups there are. */
export async function listKnownGroups(
  sql: Sql,
  groupIds: readonly string[],
): Promise<string[]> {
  if (groupIds.length === 0) return [];
  const rows = await sql<{ groupId: string }[]>`
    select group_id from user_groups where group_id = any(${groupIds as string[]}::text[])`;
  return rows.map(({ groupId }) => groupId);
}

export interface GroupMemberRow {
  userId: string;
  addedBy: string;
  addedTs: number;
}

/** A page of a group's members, and how many there are in all. */
export async function listGroupMembers(
  sql: Sql,
  groupId: string,
  { limit, offset, isDescending }: Page,
): Promise<{ members: GroupMemberRow[]; total: number }> {
  const direction = isDescending ? sql`desc` : sql`asc`;
  const { rows: members, total } = await countedPage(
    { limit, offset },
    (at) => sql<(GroupMemberRow & { total: number })[]>`
    select user_id, added_by, added_ts, count(*) over () as total
    from user_group_members where group_id = ${groupId}
    order by user_id ${direction} limit ${at.limit} offset ${at.offset}`,
  );
  return { members, total };
}

export async function isGroupMember(
  sql: Sql,
  groupId: string,
  userId: string,
): Promise<boolean> {
  const rows = await sql`
    select from user_group_members where group_id = ${groupId} and user_id = ${userId}`;
  return rows.length > 0;
}
