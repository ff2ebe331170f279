import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { Http } from "../matrix/http.ts";

/** One that nobody listened on a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export const metricsAt = (port: number): Record<string, string> => ({
  MYELIN_METRICS_ENABLED: "true",
  MYELIN_METRICS_PORT: String(port),
});

const LONGEST = /^nodejs_eventloop_lag_max_seconds (\S+)/m;

/**
 * The longest time between two turns of the event loop since this was asked
 * last, in milliseconds; the 10 between two looks at it are in it.
 */
export async function readLoopDelay(port: number): Promise<number> {
  const http = new Http(`http://127.0.0.1:${port}`);
  try {
    const { bytes } = await http.ask({ method: "GET", path: "/metrics" });
    return Number(LONGEST.exec(bytes.toString())?.[1]) * 1000;
  } finally {
    await http.close();
  }
}
