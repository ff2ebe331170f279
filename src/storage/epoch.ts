import type { Sql } from "./database.ts";

/** The stream's epoch: raised when the database was restored from a backup. */
export async function readEpoch(sql: Sql): Promise<number> {
  const [row] = await sql<{ value: string }[]>`
    select value from server_settings where name = 'stream_epoch'`;
  return row ? Number(row.value) : 1;
}
