import { ConfigError } from "../config/fault.ts";
import { StartError } from "./start-error.ts";

/** Why the server did not start, for the person who started it. */
export function describeStartFailure(error: unknown): string {
  if (error instanceof StartError || error instanceof ConfigError)
    return error.message;
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL")
    return `The address cannot be listened on: ${error.message}. Stop what uses it, or give another with --port or listen.host.`;
  if (code === "ECONNREFUSED" || code === "ENOTFOUND")
    return `The database cannot be reached: ${error.message}.`;
  return error.stack ?? error.message;
}
