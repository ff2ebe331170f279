import postgres from "postgres";

/**
 * What an error of a `commit_batch` call says about the batch.
 * unsent: it never reached the server. unknown: it may have been committed.
 * The rest are answers of the server, which rolled it back. deadlock: the same
 * call may pass. busy: the server, not the batch, is at fault. bad: the batch is.
 */
export type CommitFault = "unsent" | "unknown" | "deadlock" | "busy" | "bad";

/** Where the connection was never made. */
const UNSENT = new Set([
  ...["CONNECT_TIMEOUT", "ECONNREFUSED", "ENOENT", "ENOTFOUND", "EAI_AGAIN"],
]);

/** Timeouts, cancellations, lack of room, read-only servers. */
const BUSY = /^(53...|55P03|57014|57P0.|25006|58...)$/;

export function faultOf(error: unknown): CommitFault {
  if (error instanceof TypeError) return "bad";
  if (error instanceof postgres.PostgresError) {
    // The server ends a connection only before it takes a call, or without a word.
    if (error.severity === "FATAL") return "unsent";
    if (error.code === "40001" || error.code === "40P01") return "deadlock";
    return BUSY.test(error.code) ? "busy" : "bad";
  }
  const code = error instanceof Error && "code" in error ? error.code : "";
  return UNSENT.has(String(code)) ? "unsent" : "unknown";
}
