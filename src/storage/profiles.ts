import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";

export type ProfileFieldRow = { name: string } & Sealed;

/** Stands in a profile for the field that was removed last: no field has this name. */
export const REMOVED = "";

/** The position of the last change of a user's profile; 0 where there was none. */
export async function findProfilePosition(
  sql: Sql,
  userId: string,
): Promise<number> {
  const [row] = await sql<{ position: number }[]>`
    select coalesce(max(position), 0) as position from profile_fields where user_id = ${userId}`;
  return row!.position;
}

/** A user's profile fields, the named ones where names are given. */
export async function listProfileFields(
  sql: Sql,
  userId: string,
  names?: readonly string[],
): Promise<ProfileFieldRow[]> {
  return sql<ProfileFieldRow[]>`
    select name, key_id, sealed from profile_fields
    where user_id = ${userId} and name <> ${REMOVED} ${names ? sql`and name = any(${names as string[]}::text[])` : sql``}
    order by name`;
}

/** The named profile fields of many users. */
export async function listProfilesOf(
  sql: Sql,
  userIds: readonly string[],
  names: readonly string[],
): Promise<({ userId: string } & ProfileFieldRow)[]> {
  if (userIds.length === 0) return [];
  return sql<({ userId: string } & ProfileFieldRow)[]>`
    select user_id, name, key_id, sealed from profile_fields
    where user_id = any(${userIds as string[]}::text[]) and name = any(${names as string[]}::text[])`;
}
