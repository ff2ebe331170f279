import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Sql, TransactionSql } from "./database.ts";
import { UnfitDatabaseError } from "./unfit-database.ts";

export interface Migration {
  version: number;
  name: string;
  text: string;
  /** SHA-256 of the text, in hex. */
  hash: string;
}

/** The folder of the numbered migrations, found upwards from this file. */
export function findMigrationsFolder(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const found = join(folder, "schema", "db");
    if (existsSync(found)) return found;
    if (folder === dirname(folder))
      throw new Error(
        "The folder schema/db is missing from this installation.",
      );
  }
}

/** Reads `NNNN-name.sql` in order; the numbers must be 1, 2, 3 … */
export async function listMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder))
    .filter((file) => /^\d{4}-.+\.sql$/.test(file))
    .sort();
  const migrations = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), "utf8");
      return {
        version: Number(file.slice(0, 4)),
        name: file.slice(5, -4),
        text,
        hash: createHash("sha256").update(text).digest("hex"),
      };
    }),
  );
  migrations.forEach(({ version, name }, i) => {
    if (version !== i + 1)
      throw new Error(`Migration ${version} (${name}) is out of order.`);
  });
  return migrations;
}

/**
 * Brings the schema up to date and returns the names of what was applied. Each
 * migration is one transaction, in which its row is inserted first; processes
 * that start at once wait for each other.
 */
export async function migrate(
  sql: Sql,
  now: () => number,
  migrations?: readonly Migration[],
): Promise<string[]> {
  const known = migrations ?? (await listMigrations(findMigrationsFolder()));
  const applied: string[] = [];
  for (;;) {
    const next = await sql.begin((tx) => applyNext(tx, known, now()));
    if (next === undefined) return applied;
    applied.push(next);
  }
}

async function applyNext(
  tx: TransactionSql,
  known: readonly Migration[],
  appliedTs: number,
): Promise<string | undefined> {
  await tx`
    select set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true),
      set_config('client_min_messages', 'warning', true)`;
  await tx`select pg_advisory_xact_lock(hashtext('myelin migrations'))`;
  await createLedger(tx);
  const rows = await tx<{ version: number; name: string; hash: string }[]>`
    select version, name, hash from schema_migrations order by version`;
  for (const row of rows) assertSame(known[row.version - 1], row);

  const next = known[rows.length];
  if (next === undefined) return undefined;
  await tx`
    insert into schema_migrations (version, name, hash, applied_ts)
    values (${next.version}, ${next.name}, ${next.hash}, ${appliedTs})`;
  await tx.unsafe(next.text);
  return next.name;
}

async function createLedger(tx: TransactionSql): Promise<void> {
  const [found] = await tx<{ exists: boolean }[]>`
    select to_regclass('schema_migrations') is not null as exists`;
  if (found?.exists) return;
  await tx`
    create table schema_migrations (
      version integer primary key,
      name text collate "C" not null,
      hash text collate "C" not null,
      applied_ts bigint not null
    )`;
  await tx`comment on column schema_migrations.version is 'number'`;
  await tx`comment on column schema_migrations.name is 'setting'`;
  await tx`comment on column schema_migrations.hash is 'hash'`;
  await tx`comment on column schema_migrations.applied_ts is 'time'`;
}

function assertSame(
  known: Migration | undefined,
  applied: { version: number; name: string; hash: string },
): void {
  if (known === undefined) {
    throw new UnfitDatabaseError(
      `The database is newer than this program: it has migration ${applied.version} (${applied.name}). Start the program that made it.`,
    );
  }
  if (known.hash !== applied.hash) {
    throw new UnfitDatabaseError(
      `Migration ${applied.version} (${applied.name}) was applied with another text than this program has. Start the program that made the database.`,
    );
  }
}
