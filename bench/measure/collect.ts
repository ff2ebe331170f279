import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const MODULE = pathToFileURL(join(import.meta.dirname, "collect-on-signal.js"));

/** What a process of Node's is started with, so that its garbage can be collected from outside. */
export const COLLECTING: readonly string[] = [
  "--expose-gc",
  `--import=${MODULE.href}`,
];

/** A full collection of a large heap takes some tenths of a second. */
const COLLECT_MS = 2_000;

/** Collects the garbage of processes that were started with these flags. */
export async function collect(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, "SIGUSR2");
  await wait(COLLECT_MS);
}
