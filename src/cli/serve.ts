import { availableParallelism } from "node:os";
import type { Logger } from "pino";
import { readSecrets } from "../config/environment.ts";
import type { Config } from "../config/schema.ts";
import { startServer } from "../server.ts";
import { bannerText } from "./banner.ts";
import { openServerDatabase } from "./database.ts";
import { createLog } from "./log.ts";
import { collectProcessMetrics, startMetrics } from "./metrics.ts";
import { dataFolderOf, folderOptions, parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import {
  buildConfig,
  readConfigSources,
  type ConfigSources,
} from "./read-config.ts";
import { StartError } from "./start-error.ts";
import { describeFailure } from "./failure.ts";
import { UsageError } from "./usage.ts";
import { WorkerPool } from "./worker-pool.ts";

/** What serves, in this process or in others. */
interface Service {
  readonly url: string;
  /** The processes that serve. */
  pids(): number[];
  stop(): Promise<void>;
  kill(): void;
}

interface Start {
  readonly program: Program;
  readonly config: Config;
  readonly sources: ConfigSources;
  readonly dataFolder: string;
  readonly log: Logger;
}

/** `myelin serve`: runs until it is told to stop. */
export async function serve(
  program: Program,
  args: readonly string[],
): Promise<void> {
  const options = parseOptions(args, {
    ...folderOptions,
    port: { type: "string" },
  });
  const sources = await readConfigSources(
    program,
    options.config,
    portOverride(options.port),
  );
  const config = buildConfig(program, sources);
  const log = createLog(config.log, program.stderr);
  const dataFolder = dataFolderOf(program, options.data);
  const start = { program, config, sources, dataFolder, log };

  const stopAsked = whenAskedToStop(program);
  const count = countProcesses(config);
  const database = await openServerDatabase(
    program,
    config,
    dataFolder,
    log,
    Math.max(200, count * (config.database.poolSize + 4) + 20),
  );
  let service: Service | undefined;
  try {
    service = await startService(start, database.url, count);
    const metrics = config.metrics.enabled
      ? await startMetrics(config.metrics, count > 1)
      : undefined;
    program.stdout.write(bannerText(service.url, config, dataFolder));
    log.info(
      { url: service.url, pids: service.pids(), metrics: metrics?.url },
      "ready",
    );
    await stopAsked(() => service?.kill());
    log.info({}, "stopping");
    metrics?.stop();
  } catch (error) {
    throw new StartError(describeFailure(error, log));
  } finally {
    await service?.stop();
    await database.release();
    log.info({}, "stopped");
  }
}

const countProcesses = ({ server: { processes } }: Config): number =>
  processes === "auto" ? availableParallelism() : processes;

function portOverride(port: string | undefined): ConfigSources["overrides"] {
  if (port === undefined) return [];
  if (!/^\d+$/.test(port))
    throw new UsageError(`--port expects a number, not ${port}.`);
  return [["listen.port", Number(port)]];
}

/** npm and terminals pass on the same request at once; that is not a second one. */
const ECHO_MS = 500;

/** Resolves at the first request to stop; the second ends everything at once. */
function whenAskedToStop(program: Program) {
  let kill: (() => void) | undefined;
  let first: number | undefined;
  const asked = new Promise<void>((resolve) => {
    program.onStop(() => {
      first ??= performance.now();
      resolve();
      if (performance.now() - first < ECHO_MS) return;
      kill?.();
      program.exit(1);
    });
  });
  return (onSecond: () => void): Promise<void> => {
    kill = onSecond;
    return asked;
  };
}

async function startService(
  { program, config, sources, dataFolder, log }: Start,
  databaseUrl: string,
  count: number,
): Promise<Service> {
  if (count === 1) {
    const secrets = readSecrets(program.environment);
    const runtime = { dataDir: dataFolder, log, processIndex: 0 };
    collectProcessMetrics(false);
    const server = await startServer(config, {
      ...runtime,
      databaseUrl,
      secrets,
    });
    return {
      url: server.url,
      pids: () => [program.pid],
      stop: () => server.stop(),
      kill: () => undefined,
    };
  }
  const pool = new WorkerPool({ sources, dataFolder, databaseUrl }, log);
  try {
    const url = await pool.start(count);
    return {
      url,
      pids: () => pool.pids(),
      stop: () => pool.stop(),
      kill: () => pool.kill(),
    };
  } catch (error) {
    await pool.stop();
    throw error;
  }
}
