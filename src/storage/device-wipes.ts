import { countedPage } from "./counted-page.ts";
import type { Sql } from "./database.ts";

export interface WipeRow {
  wipeId: string;
  userId: string;
  deviceId: string;
  orderedBy: string;
  orderedTs: number;
  /** When the device was refused for the first time, and so was told. */
  toldTs: number | null;
}

/** A page of the wipes of a user's devices, and how many there are in all. */
export async function listWipes(
  sql: Sql,
  userId: string,
  page: { offset: number; limit: number; isDescending: boolean },
): Promise<{ wipes: WipeRow[]; total: number }> {
  const order = page.isDescending ? sql`desc` : sql`asc`;
  const { rows: wipes, total } = await countedPage(
    page,
    (at) => sql<(WipeRow & { total: number })[]>`
    select wipe_id, user_id, device_id, ordered_by, ordered_ts, told_ts, count(*) over () as total
    from device_wipes where user_id = ${userId}
    order by ordered_ts ${order}, wipe_id ${order} limit ${at.limit} offset ${at.offset}`,
  );
  return { wipes, total };
}

export type TokenOfWipe = Pick<
  WipeRow,
  "wipeId" | "userId" | "deviceId" | "toldTs"
> & { tokenHash: Buffer };

/** Of which wipes these tokens are, by their hashes. */
export async function listTokensOfWipes(
  sql: Sql,
  tokenHashes: readonly Buffer[],
): Promise<TokenOfWipe[]> {
  const hashes = tokenHashes.map((hash) => `\\x${hash.toString("hex")}`);
  return sql<TokenOfWipe[]>`
    select t.token_hash, w.wipe_id, w.user_id, w.device_id, w.told_ts
    from wiped_tokens t join device_wipes w on w.wipe_id = t.wipe_id
    where t.token_hash = any(${hashes}::text[]::bytea[])`;
}

/** The next wipes of so long ago go, with the tokens that were known by them. */
export async function forgetWipes(
  sql: Sql,
  keptMs: number,
  limit: number,
): Promise<number> {
  const { count } = await sql`
    delete from device_wipes where wipe_id = any(array(
      select wipe_id from device_wipes where ordered_ts < database_ms() - ${keptMs}::bigint
      order by ordered_ts limit ${limit}))`;
  return count;
}
