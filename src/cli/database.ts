import { join } from "node:path";
import type { Config } from "../config/schema.ts";
import type { Log } from "../edges.ts";
import { createDataFolder, findHolder, lockDataFolder } from "./data-folder.ts";
import { databaseUrlOf, readAccess } from "./postgres/access.ts";
import { startPrivatePostgres } from "./private-postgres.ts";
import type { Program } from "./program.ts";

export interface Database {
  readonly url: string;
  /** Stops what was started for it. */
  release(): Promise<void>;
}

const outside = (url: string): Database => ({
  url,
  release: async () => undefined,
});

/** The database of a server: the one that is named, or a private one of its own. */
export async function openServerDatabase(
  program: Program,
  config: Config,
  dataFolder: string,
  log: Log,
  { connections, killed }: { connections: number; killed: AbortSignal },
): Promise<Database> {
  await createDataFolder(program, dataFolder);
  const url = config.database.url?.reveal();
  if (url !== undefined) return outside(url);
  const lock = await lockDataFolder(program, dataFolder);
  try {
    const postgres = await startPrivatePostgres(program, dataFolder, log, {
      maxConnections: connections,
      killed,
    });
    return {
      url: postgres.databaseUrl,
      async release() {
        await postgres.stop();
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The database for a command: that of the running server, if one runs. */
export async function openCommandDatabase(
  program: Program,
  config: Config,
  dataFolder: string,
  log: Log,
  killed: AbortSignal,
): Promise<Database> {
  const isPrivate = config.database.url === undefined;
  if (isPrivate && (await findHolder(program, dataFolder)) !== undefined) {
    const access = await readAccess(join(dataFolder, "postgres.json"));
    return outside(databaseUrlOf(access));
  }
  const options = { connections: 20, killed };
  return openServerDatabase(program, config, dataFolder, log, options);
}
