import { setTimeout as pause } from "node:timers/promises";
import { listHalfDone } from "./half-done.ts";
import { Load } from "./load.ts";
import { signal } from "./processes.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { seededChance } from "./random.ts";
import { FaultServer } from "./server.ts";

export const stopped: ProofCase = {
  name: "stopped",
  unit: "SIGSTOP of one process under load, and SIGCONT",
  fullUnits: 40,
  unitsPerRun: 4,
  run: runStopped,
};

/** So that clients have given up what the stopped process holds, and gone on. */
const FULL_STOP_MS = 30_000;
const SHORT_STOP_MS = 10_000;
/** One connection may have been given to the stopped process. */
const SERVES_MS = 5000;

async function runStopped(options: RunOptions): Promise<Outcome> {
  const { seed, units, isFull } = options;
  const chance = seededChance(seed);
  const server = new FaultServer();
  const load = new Load(server, chance, {
    writers: 12,
    sendsOf10: 2,
    pauseMs: 5,
  });
  const ready: string[] = [];
  const idle: string[] = [];
  try {
    await server.start();
    await load.prepare();
    load.start();
    for (let i = 0; i < units; i += 1) {
      await load.progress(100);
      const pid = chance.pick(server.workerPids());
      signal(pid, "SIGSTOP");
      await pause(isFull ? FULL_STOP_MS : SHORT_STOP_MS);
      await server
        .ready(SERVES_MS)
        .catch(() => ready.push(`not within ${SERVES_MS} ms`));
      signal(pid, "SIGCONT");
      await load.progress(100);
      idle.push(...(await server.listIdle()));
    }
    const { claims, counts } = await load.finish();
    return {
      counts: { stops: units, ...counts },
      claims: {
        "the other process served meanwhile": ready,
        "every process serves again by itself": idle,
        ...claims,
        "no work is left half done": await listHalfDone(server.databaseUrl()),
      },
    };
  } finally {
    load.abandon();
    await server.remove();
  }
}
