import type { Sql } from "./database.ts";

/** The next users of this server who are in a room, or asked into it, whom a task has not dealt with yet. */
export async function listLocalMembers(
  sql: Sql,
  roomNid: number,
  jobId: string,
  limit: number,
): Promise<string[]> {
  const rows = await sql<{ userId: string }[]>`
    select m.user_id from memberships m join users u on u.user_id = m.user_id
    where m.room_nid = ${roomNid} and m.membership in ('join', 'invite', 'knock')
      and not exists (select from admin_job_items i where i.job_id = ${jobId} and i.item = m.user_id)
    order by m.user_id limit ${limit}`;
  return rows.map(({ userId }) => userId);
}

/** Whether a user of this server is still joined to a room. */
export async function hasLocalMember(
  sql: Sql,
  roomNid: number,
): Promise<boolean> {
  const [row] = await sql`
    select from memberships m join users u on u.user_id = m.user_id
    where m.room_nid = ${roomNid} and m.membership = 'join' limit 1`;
  return row !== undefined;
}

/** A page of who is joined to a room, and how many there are in all. */
export async function listJoinedMembers(
  sql: Sql,
  roomNid: number,
  page: { offset: number; limit: number; isDescending: boolean },
): Promise<{ members: string[]; total: number }> {
  const { offset, limit, isDescending } = page;
  const direction = isDescending ? sql`desc` : sql`asc`;
  const rows = await sql<{ userId: string }[]>`
    select user_id from memberships where room_nid = ${roomNid} and membership = 'join'
    order by user_id ${direction} limit ${limit} offset ${offset}`;
  const [counted] = await sql<{ total: number }[]>`
    select count(*)::int as total from memberships where room_nid = ${roomNid} and membership = 'join'`;
  return { members: rows.map(({ userId }) => userId), total: counted!.total };
}
