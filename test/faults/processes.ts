import { readdirSync, readFileSync } from "node:fs";

interface Running {
  pid: number;
  parent: number;
  command: string;
}

/** The living children of a process, as Linux tells. */
export function listChildren(parent: number): Running[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => describeProcess(Number(name)) ?? [])
    .filter((running) => running.parent === parent);
}

export function describeProcess(pid: number): Running | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === "Z" || state === "X") return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return { pid, parent: Number(parent), command };
  } catch {
    return undefined;
  }
}

/** Sends a signal; a process that is gone by now is no fault. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
