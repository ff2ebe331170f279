import type { Server, ServerResponse } from "node:http";
import { Server as TlsServer } from "node:https";
import type { Socket } from "node:net";

/** What is not done by then is cut; PostgreSQL and the process need the rest of 10 s. */
const LONGEST_MS = 7000;
/** For a request whose headers are on their way. */
const GRACE_MS = 500;

/**
 * Prepares a server for its end. The function that it answers stops listening,
 * lets every request that has begun finish, and closes what only waits.
 */
export function prepareDrain(server: Server): () => Promise<void> {
  const idle = new Set<Socket>();
  /** Connections that have not shaken hands, by the client's address. */
  const strangers = new Map<string, Socket>();
  let isDraining = false;
  function forget(this: Socket): void {
    idle.delete(this);
  }
  function rest(this: ServerResponse): void {
    const { socket } = this.req;
    if (!socket.destroyed) idle.add(socket);
  }
  const isTls = server instanceof TlsServer;
  if (isTls) {
    server.on("connection", (socket: Socket) => {
      const address = addressOf(socket);
      strangers.set(address, socket);
      socket.once("close", () => {
        if (strangers.get(address) === socket) strangers.delete(address);
      });
    });
  }
  server.on(isTls ? "secureConnection" : "connection", (socket: Socket) => {
    strangers.delete(addressOf(socket));
    idle.add(socket);
    socket.on("close", forget);
  });
  server.prependListener("request", ({ socket }, response) => {
    idle.delete(socket);
    if (isDraining) response.setHeader("Connection", "close");
    response.on("close", rest);
  });
  return async () => {
    isDraining = true;
    const closed = new Promise((resolve) => server.close(resolve));
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    const grace = setTimeout(() => {
      for (const socket of [...idle, ...strangers.values()]) socket.destroy();
    }, GRACE_MS);
    let cut: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      cut = setTimeout(resolve, LONGEST_MS);
    });
    await Promise.race([closed, late]);
    clearTimeout(cut);
    clearInterval(sweep);
    clearTimeout(grace);
    server.closeAllConnections();
  };
}

const addressOf = ({ remoteAddress, remotePort }: Socket): string =>
  `${remoteAddress ?? ""} ${remotePort ?? ""}`;
