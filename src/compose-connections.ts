import type { Config } from "./config/schema.ts";
import { readOpenFilesLimit } from "./cli/open-files.ts";
import type { Log } from "./edges.ts";
import { createIsWithin } from "./http/address.ts";
import type { ConnectionLimits } from "./http/connection-limits.ts";

/** This machine's own networks, for a proxy that runs beside us. */
const LOOPBACK = ["127.0.0.0/8", "::1/128"];

/** Whose word is taken for a client's address. */
export const trustedProxiesOf = (config: Config): readonly string[] =>
  config.behindProxy ? (config.trustedProxies ?? LOOPBACK) : [];

/** Each costs some 15 kB while it waits. */
const MOST = 100_000;
/** Where the system does not tell how many files may be open. */
const MOST_UNTOLD = 8_000;
/** The others are for files and for calls to other machines. */
const PART_OF_FILES = 0.9;

export function composeConnections(config: Config, log: Log): ConnectionLimits {
  const { connections, connectionsPerAddress } = config.limits;
  return {
    most:
      connections === "auto"
        ? mostFor(readOpenFilesLimit(), config.database.poolSize)
        : connections,
    mostOfAddress: connectionsPerAddress,
    isProxy: createIsWithin([...LOOPBACK, ...trustedProxiesOf(config)]),
    onRefused(refused) {
      log.warn(
        refused,
        "connections beyond limits.connections or limits.connections_per_address are refused",
      );
    },
  };
}

function mostFor(openFiles: number | undefined, poolSize: number): number {
  if (openFiles === undefined) return MOST_UNTOLD;
  const left = Math.floor(openFiles * PART_OF_FILES) - poolSize;
  return Math.min(MOST, Math.max(left, 1));
}
