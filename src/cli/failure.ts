import { ConfigError } from "../config/fault.ts";
import { MatrixError } from "../core/errors.ts";
import type { Log } from "../edges.ts";
import { SecretsError } from "../storage/secrets-error.ts";
import { UnfitDatabaseError } from "../storage/unfit-database.ts";
import { StartError } from "./start-error.ts";

/** Their messages say all there is to say. */
const EXPLAINED = [
  ...[StartError, ConfigError, SecretsError],
  ...[UnfitDatabaseError, MatrixError],
];

/** Codes of the system and the driver for a PostgreSQL that nobody got an answer from. */
const UNREACHABLE = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "EHOSTUNREACH"],
  ...["ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"],
  ...["CONNECT_TIMEOUT", "CONNECTION_CLOSED", "CONNECTION_ENDED"],
]);
/** Classes of SQLSTATE: no entry, no such database, no room, not ready. */
const REFUSED = /^(?:08|28|3D|53|57P)/;

/** Why something did not work, for the person who asked for it; the log has more. */
export function describeFailure(error: unknown, log: Log): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  if (UNREACHABLE.has(code))
    return `The database cannot be reached: ${error.message}. Is the address in database.url right, and does PostgreSQL run there?`;
  if (error.name === "PostgresError" && REFUSED.test(code))
    return `The database lets nobody in: ${error.message}. Look at database.url and at PostgreSQL's own log.`;
  if (!EXPLAINED.some((kind) => error instanceof kind))
    log.error({ err: error }, "not foreseen");
  return error.message;
}
