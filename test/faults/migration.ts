import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import postgres from "postgres";
import { openDatabase, type Sql } from "../../src/storage/database.ts";
import {
  findMigrationsFolder,
  listMigrations,
  migrate,
} from "../../src/storage/migrate.ts";
import { describeSchema } from "../../spec/support/describe-schema.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { FaultServer } from "./server.ts";
import { splitStatements } from "./split-statements.ts";

export const migration: ProofCase = {
  name: "migration",
  unit: "statement of a migration after which the process is killed",
  fullUnits: 100,
  unitsPerRun: 100,
  run: runMigration,
};

const quiet = { debug: () => undefined };

/** Each statement of each migration is once the last one before the kill. */
async function runMigration({ units, isFull }: RunOptions): Promise<Outcome> {
  const server = new FaultServer({ processes: 1 });
  await server.start();
  const admin = postgres(server.databaseUrl("postgres"), {
    max: 1,
    onnotice: () => undefined,
  });
  const faults: string[] = [];
  let done = 0;
  try {
    const wanted = await describeWhole(server, admin, "whole", async (sql) => {
      await migrate(sql, () => 1);
    });
    const all = await listMigrations(findMigrationsFolder());
    const places = all.flatMap(({ version, text }) =>
      splitStatements(text).map((_, i) => ({ version, statement: i + 1 })),
    );
    const step = isFull ? 1 : Math.max(1, Math.floor(places.length / units));
    for (const place of places.filter((_, i) => i % step === 0)) {
      const name = `killed_${place.version}_${place.statement}`;
      const found = await describeWhole(
        server,
        admin,
        name,
        async (sql, url) => {
          await killAfter(url, place.version, place.statement);
          await migrate(sql, () => 1);
        },
      );
      done += 1;
      if (found !== wanted)
        faults.push(
          `after statement ${place.statement} of migration ${place.version}`,
        );
    }
    return {
      counts: { kills: done, statements: places.length },
      claims: { "a second run makes the very same schema": tell(faults) },
    };
  } finally {
    await admin.end({ timeout: 1 });
    await server.remove();
  }
}

async function describeWhole(
  server: FaultServer,
  admin: postgres.Sql,
  name: string,
  fill: (sql: Sql, url: string) => Promise<void>,
): Promise<string> {
  await admin`create database ${admin(name)} template template0`;
  // A session notices soon that its process is gone.
  await admin`alter database ${admin(name)} set client_connection_check_interval = 50`;
  const url = new URL(server.databaseUrl("postgres"));
  url.pathname = `/${name}`;
  const sql = openDatabase(url.href, { poolSize: 1, log: quiet });
  try {
    await fill(sql, url.href);
    return await describeSchema(sql);
  } finally {
    await sql.end({ timeout: 1 });
    await admin`drop database ${admin(name)} with (force)`;
  }
}

/** Another process migrates, stands still after that statement, and is killed there. */
async function killAfter(
  url: string,
  version: number,
  statement: number,
): Promise<void> {
  const script = join(import.meta.dirname, "migrating.js");
  const args = [url, String(version), String(statement)];
  const child: ChildProcess = fork(script, args, { stdio: "inherit" });
  await once(child, "message");
  child.kill("SIGKILL");
  await once(child, "exit");
}
