import type { Sql } from "../../../src/storage/database.ts";

/** Of these tables, what a refused request must not change; the rest is told of any. */
const ONLY: Readonly<Record<string, { key: string; where: string }>> = {
  // Any request is remembered as when its device was last seen.
  devices: { key: "user_id || ' ' || device_id", where: "true" },
  // And as when its user was; the first one makes the row.
  user_activity: { key: "user_id", where: "false" },
  // A write that lost leaves its batch's id, which has no position in the stream, and so
  // does the record of a refusal.
  batches: { key: "ctid::text || xmin", where: "last_position is not null" },
};
const ALL = { key: "ctid::text || xmin", where: "true" };

/**
 * Where every row of every table stands and which transaction wrote it: any
 * insert, update and delete that was committed makes another one.
 */
export async function fingerprintOf(
  sql: Sql,
  without: readonly string[],
): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class join pg_namespace n on n.oid = relnamespace
    where relkind in ('r', 'p') and nspname = current_schema() and relname <> all(${[...without]})
    order by relname`;
  const prints = tables.map(({ name }) => {
    const { key, where } = ONLY[name] ?? ALL;
    return sql`
      select ${name}::text as name, count(*) || ' ' ||
        coalesce(bit_xor(hashtextextended(${sql.unsafe(key)}, 0)), 0) as print
      from ${sql(name)} where ${sql.unsafe(where)}`;
  });
  const [first, ...others] = prints;
  if (!first) throw new TypeError("There are no tables.");
  const all = others.reduce(
    (query, next) => sql`${query} union all ${next}`,
    first,
  );
  const rows = await sql<{ name: string; print: string }[]>`${all}`;
  return Object.fromEntries(rows.map(({ name, print }) => [name, print]));
}

/** The tables that differ. */
export const changedTables = (
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] =>
  Object.keys(after).filter((name) => before[name] !== after[name]);
