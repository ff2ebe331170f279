import type { Sql } from "./database.ts";
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
