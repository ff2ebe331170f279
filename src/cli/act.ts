import { join } from "node:path";
import { composeEdges } from "../compose-edges.ts";
import { readSecrets } from "../config/environment.ts";
import type { Config } from "../config/schema.ts";
import type { Edges } from "../edges.ts";
import { openCommandDatabase } from "./database.ts";
import { describeFailure } from "./failure.ts";
import { createLog } from "./log.ts";
import { dataFolderOf } from "./options.ts";
import { prepareDatabase } from "./prepare-database.ts";
import type { Program } from "./program.ts";
import { buildConfig, readConfigSources } from "./read-config.ts";
import { StartError } from "./start-error.ts";

/** Where the data of a server are, and its settings. */
export interface Place {
  config: Config;
  dataFolder: string;
}

export async function findPlace(
  program: Program,
  options: { config?: string | undefined; data: string },
): Promise<Place> {
  const sources = await readConfigSources(program, options.config);
  return {
    config: buildConfig(program, sources),
    dataFolder: dataFolderOf(program, options.data),
  };
}

/** Does something with the server's data, which may be served meanwhile, and prints what came of it. */
export async function act(
  program: Program,
  { config, dataFolder }: Place,
  work: (edges: Edges) => Promise<string | undefined>,
): Promise<void> {
  const log = createLog({ ...config.log, level: "error" }, program.stderr);
  const killed = new AbortController();
  program.onStop(() => {
    killed.abort();
    program.exit(1);
  });
  const { signal } = killed;
  const database = await openCommandDatabase(
    program,
    config,
    dataFolder,
    log,
    signal,
  );
  try {
    const sql = await prepareDatabase(config, database.url, log);
    try {
      const composed = await composeEdges({
        config,
        sql,
        log,
        secretSource: {
          keysDir: join(dataFolder, "keys"),
          given: readSecrets(program.environment),
        },
        mediaFolder: join(dataFolder, "media"),
        dataFolder,
        now: () => Date.now(),
      });
      try {
        const said = await work(composed.edges);
        if (typeof said === "string") program.stdout.write(`${said}\n`);
      } finally {
        await composed.close();
      }
    } finally {
      await sql.end({ timeout: 1 });
    }
  } catch (error) {
    throw new StartError(describeFailure(error, log));
  } finally {
    await database.release();
  }
}
