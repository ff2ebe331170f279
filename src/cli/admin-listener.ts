import { once } from "node:events";
import type { Server } from "node:http";
import { chmod, rm } from "node:fs/promises";
import type { SecureContextOptions } from "node:tls";
import type { Config } from "../config/schema.ts";
import type { Log } from "../edges.ts";
import { adminSchemeOf } from "./admin-scheme.ts";
import { socketOf } from "./admin-socket.ts";
import { listen } from "./listen.ts";
import { StartError } from "./start-error.ts";
import { urlOf } from "./url.ts";

/** Where systems end the names of sockets: macOS at 103 bytes, Linux at 107. */
const LONGEST_PATH = 103;

/** Takes away what a server left that was killed; called before any process listens. */
export const clearAdminSocket = (dataFolder: string): Promise<void> =>
  rm(socketOf(dataFolder), { force: true });

/** What the administrators' listener speaks TLS with, where it does. */
export const adminTlsOf = (
  config: Config,
  tls: SecureContextOptions | undefined,
): SecureContextOptions | undefined =>
  adminSchemeOf(config) === "https" ? tls : undefined;

/**
 * Has administrators served at the port of the settings, or at a socket that the owner
 * of the data folder alone can open. Answers where.
 */
export async function listenForAdministrators(
  server: Server,
  { listeners: { admin } }: Config,
  { dataFolder, isTls, log }: { dataFolder: string; isTls: boolean; log: Log },
): Promise<string | undefined> {
  const { host, port } = admin;
  if (port !== undefined) {
    await listen(server, { host, port }, "listeners.admin");
    return urlOf(server, host, isTls ? "https" : "http");
  }
  const path = socketOf(dataFolder);
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    log.warn(
      { path },
      "the admin API has no listener: the path is too long for a socket; set listeners.admin.port",
    );
    return undefined;
  }
  server.listen(path);
  await once(server, "listening").catch((error: Error) => {
    throw new StartError(
      `The server cannot listen on ${path}: ${error.message}. Give a port in listeners.admin.port instead.`,
    );
  });
  await chmod(path, 0o600);
  return path;
}
