import { createServer } from "node:http";
import {
  AggregatorRegistry,
  collectDefaultMetrics,
  register,
} from "prom-client";
import { listen } from "./listen.ts";
import { urlOf } from "./url.ts";
import type { Config } from "../config/schema.ts";

/** Counts what every process has: memory, event loop, garbage. */
export function collectProcessMetrics(isWorker: boolean): void {
  collectDefaultMetrics();
  // Makes a worker answer the collector of the first process.
  if (isWorker) new AggregatorRegistry();
}

/** Serves /metrics of this process, or of all workers together. */
export async function startMetrics(
  { host, port }: Config["metrics"],
  isClustered: boolean,
): Promise<{ url: string; stop(): void }> {
  const all = isClustered ? new AggregatorRegistry() : undefined;
  const server = createServer((request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    (all ? all.clusterMetrics() : register.metrics()).then(
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
