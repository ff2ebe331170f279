import cluster from "node:cluster";
import { readSecrets } from "../config/environment.ts";
import { startServer, type RunningServer } from "../server.ts";
import { createLog } from "./log.ts";
import { collectProcessMetrics } from "./metrics.ts";
import { isOurs, type Assignment, type FromWorker } from "./messages.ts";
import type { Program } from "./program.ts";
import { buildConfig } from "./read-config.ts";
import { describeStartFailure } from "./start-failure.ts";

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
  collectProcessMetrics(true);
  worker.on("message", (message: unknown) => {
    if (!isOurs(message)) return;
    if (message.type === "stop") void stop();
    if (message.type === "start") {
      server = startWorker(program, message.assignment);
      server.then(
        ({ url }) => tell({ type: "ready", url }),
        (error: unknown) => {
          worker.send(
            { type: "failed", message: describeStartFailure(error) },
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
  assignment: Assignment,
): Promise<RunningServer> {
  const { dataFolder, databaseUrl, processIndex, sources } = assignment;
  const config = buildConfig(program, sources);
  return startServer(config, {
    dataDir: dataFolder,
    log: createLog(config.log, program.stderr, processIndex),
    processIndex,
    databaseUrl,
    secrets: readSecrets(program.environment),
  });
}
