import cluster from "node:cluster";
import type { Logger } from "pino";
import type { Config } from "../config/schema.ts";
import { readSecrets } from "../config/environment.ts";
import { startServer, type RunningServer } from "../server.ts";
import { createLog } from "./log.ts";
import { collectProcessMetrics, readFigures } from "./metrics.ts";
import { isOurs, type Assignment, type FromWorker } from "./messages.ts";
import type { Program } from "./program.ts";
import { buildConfig } from "./read-config.ts";
import { describeFailure } from "./failure.ts";

/** One of several serving processes: does what the first process tells it. */
export function runWorker(program: Program): void {
  const { worker } = cluster;
  if (!worker) throw new TypeError("This process is not a worker.");
  const tell = (message: FromWorker) => worker.send(message);
  let server: Promise<RunningServer> | undefined;
  const stop = async () => {
    const running = await server?.catch(() => undefined);
    await running?.stop();
    program.exit(0);
  };
  // A signal to the whole group reaches the first process too, which tells us.
  program.onStop(() => undefined);
  worker.on("message", (message: unknown) => {
    if (!isOurs(message)) return;
    if (message.type === "ping") tell({ type: "pong" });
    if (message.type === "measure") {
      const { id } = message;
      void readFigures().then((figures) =>
        tell({ type: "measured", id, figures }),
      );
    }
    if (message.type === "stop") void stop();
    if (message.type === "start") {
      const { assignment } = message;
      const { processIndex } = assignment;
      const config = buildConfig(program, assignment.sources);
      const log = createLog(config.log, program.stderr, processIndex);
      server = startWorker(program, assignment, config, log);
      server.then(
        ({ url }) => tell({ type: "ready", url }),
        (error: unknown) => {
          worker.send(
            { type: "failed", message: describeFailure(error, log) },
            () => program.exit(1),
          );
        },
      );
    }
  });
  tell({ type: "hello" });
}

async function startWorker(
  program: Program,
  { dataFolder, databaseUrl }: Assignment,
  config: Config,
  log: Logger,
): Promise<RunningServer> {
  if (config.metrics.enabled) await collectProcessMetrics();
  return startServer(config, {
    dataDir: dataFolder,
    log,
    databaseUrl,
    secrets: readSecrets(program.environment),
    abandon: () => program.exit(1),
  });
}
