import { readFile } from "node:fs/promises";
import type { Program } from "./program.ts";

/**
 * What tells a living process from a later one of the same number: its start
 * time where the system tells it. Undefined if there is none, or only its
 * unburied rest, as in containers whose first process buries nobody.
 */
export async function findProcessIdentity(
  program: Program,
  pid: number,
): Promise<string | undefined> {
  if (program.platform !== "linux")
    return program.isAlive(pid) ? "alive" : undefined;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, startTime] = [fields[0], fields[19]];
  return state === "Z" || state === "X" ? undefined : startTime;
}
