import type { Sql } from "../../src/storage/database.ts";

export interface ColumnRow {
  table: string;
  column: string;
  type: string;
  notNull: boolean;
  isC: boolean;
  default: string | null;
  class: string | null;
}

/** Every column of every table, in the tables' order of columns. */
export async function listColumns(sql: Sql): Promise<ColumnRow[]> {
  return sql<ColumnRow[]>`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
      a.attnotnull as not_null, coalesce(l.collname = 'C', false) as is_c,
      pg_get_expr(d.adbin, d.adrelid) as default, col_description(c.oid, a.attnum) as class
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    left join pg_collation l on l.oid = a.attcollation
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    order by c.relname, a.attnum`;
}

/** The whole schema as text that is the same for the same schema. */
export async function describeSchema(sql: Sql): Promise<string> {
  const columns = await listColumns(sql);
  const tables = await sql<{ name: string; isUnlogged: boolean }[]>`
    select relname as name, relpersistence = 'u' as is_unlogged from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') order by relname`;
  const details = await listDetails(sql);
  const parts = [
    "-- What the migrations make. Written by `npm run db:dump`; never edited.",
    ...(await listSequences(sql)),
    ...(await listTypes(sql)),
    ...tables.map(({ name, isUnlogged }) =>
      [
        `create ${isUnlogged ? "unlogged " : ""}table ${name} (`,
        columns
          .filter(({ table }) => table === name)
          .map((column, i, { length }) =>
            describeColumn(column, i + 1 < length),
          )
          .join("\n"),
        ");",
        ...details.filter((d) => d.table === name).map((d) => `${d.text};`),
      ].join("\n"),
    ),
    ...(await listFunctions(sql)),
  ];
  return `${parts.join("\n\n")}\n`;
}

function describeColumn(column: ColumnRow, hasNext: boolean): string {
  const words = [column.column, column.type];
  if (column.isC) words.push('collate "C"');
  if (column.notNull) words.push("not null");
  if (column.default !== null) words.push(`default ${column.default}`);
  return `  ${words.join(" ")}${hasNext ? "," : ""} -- ${column.class ?? "no class"}`;
}

async function listDetails(
  sql: Sql,
): Promise<{ table: string; text: string }[]> {
  // Since version 18 "not null" is a constraint too; the columns show it.
  return sql<{ table: string; text: string }[]>`
    select * from (select r.relname as table,
      'alter table ' || r.relname || ' add constraint ' || conname || ' ' || pg_get_constraintdef(c.oid) as text
    from pg_constraint c join pg_class r on r.oid = c.conrelid
    where c.connamespace = 'public'::regnamespace and contype <> 'n'
    union all
    select r.relname, pg_get_indexdef(i.indexrelid)
    from pg_index i join pg_class r on r.oid = i.indrelid
    where r.relnamespace = 'public'::regnamespace
      and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x'))
    ) d order by d.table, d.text collate "C"`;
}

async function listSequences(sql: Sql): Promise<string[]> {
  const rows = await sql<{ text: string }[]>`
    select format('create sequence %I as %s increment by %s minvalue %s maxvalue %s start with %s;',
      sequencename, data_type, increment_by, min_value, max_value, start_value) as text
    from pg_sequences where schemaname = 'public' order by sequencename`;
  return rows.map(({ text }) => text);
}

/** Those that are made of members; each table has one of its own besides. */
async function listTypes(sql: Sql): Promise<string[]> {
  const rows = await sql<{ text: string }[]>`
    select format('create type %I as (%s);', c.relname, string_agg(
      a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || case when l.collname = 'C' then ' collate "C"' else '' end, ', ' order by a.attnum)) as text
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_collation l on l.oid = a.attcollation
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'c'
    group by c.relname order by c.relname`;
  return rows.map(({ text }) => text);
}

async function listFunctions(sql: Sql): Promise<string[]> {
  const rows = await sql<{ text: string }[]>`
    select pg_get_functiondef(oid) || ';' as text from pg_proc
    where pronamespace = 'public'::regnamespace order by proname, oid`;
  return rows.map(({ text }) => text);
}
