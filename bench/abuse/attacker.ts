import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Victim } from "./attacks.ts";

export interface Attacker {
  /** Ends it, and answers how often it was answered what. */
  stop(): Promise<Record<string, number>>;
}

export async function attack(name: string, victim: Victim): Promise<Attacker> {
  const worker = new Worker(new URL("./worker.js", import.meta.url), {
    workerData: { name, victim },
  });
  await once(worker, "online");
  return {
    async stop() {
      const told = once(worker, "message");
      worker.postMessage("stop");
      const [counts] = (await told) as [Record<string, number>];
      await worker.terminate();
      return counts;
    },
  };
}
