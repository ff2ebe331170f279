// An attacker's own thread, so that the measuring one is not late for its sake.
import { parentPort, workerData } from "node:worker_threads";
import { ATTACKS, Tally, type Victim } from "./attacks.ts";

const { name, victim } = workerData as { name: string; victim: Victim };
const tally = new Tally();
const end = ATTACKS[name]?.(victim, tally);
parentPort?.once("message", () => {
  end?.();
  parentPort?.postMessage(tally.counts);
});
