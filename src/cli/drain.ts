import type { Server } from "node:http";

/** What is not done by then is cut; PostgreSQL and the process need the rest of 10 s. */
const LONGEST_MS = 8000;

/** Stops listening and lets every request that has begun finish. */
export async function drain(server: Server): Promise<void> {
  server.prependListener("request", (_request, response) => {
    response.setHeader("Connection", "close");
  });
  const closed = new Promise((resolve) => server.close(resolve));
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), LONGEST_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}
