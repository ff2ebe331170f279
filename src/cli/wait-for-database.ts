import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../edges.ts";

/** A start waits no longer than this for a database that is on its way. */
const LONGEST_WAIT_MS = 30_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

/** It shuts down, crashed or starts up: an answer that will be another one soon. */
const PASSING = new Set(["57P01", "57P02", "57P03"]);
/** No answer, which of a PostgreSQL that is started again passes too. */
const GONE = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE"],
  ...["CONNECTION_CLOSED", "CONNECT_TIMEOUT"],
]);

/**
 * Does it again while PostgreSQL is on its way.
 * @param isKept whether a PostgreSQL that is gone is started again
 */
export async function waitForDatabase<T>(
  log: Log,
  isKept: boolean,
  action: () => Promise<T>,
): Promise<T> {
  const end = performance.now() + LONGEST_WAIT_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause *= 2) {
    try {
      return await action();
    } catch (error) {
      const code =
        error instanceof Error && "code" in error ? String(error.code) : "";
      const passes = PASSING.has(code) || (isKept && GONE.has(code));
      if (!passes || performance.now() > end) throw error;
      log.warn({ code }, "the database is not there yet and is waited for");
      await sleep(Math.min(pause, LONGEST_PAUSE_MS));
    }
  }
}
