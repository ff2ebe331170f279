import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { listTree, parseStat, sumTicks } from "./process-tree.ts";
import type { ProcessStat } from "./process-tree.ts";

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // A process may end while it is read of.
    return undefined;
  }
};

const listProcesses = (): ProcessStat[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const text = readText(`/proc/${pid}/stat`);
      return text === undefined ? [] : parseStat(text);
    });

export const readTree = (roots: readonly number[]): ProcessStat[] =>
  listTree(listProcesses(), roots);

let ticksPerSecond: number | undefined;

/** What these processes and their descendants have used since they began. */
export function readCpuSeconds(roots: readonly number[]): number {
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"]).toString());
  return sumTicks(readTree(roots)) / ticksPerSecond;
}

export interface Memory {
  readonly residentBytes: number;
  /** Shared pages divided among those who share them. */
  readonly proportionalBytes: number;
}

export function readMemory(pid: number): Memory {
  const text = readText(`/proc/${pid}/smaps_rollup`) ?? "";
  const read = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) *
    1024;
  return { residentBytes: read("Rss"), proportionalBytes: read("Pss") };
}

const PAGE_BYTES = 4096;

/** Cheap enough to be asked many times a second. */
export function readResidentBytes(pid: number): number {
  const pages = readText(`/proc/${pid}/statm`)?.split(" ")[1];
  return Number(pages ?? 0) * PAGE_BYTES;
}

/** PostgreSQL's own processes are told from the server's by their name. */
export const isDatabase = ({ name }: ProcessStat): boolean =>
  /^postgres/.test(name);
