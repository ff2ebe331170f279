import type { ChildProcess } from "node:child_process";
import { close, open } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { StartError } from "../start-error.ts";
import type { Binaries } from "./binaries.ts";
import type { Launch } from "./launcher.ts";
import { readPostmasterFile } from "./postmaster-file.ts";
import { serverArguments, type Place } from "./settings.ts";

const MAX_LOG_BYTES = 10 * 1024 * 1024;

/** A server program on its way to take connections, or to its end. */
interface Launched {
  readonly child: ChildProcess;
  /** Rejects if it ended before. */
  readonly ready: Promise<void>;
}

/** Starts the server program. */
export async function launchPostmaster(
  place: Place,
  binaries: Binaries,
  launch: Launch,
): Promise<Launched> {
  const { folder, logFile } = place;
  const size = await stat(logFile).then(
    (file) => file.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) await rm(logFile);
  // A file and not a pipe: PostgreSQL must outlive us without harm.
  const log = await promisify(open)(logFile, "a", 0o600);
  const child = launch(binaries.postgres, serverArguments(place), [
    "ignore",
    log,
    log,
  ]);
  const failed = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", () => {
      void readFile(logFile, "utf8").then((text) => {
        const tail = text.trim().split("\n").slice(-4).join("\n");
        reject(
          new StartError(`The private PostgreSQL did not start:\n${tail}`),
        );
      }, reject);
    });
  });
  failed.catch(() => undefined);
  await promisify(close)(log);
  const ready = Promise.race([failed, becomeReady(folder, child)]);
  ready.catch(() => undefined);
  return { child, ready };
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

/** Recovery after a crash may take long; only the program's end ends the wait. */
async function becomeReady(folder: string, child: ChildProcess): Promise<void> {
  while (!hasEnded(child)) {
    const file = await readPostmasterFile(folder);
    const isReady = file?.pid === child.pid && file?.isReady === true;
    if (isReady && !hasEnded(child)) return;
    await sleep(15);
  }
  await new Promise(() => undefined);
}

/** Ends sessions, writes a checkpoint, and waits until the program is gone. */
export async function stopPostmaster(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  const impatient = setTimeout(() => child.kill("SIGQUIT"), 8000);
  await gone;
  clearTimeout(impatient);
}
