import type { Logger } from "pino";
import { readSecrets } from "../config/environment.ts";
import type { Config } from "../config/schema.ts";
import type { RunningServer } from "../server.ts";
import { collectProcessMetrics } from "./metrics.ts";
import type { Program } from "./program.ts";
import type { ConfigSources } from "./read-config.ts";
import { WorkerPool } from "./worker-pool.ts";

/** What serves, in this process or in others. */
export interface Service {
  /** Resolves with the address when all serve. */
  start(databaseUrl: string): Promise<string>;
  /** The processes that serve. */
  pids(): number[];
  /** Finishes what has begun. */
  stop(): Promise<void>;
  /** Ends at once. */
  kill(): void;
}

export interface Launch {
  readonly program: Program;
  readonly config: Config;
  readonly sources: ConfigSources;
  readonly dataFolder: string;
  readonly log: Logger;
}

/** Loads the program at once, in as many processes as are to serve. */
export const createService = (launch: Launch, count: number): Service =>
  count === 1 ? serveHere(launch) : serveInWorkers(launch, count);

function serveHere({ program, config, dataFolder, log }: Launch): Service {
  const loading = import("../server.ts");
  loading.catch(() => undefined);
  let server: RunningServer | undefined;
  return {
    async start(databaseUrl) {
      const { startServer } = await loading;
      if (config.metrics.enabled) await collectProcessMetrics();
      server = await startServer(config, {
        dataDir: dataFolder,
        log,
        databaseUrl,
        secrets: readSecrets(program.environment),
        abandon: () => program.exit(1),
      });
      return server.url;
    },
    pids: () => [program.pid],
    stop: async () => server?.stop(),
    kill: () => undefined,
  };
}

function serveInWorkers(
  { sources, dataFolder, log }: Launch,
  count: number,
): Service {
  const pool = new WorkerPool(count, log);
  return {
    start: (databaseUrl) => pool.start({ sources, dataFolder, databaseUrl }),
    pids: () => pool.pids(),
    stop: () => pool.stop(),
    kill: () => pool.kill(),
  };
}
