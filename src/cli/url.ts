import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** The address of a server that listens on `host`. */
export function urlOf(
  server: Server,
  host: string,
  scheme: "http" | "https",
): string {
  const { port } = server.address() as AddressInfo;
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
