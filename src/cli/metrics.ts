import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { AggregatorRegistry, register } from "prom-client";
import type { Config } from "../config/schema.ts";

/** Serves /metrics of this process, or of all workers together. */
export async function startMetrics(
  { host, port }: Config["metrics"],
  isClustered: boolean,
): Promise<Server> {
  const all = isClustered ? new AggregatorRegistry() : undefined;
  const server = createServer((request, response) => {
    if (request.url !== "/metrics") {
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
  server.listen(port, host);
  await once(server, "listening");
  return server;
}
