import { execFile } from "node:child_process";
import { readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
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

/**
 * Ends what a killed server left behind: stops its PostgreSQL, or removes the
 * file of one that is gone if its number is another program's by now, for which
 * PostgreSQL would wait in vain.
 */
export async function stopOrphan(
  program: Program,
  folder: string,
): Promise<void> {
  const found = await readPostmasterFile(folder);
  if (!found) return;
  const { pid } = found;
  const kind = await findKind(program, pid, folder);
  if (kind === "unknown") return;
  if (kind === "foreign") return rm(join(folder, "postmaster.pid"));
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    program.sendSignal(pid, signal);
    for (let waited = 0; waited < 8000; waited += 20) {
      if ((await findKind(program, pid, folder)) !== "postgres") return;
      await sleep(20);
    }
  }
  throw new StartError(
    `A PostgreSQL of an earlier start (process ${pid}) still uses ${folder} and does not stop.`,
  );
}

/** What a process number is to the folder that names it; unknown too where nobody has it. */
type Kind = "postgres" | "foreign" | "unknown";

export async function findKind(
  program: Program,
  pid: number,
  folder: string,
): Promise<Kind> {
  if ((await findProcessIdentity(program, pid)) === undefined) {
    // Unburied, it still counts as alive for PostgreSQL.
    return program.isAlive(pid) ? "foreign" : "unknown";
  }
  if (program.platform !== "linux") return findKindByCommand(pid, folder);
  // PostgreSQL works in its folder.
  const [working, own] = await Promise.all([
    realpath(`/proc/${pid}/cwd`).catch(() => undefined),
    realpath(folder),
  ]);
  if (working === undefined) return "unknown";
  return working === own ? "postgres" : "foreign";
}

async function findKindByCommand(pid: number, folder: string): Promise<Kind> {
  const ask = promisify(execFile);
  const command = await ask("ps", ["-p", String(pid), "-o", "command="]).then(
    ({ stdout }) => stdout,
    () => "",
  );
  if (command === "") return "unknown";
  return command.includes(`-D ${folder}`) ? "postgres" : "foreign";
}
