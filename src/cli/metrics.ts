import { createServer } from "node:http";
import cluster, { type Worker } from "node:cluster";
import { listen } from "./listen.ts";
import { isOurs, type FromWorker, type ToWorker } from "./messages.ts";
import { urlOf } from "./url.ts";
import type { Config } from "../config/schema.ts";

/** Only where the settings ask for metrics is it loaded. */
const loadClient = () => import("prom-client");

/** Counts what every process has: memory, event loop, garbage. */
export async function collectProcessMetrics(): Promise<void> {
  const { collectDefaultMetrics } = await loadClient();
  collectDefaultMetrics();
}

const OVERDUE = "myelin_retention_overdue_seconds";

/** Tells by how long what should be destroyed is late. */
export async function collectOverdue(
  readMs: () => Promise<number>,
): Promise<void> {
  const { Gauge, register } = await loadClient();
  if (register.getSingleMetric(OVERDUE)) return;
  new Gauge({
    name: OVERDUE,
    help: "By how long the oldest thing is late that retention policies say is over.",
    aggregator: "max",
    async collect() {
      this.set((await readMs()) / 1000);
    },
  });
}

/** The figures of this process, for the first one to add up. */
export async function readFigures(): Promise<object[]> {
  const { register } = await loadClient();
  return register.getMetricsAsJSON();
}

/** Serves /metrics of this process, or of all workers together. */
export async function startMetrics(
  { host, port }: Config["metrics"],
  isClustered: boolean,
): Promise<{ url: string; stop(): void }> {
  const { register } = await loadClient();
  const server = createServer((request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    (isClustered ? addUpWorkers() : register.metrics()).then(
      (text) =>
        response
          .writeHead(200, { "Content-Type": register.contentType })
          .end(text),
      () => response.writeHead(503).end(),
    );
  });
  await listen(server, { host, port }, "metrics");
  return {
    url: `${urlOf(server, host, "http")}/metrics`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Who has not answered by then is left out: scrapers wait 10 s. */
const LONGEST_MS = 2000;
let asked = 0;

/** The figures of all workers that answer. */
async function addUpWorkers(): Promise<string> {
  const workers = Object.values(cluster.workers ?? {}).filter(
    (worker) => worker?.isConnected() === true,
  ) as Worker[];
  const answers = await Promise.all(workers.map(measure));
  const figures = answers.filter((answer) => answer !== undefined);
  const { AggregatorRegistry } = await loadClient();
  return AggregatorRegistry.aggregate(figures).metrics();
}

function measure(worker: Worker): Promise<object[] | undefined> {
  const id = (asked += 1);
  return new Promise((resolve) => {
    const end = (figures?: object[]) => {
      clearTimeout(late);
      worker.off("message", hear).off("exit", leave);
      resolve(figures);
    };
    const hear = (message: unknown) => {
      if (!isOurs(message)) return;
      const answer = message as FromWorker;
      if (answer.type === "measured" && answer.id === id) end(answer.figures);
    };
    const leave = () => end();
    const late = setTimeout(end, LONGEST_MS);
    worker.on("message", hear).on("exit", leave);
    const question: ToWorker = { type: "measure", id };
    worker.send(question);
  });
}
