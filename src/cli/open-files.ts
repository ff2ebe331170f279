import { readFileSync } from "node:fs";

/** How many files this process may have open; undefined where the system does not tell. */
export function readOpenFilesLimit(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const text = /^Max open files +(\d+|unlimited)/m.exec(limits)?.[1];
    if (text === undefined) return undefined;
    return text === "unlimited" ? Infinity : Number(text);
  } catch {
    return undefined;
  }
}
