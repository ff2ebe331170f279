import { spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPrivatePostgres } from "../../src/cli/private-postgres.ts";
import type { PrivatePostgres } from "../../src/cli/private-postgres.ts";
import type { Program } from "../../src/cli/program.ts";
import type { Log } from "../../src/edges.ts";
import type { Sql } from "../../src/storage/database.ts";
import { openDatabase } from "../../src/storage/database.ts";
import { migrate } from "../../src/storage/migrate.ts";

/** One PostgreSQL for the whole run, started by the first spec that needs it. */
let server: Promise<TestServer> | undefined;

interface TestServer {
  url(database: string): string;
  admin: Sql;
  stop(): Promise<void>;
}

export const quiet: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface TestDatabase {
  /** A pool of four connections. */
  readonly sql: Sql;
  readonly url: string;
  /** A pool of its own for another process; closed after the specs. */
  open(options?: { poolSize?: number; log?: Log }): Sql;
}

/**
 * A migrated, empty database for the enclosing `describe`, dropped after it.
 * Its members are there from the first `before` hook on.
 */
export function useDatabase(): TestDatabase {
  let database: { sql: Sql; url: string; drop(): Promise<void> } | undefined;
  const opened: Sql[] = [];
  const current = () => {
    if (!database)
      throw new TypeError("The database is there inside of hooks.");
    return database;
  };

  before("make a database", async () => {
    database = await cloneTemplate();
  });
  after("drop the database", async () => {
    await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })));
    await database?.drop();
  });

  return {
    get sql() {
      return current().sql;
    },
    get url() {
      return current().url;
    },
    open({ poolSize = 2, log = quiet } = {}) {
      const sql = openDatabase(current().url, { poolSize, log });
      opened.push(sql);
      return sql;
    },
  };
}

/** A database without tables, for specs of the migrations. */
export function useEmptyDatabase(): TestDatabase["open"] {
  const opened: Sql[] = [];
  const name = nextName();
  before(async () => {
    const { admin } = await getServer();
    await admin`create database ${admin(name)} template template0`;
  });
  after(async () => {
    await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })));
    const { admin } = await getServer();
    await admin`drop database ${admin(name)} with (force)`;
  });
  let url = "";
  before(async () => {
    url = (await getServer()).url(name);
  });
  return ({ poolSize = 2 } = {}) => {
    const sql = openDatabase(url, { poolSize, log: quiet });
    opened.push(sql);
    return sql;
  };
}

let count = 0;
const nextName = () => `spec_${(count += 1)}`;

const TEMPLATE = "spec_template";

async function cloneTemplate() {
  const { admin, url } = await getServer();
  const name = nextName();
  await admin`create database ${admin(name)} template ${admin(TEMPLATE)}`;
  const sql = openDatabase(url(name), { poolSize: 4, log: quiet });
  const drop = async () => {
    await sql.end({ timeout: 1 });
    await admin`drop database ${admin(name)} with (force)`;
  };
  return { sql, url: url(name), drop };
}

function getServer(): Promise<TestServer> {
  server ??= startServer();
  return server;
}

/** The migrated database that those of the specs are copies of. */
export async function openTemplate(): Promise<Sql> {
  const { url } = await getServer();
  return openDatabase(url(TEMPLATE), { poolSize: 1, log: quiet });
}

/** Called once, when all specs have run. */
export async function stopServer(): Promise<void> {
  const running = await server?.catch(() => undefined);
  await running?.stop();
}

async function startServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "myelin-spec-"));
  await chmod(folder, 0o711);
  const sweeper = startSweeper(folder);
  const running = await startPrivatePostgres(
    specProgram(folder),
    folder,
    quiet,
  );
  const url = urlMaker(running);
  const admin = openDatabase(running.adminUrl, { poolSize: 1, log: quiet });
  const stop = async () => {
    await admin.end({ timeout: 1 });
    await running.stop();
    sweeper.stdin.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await makeTemplate(admin, url(TEMPLATE));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, admin, stop };
}

async function makeTemplate(admin: Sql, url: string): Promise<void> {
  await admin`create database ${admin(TEMPLATE)} template template0`;
  const template = openDatabase(url, { poolSize: 1, log: quiet });
  try {
    await migrate(template, () => 0);
  } finally {
    await template.end({ timeout: 1 });
  }
}

function urlMaker({ adminUrl }: PrivatePostgres) {
  return (database: string) => {
    const url = new URL(adminUrl);
    url.pathname = `/${database}`;
    return url.href;
  };
}

/** Ends PostgreSQL and removes its folder even if this process is killed. */
function startSweeper(folder: string) {
  const script = `cat >/dev/null
    read -r pid < "$0/postgres/postmaster.pid" && kill -QUIT "$pid" && sleep 1
    rm -rf "$0"`;
  const sweeper = spawn("sh", ["-c", script, folder], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  sweeper.unref();
  return sweeper;
}

function specProgram(folder: string): Program {
  return {
    arguments: [],
    environment: process.env,
    folder,
    pid: process.pid,
    uid: process.getuid?.(),
    platform: process.platform,
    architecture: process.arch,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    onStop: () => undefined,
    isAlive(pid) {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    },
    sendSignal(pid, signal) {
      process.kill(pid, signal);
    },
    exit: (code) => process.exit(code),
  };
}
