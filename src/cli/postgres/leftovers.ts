import { readdir, readFile, readlink, realpath } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Program } from "../program.ts";
import { findKind, readPostmasterFile } from "./postmaster-file.ts";

const LONGEST_MS = 5000;

/**
 * Ends the processes of a PostgreSQL whose first one is dead. Most end by themselves;
 * one that waits for what a killed one held never does, and while it lives no other
 * PostgreSQL starts in its folder.
 */
export async function endLeftovers(
  program: Program,
  folder: string,
): Promise<void> {
  if (program.platform !== "linux") return;
  const named = await readPostmasterFile(folder);
  if (named && (await findKind(program, named.pid, folder)) === "postgres")
    return;
  const own = await realpath(folder);
  for (let waited = 0; waited < LONGEST_MS; waited += 20) {
    const left = await listProcesses(own);
    if (left.length === 0) return;
    for (const pid of left) end(program, pid);
    await sleep(20);
  }
}

/** PostgreSQL works in its folder. */
async function listProcesses(folder: string): Promise<number[]> {
  const names = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const isOurs = await Promise.all(
    names.map(async (name) => {
      const working = await readlink(`/proc/${name}/cwd`).catch(() => "");
      if (working !== folder) return false;
      const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
      return /^\d+ \(postgres\) [^ZX]/.test(stat);
    }),
  );
  return names.filter((_, i) => isOurs[i]).map(Number);
}

function end(program: Program, pid: number): void {
  try {
    program.sendSignal(pid, "SIGKILL");
  } catch {
    // It ended just now.
  }
}
