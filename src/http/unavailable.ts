/** The database is down, starting, full, or too slow: a later try may succeed. */
const CODES = new Set([
  ...["CONNECTION_CLOSED", "CONNECTION_ENDED", "CONNECTION_DESTROYED"],
  ...["CONNECT_TIMEOUT", "ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE"],
  ...["ETIMEDOUT", "EHOSTUNREACH", "POOL_TIMEOUT"],
  ...["53100", "53200", "53300", "55P03", "57014", "57P01", "57P02", "57P03"],
  ...["25006", "25P03", "40001", "40P01"],
]);

/** Whether an error, or one that caused it, says that the database cannot serve now. */
export function isUnavailable(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false;
  const code = "code" in error ? error.code : undefined;
  if (typeof code === "string" && (CODES.has(code) || /^08/.test(code))) {
    return true;
  }
  return isUnavailable(error.cause, depth + 1);
}
