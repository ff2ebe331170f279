import type { SeenBatch } from "./bus-message.ts";
import type { Sql } from "./database.ts";

/** The batches after a position, in the order of the stream. */
export async function listBatchesAfter(
  sql: Sql,
  position: number,
  limit: number,
): Promise<SeenBatch[]> {
  return sql<{ to: number; rooms: number[]; users: string[] }[]>`
    select last_position as to, room_nids as rooms, user_ids as users from batches
    where last_position > ${position} order by last_position limit ${limit}`;
}

/** The head of the stream. */
export async function getHead(sql: Sql): Promise<number> {
  const [head] = await sql<{ position: number }[]>`
    select coalesce(max(last_position), 0) as position from batches`;
  return head!.position;
}

/** The last mark of typing and presence; it and all below it have been committed. */
export async function getLastMark(sql: Sql): Promise<number> {
  const [row] = await sql<{ mark: number }[]>`
    select last_ephemeral_mark() as mark`;
  return row!.mark;
}

/** Rooms where somebody typed after a mark. */
export async function listTypingAfter(
  sql: Sql,
  mark: number,
): Promise<{ roomNid: number; mark: number }[]> {
  return sql<{ roomNid: number; mark: number }[]>`
    select room_nid, mark from typing where mark > ${mark}`;
}

/** Those of the tokens that are no longer there, or whose session was ended. */
export async function listMissingTokens(
  sql: Sql,
  tokenIds: readonly number[],
): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from unnest(${tokenIds as number[]}::bigint[]) as id
    where not exists (select from access_tokens where token_id = id and expires_ts is distinct from 0)`;
  return rows.map((row) => row.id);
}
