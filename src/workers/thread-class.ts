import { spawn, spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { stepBehind } from "./step-behind.ts";

/**
 * Has the calling thread run where nobody else wants to, and gives its number. A thread of
 * the class "idle" is interrupted at once by whoever has work; one that is merely nice goes
 * on for some milliseconds: sends beside logins came twice as late by that. Node knows
 * niceness alone.
 */
export function yieldToAll(): number | undefined {
  if (process.platform !== "linux") return undefined;
  stepBehind();
  const thread = readlinkSync("/proc/thread-self").split("/").at(-1)!;
  spawnSync("chrt", ["-i", "-p", "0", thread], { stdio: "ignore" });
  return Number(thread);
}

/** On a machine that never idles such a thread would never end: it gets a tenth of a share. */
export function takeShare(thread: number): void {
  const child = spawn("chrt", ["-o", "-p", "0", String(thread)], {
    stdio: "ignore",
  });
  child.on("error", () => undefined);
  child.unref();
}
