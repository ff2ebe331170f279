import type { Sql } from "./database.ts";
import type { Sealed } from "./write.ts";
import { escapeText } from "./json-text.ts";

export interface StoredAccountData {
  keyId: number;
  sealed: Uint8Array | null;
  position: number;
}

export async function findAccountData(
  sql: Sql,
  userId: string,
  roomNid: number,
  type: string,
): Promise<StoredAccountData | undefined> {
  const [row] = await sql<StoredAccountData[]>`
    select key_id, sealed, position from account_data
    where user_id = ${userId} and room_nid = ${roomNid} and type = ${escapeText(type)}`;
  return row;
}

/** Which of these types have content, in the form in which they were asked for. */
export async function listAccountDataTypes(
  sql: Sql,
  userId: string,
  roomNid: number,
  types: readonly string[],
): Promise<string[]> {
  if (types.length === 0) return [];
  const escaped = new Map(types.map((type) => [escapeText(type), type]));
  const rows = await sql<{ type: string }[]>`
    select type from account_data
    where user_id = ${userId} and room_nid = ${roomNid} and sealed is not null
      and type = any(${[...escaped.keys()]}::text[])`;
  return rows.map(({ type }) => escaped.get(type)!);
}

/** How many bytes a user's account data hold, those too that were deleted and only have a name. */
export async function sumAccountData(
  sql: Sql,
  userId: string,
): Promise<number> {
  const [row] = await sql<{ bytes: number }[]>`
    select coalesce(sum(octet_length(type) + coalesce(octet_length(sealed), 0)), 0)::bigint as bytes
    from account_data where user_id = ${userId}`;
  return row!.bytes;
}

/** One type of global account data of many users; the type has nothing to escape. */
export async function listAccountDataOfType(
  sql: Sql,
  userIds: readonly string[],
  type: string,
): Promise<({ userId: string } & Sealed)[]> {
  if (userIds.length === 0) return [];
  return sql<({ userId: string } & Sealed)[]>`
    select user_id, key_id, sealed from account_data
    where user_id = any(${userIds as string[]}::text[]) and room_nid = 0 and type = ${type}
      and sealed is not null`;
}

export interface StandingAccountData extends StoredAccountData {
  userId: string;
  type: string;
}

/** Some types of global account data of many users, deleted ones too; nothing in the types to escape. */
export async function listStandingAccountData(
  sql: Sql,
  userIds: readonly string[],
  types: readonly string[],
): Promise<StandingAccountData[]> {
  if (userIds.length === 0) return [];
  return sql<StandingAccountData[]>`
    select user_id, type, key_id, sealed, position from account_data
    where user_id = any(${userIds as string[]}::text[]) and room_nid = 0
      and type = any(${types as string[]}::text[])`;
}

/** One type of a user's account data in all rooms; the type has nothing to escape. */
export async function listAccountDataOfRooms(
  sql: Sql,
  userId: string,
  type: string,
): Promise<({ roomNid: number } & Sealed)[]> {
  return sql<({ roomNid: number } & Sealed)[]>`
    select room_nid, key_id, sealed from account_data
    where user_id = ${userId} and room_nid <> 0 and type = ${type} and sealed is not null`;
}
