import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";

export interface Proxy {
  /** The database's address through the proxy. */
  url: string;
  /** From now on nothing comes back; resolves when the server has answered something. */
  swallowAnswers(): Promise<void>;
  /** Both ways work again for connections made from now on; the old ones are cut. */
  cut(): void;
  /** From now on connections are made and nothing passes. */
  freeze(): void;
  close(): Promise<void>;
}

/** A link to a database that can fail in the ways that links do. */
export async function openProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let mode: "open" | "swallow" | "frozen" = "open";
  let answered: () => void = () => undefined;

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("close", () => upstream.destroy());
    upstream.on("close", () => client.destroy());
    client.on("data", (bytes) => {
      if (mode !== "frozen") upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (mode === "open") client.write(bytes);
      else if (mode === "swallow") answered();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: url.href,
    swallowAnswers() {
      mode = "swallow";
      return new Promise((resolve) => (answered = resolve));
    },
    cut() {
      mode = "open";
      destroyAll();
    },
    freeze() {
      mode = "frozen";
    },
    async close() {
      destroyAll();
      server.close();
      await once(server, "close");
    },
  };
}
