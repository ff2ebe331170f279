import { spawn } from "node:child_process";
import { readlinkSync } from "node:fs";
import { stepBehind } from "./step-behind.ts";

/** Has the calling thread run behind those that serve, and gives its number. */
export function beginBehind(): number | undefined {
  if (process.platform !== "linux") return undefined;
  stepBehind();
  return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
}

/**
 * Has a thread run where nobody else wants to. One of the class "idle" is interrupted at
 * once by whoever has work; one that is merely nice goes on for some milliseconds: sends
 * beside logins came twice as late by that. Node knows niceness alone. The thread cannot
 * do it for itself: it would hold what starting a process locks until the machine idles,
 * and the serving thread would wait for that, for seconds.
 */
export const yieldToAll = (thread: number): Promise<void> =>
  setClass(thread, "-i");

/** On a machine that never idles such a thread would never end: it gets a tenth of a share. */
export const takeShare = (thread: number): Promise<void> =>
  setClass(thread, "-o");

/** Resolves when it is done, or cannot be done. */
function setClass(thread: number, option: "-i" | "-o"): Promise<void> {
  const child = spawn("chrt", [option, "-p", "0", String(thread)], {
    stdio: "ignore",
  });
  child.unref();
  return new Promise((resolve) => {
    child.once("error", () => resolve());
    child.once("exit", () => resolve());
  });
}
