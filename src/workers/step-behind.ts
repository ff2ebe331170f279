import { setPriority } from "node:os";

const NICE = 10;

/**
 * Lets the calling thread run behind those that serve. Linux alone has a priority for
 * each thread; elsewhere this would slow the whole process.
 */
export function stepBehind(): void {
  if (process.platform === "linux") setPriority(0, NICE);
}
