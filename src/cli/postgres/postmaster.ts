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

/** Starts the server program and returns it when it takes connections. */
export async function startPostmaster(
  place: Place,
  binaries: Binaries,
  launch: Launch,
): Promise<ChildProcess> {
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
  await promisify(close)(log);
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
  await Promise.race([failed, becomeReady(folder, child)]);
  failed.catch(() => undefined);
  return child;
}

/** Recovery after a crash may take long; only the program's end ends the wait. */
async function becomeReady(folder: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const file = await readPostmasterFile(folder);
    if (file?.pid === child.pid && file?.isReady) return;
    await sleep(15);
  }
  await new Promise(() => undefined);
}

/** Ends sessions, writes a checkpoint, and waits until the program is gone. */
export async function stopPostmaster(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  const impatient = setTimeout(() => child.kill("SIGQUIT"), 8000);
  await gone;
  clearTimeout(impatient);
}
