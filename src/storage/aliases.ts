import type { Sql } from "./database.ts";

export interface AliasRow {
  alias: string;
  roomNid: number;
  creator: string;
}

export async function listAliases(
  sql: Sql,
  aliases: readonly string[],
): Promise<AliasRow[]> {
  if (aliases.length === 0) return [];
  return sql<AliasRow[]>`
    select alias, room_nid, creator from room_aliases
    where alias = any(${aliases as string[]}::text[])`;
}

export async function listAliasesOfRoom(
  sql: Sql,
  roomNid: number,
): Promise<AliasRow[]> {
  return sql<AliasRow[]>`
    select alias, room_nid, creator from room_aliases
    where room_nid = ${roomNid} order by alias`;
}
