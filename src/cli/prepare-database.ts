import { StartError } from "./start-error.ts";
import type { Config } from "../config/schema.ts";
import type { Log } from "../edges.ts";
import {
  assertSafeDatabase,
  openDatabase,
  type Sql,
} from "../storage/database.ts";
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
    await waitForDatabase(log, isPrivate, () => settle(config, sql));
    return sql;
  } catch (error) {
    await sql.end({ timeout: 1 });
    throw error;
  }
}

async function settle(config: Config, sql: Sql): Promise<void> {
  await assertSafeDatabase(sql);
  await migrate(sql, () => Date.now());
  await assertServerName(sql, config.serverName);
}

async function assertServerName(sql: Sql, serverName: string): Promise<void> {
  const settled = await settleServerSetting(sql, "server_name", serverName);
  if (settled === serverName) return;
  throw new StartError(
    `server_name is ${serverName}, but this database belongs to the server ${settled}. The name cannot be changed: it is part of every user id, room alias and signature, and other people's clients and servers know them by it. Set server_name to ${settled}, or begin anew with another data folder or database.`,
  );
}
