import type { Target } from "../target/target.ts";

/** CPU of the server's processes and of this one, since the meter was started. */
export interface Meter {
  /** Milliseconds for each of so many operations. */
  read(operations: number): { cpuMs?: number; generatorMs: number };
}

export function startMeter(target: Target): Meter {
  const serverBefore = target.cpuSeconds();
  const own = process.cpuUsage();
  return {
    read(operations) {
      const serverAfter = target.cpuSeconds();
      const { user, system } = process.cpuUsage(own);
      const generatorMs = (user + system) / 1000 / operations;
      if (serverBefore === undefined || serverAfter === undefined)
        return { generatorMs };
      const cpuMs = ((serverAfter - serverBefore) * 1000) / operations;
      return { cpuMs, generatorMs };
    },
  };
}
