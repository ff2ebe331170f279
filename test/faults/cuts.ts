import { setTimeout as pause } from "node:timers/promises";
import { CuttingProxy, MOMENTS } from "./cutting-proxy.ts";
import { listHalfDone } from "./half-done.ts";
import { Load } from "./load.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { seededChance } from "./random.ts";
import { FaultServer } from "./server.ts";

export const cuts: ProofCase = {
  name: "cuts",
  unit: "connection cut in the middle of a commit",
  fullUnits: 5_000,
  unitsPerRun: 250,
  run: runCuts,
};

/** Every so many cuts all connections of all kinds are cut too. */
const ALL_EVERY = 10;

async function runCuts({ seed, units }: RunOptions): Promise<Outcome> {
  const chance = seededChance(seed);
  const keeper = new FaultServer({ processes: 1 });
  await keeper.start();
  const proxy = await CuttingProxy.open(keeper.databaseUrl());
  const server = new FaultServer({
    folder: keeper.folder,
    environment: { MYELIN_DATABASE_URL: proxy.url },
  });
  const load = new Load(server, chance, { sendsOf10: 7, pauseMs: 2 });
  const counts: Record<string, number> = {};
  try {
    await server.start();
    await load.prepare();
    load.start();
    for (let i = 0; i < units; i += 1) {
      const moment = MOMENTS[i % MOMENTS.length]!;
      await proxy.cutNextCommit(moment);
      counts[`cut ${moment}`] = (counts[`cut ${moment}`] ?? 0) + 1;
      if (i % ALL_EVERY === ALL_EVERY - 1) {
        await pause(chance.between(0, 20));
        proxy.cutAll();
      }
      await load.progress(1);
    }
    const { claims, counts: more } = await load.finish();
    return {
      counts: { ...counts, ...more },
      claims: {
        "every process serves again by itself": await server.listIdle(),
        ...claims,
        "no work is left half done": await listHalfDone(keeper.databaseUrl()),
      },
    };
  } finally {
    load.abandon();
    await server.remove();
    await proxy.close();
    await keeper.remove();
  }
}
