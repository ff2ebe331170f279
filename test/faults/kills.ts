import { setTimeout as pause } from "node:timers/promises";
import { listHalfDone } from "./half-done.ts";
import { Load } from "./load.ts";
import { signal } from "./processes.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { seededChance, type Chance } from "./random.ts";
import { FaultServer } from "./server.ts";

export interface Kill {
  name: string;
  /** How many of them are in a round. */
  share: number;
  run(server: FaultServer, chance: Chance): Promise<void>;
}

/** A round of these is 20 kills. */
export const KILLS: readonly Kill[] = [
  {
    name: "one serving process",
    share: 6,
    async run(server, chance) {
      const pids = server.workerPids();
      if (pids.length > 0) signal(chance.pick(pids), "SIGKILL");
    },
  },
  {
    name: "all processes of the server",
    share: 4,
    async run(server) {
      await server.killProcesses();
      await server.launch();
    },
  },
  {
    name: "all processes and PostgreSQL",
    share: 3,
    async run(server) {
      if (server.isPostgresRunning()) server.killPostgres();
      await server.killProcesses();
      await server.launch();
    },
  },
  {
    name: "PostgreSQL's first process",
    share: 2,
    async run(server) {
      if (server.isPostgresRunning()) signal(server.postmasterPid(), "SIGKILL");
    },
  },
  {
    name: "all processes of PostgreSQL",
    share: 3,
    async run(server) {
      if (server.isPostgresRunning()) server.killPostgres();
    },
  },
  {
    name: "one session of PostgreSQL",
    share: 2,
    async run(server, chance) {
      if (!server.isPostgresRunning()) return;
      const pids = server.backendPids();
      if (pids.length > 0) signal(chance.pick(pids), "SIGKILL");
    },
  },
];

const ROUND = 20;

export const kills: ProofCase = {
  name: "kills",
  unit: "kill -9 under load",
  fullUnits: 1000,
  unitsPerRun: ROUND,
  run: runKills,
};

async function runKills({ seed, units }: RunOptions): Promise<Outcome> {
  const chance = seededChance(seed);
  const server = new FaultServer();
  const load = new Load(server, chance);
  const times: number[] = [];
  const counts: Record<string, number> = {};
  try {
    await server.start();
    await load.prepare();
    load.start();
    await load.progress(20);
    for (const kill of planKills(KILLS, chance, units)) {
      await pause(chance.between(0, 400));
      await kill.run(server, chance);
      counts[kill.name] = (counts[kill.name] ?? 0) + 1;
      // One of five is followed by another while what it killed starts again.
      if (chance.below(5) === 0) continue;
      times.push(await server.ready());
      await load.progress(20);
    }
    await server.ready();
    const outcome = await load.finish();
    const idle = await server.listIdle();
    return {
      counts: {
        ...counts,
        ...outcome.counts,
        "starts that gave up and were tried again": server.givenUp,
        "longest ms to serve again": Math.round(Math.max(...times)),
      },
      claims: {
        "every process serves again by itself": idle,
        ...outcome.claims,
        "no work is left half done": await listHalfDone(server.databaseUrl()),
      },
    };
  } finally {
    load.abandon();
    await server.remove();
  }
}

/** Each kind as often as its share says, in any order. */
export function planKills(
  kinds: readonly Kill[],
  chance: Chance,
  units: number,
): Kill[] {
  const round = kinds.flatMap((kill) =>
    Array.from({ length: kill.share }, () => kill),
  );
  return Array.from({ length: Math.ceil(units / round.length) }, () =>
    chance.shuffle(round),
  )
    .flat()
    .slice(0, units);
}
