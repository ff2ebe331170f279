import { ConfigError } from "../config/fault.ts";
import { MatrixError } from "../core/errors.ts";
import type { Log } from "../edges.ts";
import { SecretsError } from "../storage/secrets-error.ts";
import { StartError } from "./start-error.ts";

/** Their messages say all there is to say. */
const EXPLAINED = [StartError, ConfigError, SecretsError, MatrixError];

/** Why something did not work, for the person who asked for it; the log has more. */
export function describeFailure(error: unknown, log: Log): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL")
    return `The address cannot be listened on: ${error.message}. Stop what uses it, or give another with --port or listen.host.`;
  if (code === "ECONNREFUSED" || code === "ENOTFOUND")
    return `The database cannot be reached: ${error.message}.`;
  if (!EXPLAINED.some((kind) => error instanceof kind))
    log.error({ err: error }, "not foreseen");
  return error.message;
}
