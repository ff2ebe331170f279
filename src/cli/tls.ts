import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { Server as TlsServer } from "node:https";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { Config } from "../config/schema.ts";
import type { Log } from "../edges.ts";
import { StartError } from "./start-error.ts";

const POLL_MS = 2000;

/** Reads the certificate and its key; undefined where TLS is not set. */
export async function readTls({
  certificate,
  privateKey,
}: Config["tls"]): Promise<SecureContextOptions | undefined> {
  if (certificate === undefined || privateKey === undefined) return undefined;
  try {
    const [cert, key] = await Promise.all([
      readFile(certificate),
      readFile(privateKey),
    ]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    throw new StartError(
      `tls.certificate and tls.private_key cannot be used: ${(error as Error).message}`,
    );
  }
}

/**
 * Gives the server its certificate anew whenever a file changed; one that is
 * only half written is passed over. Polls: renewal replaces links, which
 * watching a file does not see.
 */
export function watchTls(
  tls: Config["tls"],
  server: Server,
  log: Log,
): () => void {
  if (!(server instanceof TlsServer)) return () => undefined;
  const files = [tls.certificate, tls.privateKey].filter(
    (file) => file !== undefined,
  );
  const renew = () => {
    readTls(tls).then(
      (context) => {
        if (context) server.setSecureContext(context);
        log.info({}, "the TLS certificate was read again");
      },
      (error: unknown) =>
        log.error({ err: error }, "the old TLS certificate stays"),
    );
  };
  for (const file of files)
    watchFile(file, { interval: POLL_MS, persistent: false }, renew);
  return () => files.forEach((file) => unwatchFile(file, renew));
}
