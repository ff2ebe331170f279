import { StartError } from "./start-error.ts";
import type { Config } from "../config/schema.ts";
import type { Log } from "../edges.ts";
import {
  assertSafeDatabase,
  openDatabase,
  type Sql,
} from "../storage/database.ts";
import {
  assertMayServe,
  findRole,
  letServe,
} from "../storage/database-roles.ts";
import { migrate } from "../storage/migrate.ts";
import { waitForDatabase } from "./wait-for-database.ts";
import { settleServerSetting } from "../storage/server-settings.ts";

/** Opens the database, if it is safe and belongs to this server, and brings it up to date. */
export async function prepareDatabase(
  config: Config,
  databaseUrl: string,
  log: Log,
): Promise<Sql> {
  const { poolSize } = config.database;
  const isPrivate = config.database.url === undefined;
  const sql = openDatabase(databaseUrl, { poolSize, log });
  try {
    await waitForDatabase(log, isPrivate, () => settle(config, sql, log));
    return sql;
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

async function settle(config: Config, sql: Sql, log: Log): Promise<void> {
  await assertSafeDatabase(sql);
  const ownerUrl = config.database.ownerUrl?.reveal();
  if (ownerUrl === undefined) await migrateAsServer(sql);
  else await migrateFor(await findRole(sql), ownerUrl, log);
  await assertServerName(sql, config.serverName);
}

/** Brings the tables up to date as their owner, and lets another role serve with them. */
export async function migrateFor(
  role: string,
  ownerUrl: string,
  log: Log,
): Promise<void> {
  const owner = openDatabase(ownerUrl, { poolSize: 1, log });
  try {
    await migrate(owner, () => Date.now());
    if (role === (await findRole(owner))) await assertMayServe(owner, role);
    await letServe(owner, role);
    await assertMayServe(owner, role);
  } finally {
    await owner.end({ timeout: 1 });
  }
}

async function migrateAsServer(sql: Sql): Promise<void> {
  try {
    await migrate(sql, () => Date.now());
  } catch (error) {
    if (!isRefused(error)) throw error;
    throw new StartError(
      `The tables of the database are not those of this program, and the role ${await findRole(sql)} may not change them. Run \`myelin database grant --role ${await findRole(sql)}\` as their owner, or set database.owner_url.`,
    );
  }
}

const isRefused = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "42501";

async function assertServerName(sql: Sql, serverName: string): Promise<void> {
  const settled = await settleServerSetting(sql, "server_name", serverName);
  if (settled === serverName) return;
  throw new StartError(
    `server_name is ${serverName}, but this database belongs to the server ${settled}. The name cannot be changed: it is part of every user id, room alias and signature, and other people's clients and servers know them by it. Set server_name to ${settled}, or begin anew with another data folder or database.`,
  );
}
