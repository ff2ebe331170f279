import { readResidentBytes } from "./proc.ts";

const EVERY_MS = 20;

/** How much more memory processes take at their largest than when the watch began. */
export function watchResidentBytes(pids: readonly number[]): {
  stop(): number | undefined;
} {
  const read = () => pids.reduce((sum, pid) => sum + readResidentBytes(pid), 0);
  const before = read();
  let peak = before;
  const look = () => {
    peak = Math.max(peak, read());
  };
  const timer = setInterval(look, EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      look();
      return pids.length === 0 ? undefined : peak - before;
    },
  };
}
