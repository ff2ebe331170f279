import { availableParallelism } from "node:os";
import type { Config } from "../config/schema.ts";
import { clearAdminSocket } from "./admin-listener.ts";
import { bannerText } from "./banner.ts";
import { openServerDatabase, type Database } from "./database.ts";
import { createLog } from "./log.ts";
import { startMetrics } from "./metrics.ts";
import { dataFolderOf, folderOptions, parseOptions } from "./options.ts";
import type { Program } from "./program.ts";
import {
  buildConfig,
  readConfigSources,
  type ConfigSources,
} from "./read-config.ts";
import { createService } from "./service.ts";
import { StartError } from "./start-error.ts";
import { describeFailure } from "./failure.ts";
import { UsageError } from "./usage.ts";

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
  const count = countProcesses(config);
  const launch = { program, config, sources, dataFolder, log };
  const service = createService(launch, count);
  let database: Database | undefined;
  const killed = new AbortController();
  const stopAsked = whenAskedToStop(program, (reason) => {
    log.error({}, reason);
    service.kill();
    killed.abort();
  });
  try {
    const connections = count * (config.database.poolSize + 4) + 20;
    database = await openServerDatabase(program, config, dataFolder, log, {
      connections: Math.max(200, connections),
      killed: killed.signal,
    });
    await clearAdminSocket(dataFolder);
    const url = await service.start(database.url);
    const metrics = config.metrics.enabled
      ? await startMetrics(config.metrics, count > 1)
      : undefined;
    program.stdout.write(bannerText(url, config, dataFolder));
    log.info({ url, pids: service.pids(), metrics: metrics?.url }, "ready");
    await stopAsked;
    log.info({}, "stopping");
    metrics?.stop();
    await service.stop();
  } catch (error) {
    service.kill();
    throw new StartError(describeFailure(error, log));
  } finally {
    await database?.release();
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
/** Whoever asks waits 10 s. */
const LONGEST_STOP_MS = 9500;

/**
 * Resolves at the first request to stop. The second ends everything at once, and
 * so does the time for a stop, whatever it waits for.
 */
function whenAskedToStop(
  program: Program,
  kill: (reason: string) => void,
): Promise<void> {
  const end = (reason: string) => {
    kill(reason);
    program.exit(1);
  };
  let first: number | undefined;
  return new Promise((resolve) => {
    program.onStop(() => {
      if (first === undefined) {
        first = performance.now();
        setTimeout(end, LONGEST_STOP_MS, "not stopped in time: ended").unref();
        resolve();
      } else if (performance.now() - first >= ECHO_MS) {
        end("asked to stop again: ended");
      }
    });
  });
}
