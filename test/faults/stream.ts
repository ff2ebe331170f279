import { once } from "node:events";
import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { tell } from "./proof.ts";
import { FaultServer } from "./server.ts";

export const stream: ProofCase = {
  name: "stream",
  unit: "event by one of 4 processes × 16 writers",
  fullUnits: 1_000_000,
  unitsPerRun: 50_000,
  run: runStream,
};

const PROCESSES = 4;
const READ_EVERY_MS = 5;

/** What a writing process tells at its end. */
export interface Written {
  /** First and last position of each acknowledged write. */
  ranges: [number, number][];
  aborted: number;
}

async function runStream({ seed, units }: RunOptions): Promise<Outcome> {
  const server = new FaultServer({ processes: 1 });
  await server.start();
  const url = server.databaseUrl();
  const sql = postgres(url, { max: 3, onnotice: () => undefined });
  const children: ChildProcess[] = [];
  try {
    const [{ base } = { base: 0 }] = await sql<{ base: number }[]>`
      select coalesce(max(last_position), 0)::int as base from batches`;
    let isRunning = true;
    const follow = () => followEvents(sql, base, () => isRunning);
    const readers = [follow(), follow()];

    const script = join(import.meta.dirname, "stream-writer.js");
    for (let i = 0; i < PROCESSES; i += 1) {
      const share = Math.ceil(units / PROCESSES);
      const args = [url, String(seed * 100 + i), String(share)];
      children.push(fork(script, args, { stdio: "inherit" }));
    }
    const told = await Promise.all(
      children.map(async (child) => {
        const [written] = (await once(child, "message")) as [Written];
        return written;
      }),
    );
    isRunning = false;
    const seen = await Promise.all(readers);
    const ranges = told.flatMap((one) => one.ranges);
    return {
      counts: {
        events: Math.max(...seen.map(({ count }) => count)),
        writes: ranges.length,
        "aborted calls": told.reduce((sum, one) => sum + one.aborted, 0),
        "reads by followers": seen.reduce((sum, { reads }) => sum + reads, 0),
      },
      claims: {
        "no follower saw a position twice, skipped one, or saw one late": tell([
          ...seen.flatMap(({ faults }) => faults),
        ]),
        "no acknowledged position was given out twice": tell(overlaps(ranges)),
        "what was acknowledged was seen": tell(
          seen.flatMap(({ last }) =>
            ranges
              .filter(([, to]) => to > last)
              .map(([, to]) => `${to} lies after the last one seen, ${last}`),
          ),
        ),
      },
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await sql.end({ timeout: 1 });
    await server.remove();
  }
}

interface Followed {
  count: number;
  reads: number;
  last: number;
  faults: string[];
}

/** Reads on from the last position that it saw, as a reader of the stream does. */
async function followEvents(
  sql: postgres.Sql,
  base: number,
  isRunning: () => boolean,
): Promise<Followed> {
  const result: Followed = { count: 0, reads: 0, last: base, faults: [] };
  for (let isLast = false; !isLast; result.reads += 1) {
    isLast = !isRunning();
    await pause(READ_EVERY_MS);
    const rows = await sql<{ position: number }[]>`
      select position::int as position from events where position > ${result.last}
      order by position limit 5000`;
    if (rows.length > 0) isLast = false;
    for (const { position } of rows) {
      if (position !== result.last + 1)
        result.faults.push(`${position} after ${result.last}`);
      result.last = position;
      result.count += 1;
    }
  }
  return result;
}

function overlaps(ranges: readonly [number, number][]): string[] {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  return sorted.flatMap(([from], i) => {
    const before = sorted[i - 1];
    return before && from <= before[1] ? [`${from} was given out twice`] : [];
  });
}
