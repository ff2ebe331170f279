// A process that migrates and stands still after one statement of one migration.
import { setTimeout as pause } from "node:timers/promises";
import { openDatabase } from "../../src/storage/database.ts";
import {
  findMigrationsFolder,
  listMigrations,
  migrate,
} from "../../src/storage/migrate.ts";
import { splitStatements } from "./split-statements.ts";

const [url = "", version = "", statement = ""] = process.argv.slice(2);
const quiet = { debug: () => undefined };
const sql = openDatabase(url, { poolSize: 1, log: quiet });
const watcher = openDatabase(url, { poolSize: 1, log: quiet });
const all = await listMigrations(findMigrationsFolder());
const cut = all.map((one) => {
  if (one.version !== Number(version)) return one;
  const statements = splitStatements(one.text);
  statements.splice(Number(statement), 0, "select pg_sleep(600)");
  return { ...one, text: statements.join(";\n") };
});
migrate(sql, () => 1, cut).catch(() => undefined);
for (;;) {
  const [row] = await watcher<{ count: number }[]>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and wait_event = 'PgSleep'`;
  if (row!.count > 0) break;
  await pause(5);
}
process.send?.("there");
