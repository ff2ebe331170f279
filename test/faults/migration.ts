import { fork, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
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
  async subject() {
    const all = await listMigrations(findMigrationsFolder());
    const hash = createHash("sha256");
    for (const one of all) hash.update(one.hash);
    return hash.digest("hex").slice(0, 16);
  },
  run: runMigration,
};

const quiet = { debug: () => undefined };

/** Each place has databases of its own: so many at a time. */
const LANES = 4;

interface Place {
  version: number;
  statement: number;
}

/** Each statement of each migration is once the last one before the kill. */
async function runMigration({ units, isFull }: RunOptions): Promise<Outcome> {
  const server = new FaultServer({ processes: 1 });
  await server.start();
  const admin = postgres(server.databaseUrl("postgres"), {
    max: LANES,
    onnotice: () => undefined,
  });
  const faults: string[] = [];
  let done = 0;
  try {
    const all = await listMigrations(findMigrationsFolder());
    const places = all.flatMap(({ version, text }) =>
      splitStatements(text).map((_, i) => ({ version, statement: i + 1 })),
    );
    const step = isFull ? 1 : Math.max(1, Math.floor(places.length / units));
    const left = places.filter((_, i) => i % step === 0);
    let template = "template0";
    for (const version of new Set(left.map((place) => place.version))) {
      await create(server, admin, before(version), {
        template,
        async fill(sql) {
          await migrate(sql, () => 1, all.slice(0, version - 1));
        },
      });
      template = before(version);
    }
    const wanted = await describeWhole(
      ...([server, admin, "whole", "template0"] as const),
      async (sql) => {
        await migrate(sql, () => 1);
      },
    );
    const killAll = async () => {
      for (let place = left.shift(); place; place = left.shift()) {
        const found = await migrateKilled(server, admin, place);
        done += 1;
        if (found !== wanted)
          faults.push(
            `after statement ${place.statement} of migration ${place.version}`,
          );
      }
    };
    await Promise.all(Array.from({ length: LANES }, killAll));
    return {
      counts: { kills: done, statements: places.length },
      claims: { "a second run makes the very same schema": tell(faults) },
    };
  } finally {
    await admin.end({ timeout: 1 });
    await server.remove();
  }
}

/** The database that a migration finds. */
const before = (version: number): string => `before_${version}`;

const migrateKilled = (
  server: FaultServer,
  admin: postgres.Sql,
  { version, statement }: Place,
): Promise<string> =>
  describeWhole(
    ...([server, admin, `killed_${version}_${statement}`] as const),
    before(version),
    async (sql, url) => {
      await killAfter(url, version, statement);
      await migrate(sql, () => 1);
    },
  );

async function describeWhole(
  server: FaultServer,
  admin: postgres.Sql,
  name: string,
  template: string,
  fill: (sql: Sql, url: string) => Promise<void>,
): Promise<string> {
  let described = "";
  await create(server, admin, name, {
    template,
    async fill(sql, url) {
      await fill(sql, url);
      described = await describeSchema(sql);
    },
  });
  await admin`drop database ${admin(name)} with (force)`;
  return described;
}

interface Filling {
  template: string;
  fill(sql: Sql, url: string): Promise<void>;
}

async function create(
  server: FaultServer,
  admin: postgres.Sql,
  name: string,
  { template, fill }: Filling,
): Promise<void> {
  await admin`create database ${admin(name)} template ${admin(template)}`;
  // A session notices soon that its process is gone.
  await admin`alter database ${admin(name)} set client_connection_check_interval = 50`;
  const url = new URL(server.databaseUrl("postgres"));
  url.pathname = `/${name}`;
  const sql = openDatabase(url.href, { poolSize: 1, log: quiet });
  try {
    await fill(sql, url.href);
  } finally {
    await sql.end({ timeout: 1 });
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
