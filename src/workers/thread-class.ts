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
 *
 * Where it could not come back, it stays as it is: on a machine that never idles it would
 * never be done.
 */
export async function yieldToAll(thread: number): Promise<void> {
  comesBack ??= chrt(["-i", "0", "chrt", "-o", "0", "true"]);
  if (await comesBack) await chrt(["-i", "-p", "0", String(thread)]);
}

/** On a machine that never idles such a thread would never end: it gets a tenth of a share. */
export const takeShare = async (thread: number): Promise<void> =>
  void (await chrt(["-o", "-p", "0", String(thread)]));

/** Whether this system lets who went into that class out again: it may take a privilege. */
let comesBack: Promise<boolean> | undefined;

/** Whether it was done. */
function chrt(options: readonly string[]): Promise<boolean> {
  const child = spawn("chrt", options, { stdio: "ignore" });
  child.unref();
  return new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("exit", (code) => resolve(code === 0));
  });
}
