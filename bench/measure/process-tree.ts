/** One line of /proc, as far as it matters here. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Of itself and of the children that it has waited for, in clock ticks. */
  readonly ticks: number;
}

/** Reads /proc/PID/stat; the name may hold spaces and brackets. */
export function parseStat(text: string): ProcessStat {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const fields = text.slice(close + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  return {
    pid: Number(text.slice(0, open)),
    parent: field(4),
    name: text.slice(open + 1, close),
    ticks: field(14) + field(15) + field(16) + field(17),
  };
}

/** The roots and all that descends from them, each once. */
export function listTree(
  processes: readonly ProcessStat[],
  roots: readonly number[],
): ProcessStat[] {
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const children = new Map<number, ProcessStat[]>();
  for (const process of processes) {
    const siblings = children.get(process.parent);
    if (siblings) siblings.push(process);
    else children.set(process.parent, [process]);
  }
  const found = new Map<number, ProcessStat>();
  const queue = roots.flatMap((pid) => byPid.get(pid) ?? []);
  for (const process of queue) {
    if (found.has(process.pid)) continue;
    found.set(process.pid, process);
    queue.push(...(children.get(process.pid) ?? []));
  }
  return [...found.values()];
}

/**
 * A child that has ended counts in its parent's ticks and is gone itself, so
 * nothing counts twice.
 */
export const sumTicks = (tree: readonly ProcessStat[]): number =>
  tree.reduce((sum, { ticks }) => sum + ticks, 0);
