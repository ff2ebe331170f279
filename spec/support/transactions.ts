import type { Sql } from "../../src/storage/database.ts";

/** Tables that are written by whoever watches, or hold nothing of the data. */
const LEFT_OUT = ["seen_transactions", "schema_migrations", "batches"];

/** Counts the rows that each transaction from now on inserts, changes and deletes. */
export async function watchTransactions(
  sql: Sql,
): Promise<{ largest(): Promise<number> }> {
  await sql`create unlogged table if not exists seen_transactions (tx text, changed bigint)`;
  await sql`truncate seen_transactions`;
  await sql`
    create or replace function note_changes() returns trigger language plpgsql as $$
    begin
      insert into seen_transactions select pg_current_xact_id()::text, count(*) from changed;
      return null;
    end $$`;
  const tables = await sql<{ name: string }[]>`
    select tablename as name from pg_tables
    where schemaname = 'public' and tablename <> all(${LEFT_OUT}::text[])`;
  for (const { name } of tables)
    for (const [event, rows] of [
      ["insert", "new"],
      ["update", "new"],
      ["delete", "old"],
    ] as const)
      await sql.unsafe(`
        create or replace trigger note_${event} after ${event} on ${name}
        referencing ${rows} table as changed for each statement execute function note_changes()`);
  return {
    async largest() {
      const [row] = await sql<{ most: number | null }[]>`
        select max(changed)::bigint as most from (
          select sum(changed) as changed from seen_transactions group by tx) each`;
      return row!.most ?? 0;
    },
  };
}
