import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProcessIdentity } from "../process-identity.ts";
import type { Program } from "../program.ts";
import { StartError } from "../start-error.ts";

/** What a running PostgreSQL writes of itself into its folder. */
export async function readPostmasterFile(
  folder: string,
): Promise<{ pid: number; isReady: boolean } | undefined> {
  const file = join(folder, "postmaster.pid");
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  return pid > 0 ? { pid, isReady: lines[7]?.trim() === "ready" } : undefined;
}

/** Stops a PostgreSQL whose parent was killed before it could stop it. */
export async function stopOrphan(
  program: Program,
  folder: string,
): Promise<void> {
  const found = await readPostmasterFile(folder);
  if (!found || !(await isPostgresOf(program, found.pid, folder))) return;
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    program.sendSignal(found.pid, signal);
    for (let waited = 0; waited < 8000; waited += 20) {
      if (!(await isPostgresOf(program, found.pid, folder))) return;
      await sleep(20);
    }
  }
  throw new StartError(
    `A PostgreSQL of an earlier start (process ${found.pid}) still uses ${folder} and does not stop.`,
  );
}

/** The number may be another program's by now; PostgreSQL works in its folder. */
async function isPostgresOf(
  program: Program,
  pid: number,
  folder: string,
): Promise<boolean> {
  if ((await findProcessIdentity(program, pid)) === undefined) return false;
  if (program.platform !== "linux") return true;
  const [working, own] = await Promise.all([
    realpath(`/proc/${pid}/cwd`).catch(() => ""),
    realpath(folder),
  ]);
  return working === own;
}
