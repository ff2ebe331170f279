import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { Client } from "./client.ts";
import { listHalfDone } from "./half-done.ts";
import { Load } from "./load.ts";
import { signal } from "./processes.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { seededChance } from "./random.ts";
import { FaultServer } from "./server.ts";

export const exhausted: ProofCase = {
  name: "exhausted",
  unit: "time in which every connection to PostgreSQL hangs",
  fullUnits: 50,
  unitsPerRun: 5,
  run: runExhausted,
};

const FULL_MS = 15_000;
const SHORT_MS = 7000;
/** Promised are 5 s; the share runs beside other cases. */
const LONGEST_ANSWER_MS = 6000;
const LONGEST_IN_SHARE_MS = 10_000;
const ASKERS = 60;

/** Ways to make PostgreSQL hang, each answering how it ends. */
const HANGS: Record<
  string,
  (server: FaultServer) => Promise<() => Promise<void>>
> = {
  "locked tables": lockTables,
  "a stopped PostgreSQL": stopPostgres,
};

async function runExhausted(options: RunOptions): Promise<Outcome> {
  const { seed, units, isFull } = options;
  const chance = seededChance(seed);
  const server = new FaultServer();
  const load = new Load(server, chance, { writers: 3 });
  const asker = new Client(server);
  const faults: string[] = [];
  const idle: string[] = [];
  const times: number[] = [];
  const counts: Record<string, number> = {};
  const names = Object.keys(HANGS);
  try {
    await server.start();
    await load.prepare();
    await asker.register("asker");
    const room = encodeURIComponent(load.rooms[0] ?? "");
    await asker.must("POST", `/join/${room}`, {});
    load.start();
    for (let i = 0; i < units; i += 1) {
      await load.progress(10);
      const name = names[(seed + i) % names.length]!;
      const free = await HANGS[name]!(server);
      const end = performance.now() + (isFull ? FULL_MS : SHORT_MS);
      const answered = ask(server, asker, load, end, times);
      await pause(end - performance.now());
      await free();
      faults.push(...(await answered));
      const again = await server.ready();
      idle.push(...(await server.listIdle()));
      await load.progress(10);
      counts[name] = (counts[name] ?? 0) + 1;
      counts["longest ms to serve again"] = Math.max(
        counts["longest ms to serve again"] ?? 0,
        Math.round(again),
      );
    }
    const outcome = await load.finish();
    return {
      counts: {
        ...counts,
        "requests meanwhile": times.length,
        "longest ms for an answer": Math.round(Math.max(...times)),
        ...outcome.counts,
      },
      claims: {
        "every request meanwhile was answered, none with 500": tell(faults),
        "none waited longer than promised": tell(
          times
            .filter(
              (ms) => ms > (isFull ? LONGEST_ANSWER_MS : LONGEST_IN_SHARE_MS),
            )
            .map((ms) => `${Math.round(ms)} ms`),
        ),
        "every process serves again by itself": idle,
        ...outcome.claims,
        "no work is left half done": await listHalfDone(server.databaseUrl()),
      },
    };
  } finally {
    load.abandon();
    asker.close();
    await server.remove();
  }
}

/** Many clients at once, until the time is over. */
async function ask(
  server: FaultServer,
  asker: Client,
  load: Load,
  end: number,
  times: number[],
): Promise<string[]> {
  const faults: string[] = [];
  const room = encodeURIComponent(load.rooms[0] ?? "");
  const places = [
    ["GET", `/rooms/${room}/messages?dir=b`],
    ["GET", "/account/whoami"],
    ["GET", "/sync?timeout=0"],
    ["PUT", `/rooms/${room}/state/m.hang/x`],
  ] as const;
  await Promise.all(
    Array.from({ length: ASKERS }, async (_, i) => {
      const client = new Client(server);
      client.token = asker.token;
      while (performance.now() < end) {
        const begun = performance.now();
        const [method, place] = places[i % places.length]!;
        const body = method === "PUT" ? {} : undefined;
        const status = await client.ask(method, place, body, 20_000).then(
          (answer) => answer.status,
          (error: unknown) => String(error),
        );
        const ms = performance.now() - begun;
        times.push(ms);
        if (status !== 200 && status !== 503)
          faults.push(`${method} ${place}: ${status}`);
        await pause(20);
      }
      client.close();
    }),
  );
  return faults;
}

async function lockTables(server: FaultServer): Promise<() => Promise<void>> {
  const sql = postgres(server.databaseUrl("postgres"), { max: 1 });
  const holder = await sql.reserve();
  await holder`begin`;
  await holder`lock table events, access_tokens, batches in access exclusive mode`;
  return async () => {
    await holder`rollback`;
    holder.release();
    await sql.end({ timeout: 1 });
  };
}

async function stopPostgres(server: FaultServer): Promise<() => Promise<void>> {
  const pids = server.postgresPids();
  for (const pid of pids) signal(pid, "SIGSTOP");
  return async () => {
    for (const pid of pids) signal(pid, "SIGCONT");
  };
}
