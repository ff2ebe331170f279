import { makeThumbnails, uploadImages } from "../../bench/matrix/images.ts";
import { Client } from "./client.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { FaultServer } from "./server.ts";

export const thumbnails: ProofCase = {
  name: "thumbnails",
  unit: "thumbnail that is made while others sync, a hundred asked for at once",
  fullUnits: 900,
  unitsPerRun: 300,
  run: runThumbnails,
};

/** How much later the latest syncs may be. */
const MOST_SLOWER = 1.2;
const SYNCS = 4000;
const SHORT_SYNCS = 300;

async function runThumbnails(options: RunOptions): Promise<Outcome> {
  const { isFull, units } = options;
  const server = new FaultServer({ processes: 1 });
  const client = new Client(server);
  const viewer = new Client(server);
  try {
    await server.start();
    await client.register("syncer");
    await viewer.register("viewer");
    const { next_batch: since } = await client.must("GET", "/sync?timeout=0");
    const sync = () =>
      client.must("GET", `/sync?timeout=0&since=${String(since)}`);
    const syncs = isFull ? SYNCS : SHORT_SYNCS;
    const caller = { url: server.url, token: viewer.token ?? "" };
    const ids = await uploadImages(caller, units);
    await timesOf(sync, syncs);
    const alone = p99Of(await timesOf(sync, syncs));
    let isOver = false;
    const making = makeThumbnails(caller, ids).finally(() => (isOver = true));
    const beside: number[] = [];
    while (!isOver) beside.push(...(await timesOf(sync, 20)));
    const failures = await making;
    const late = p99Of(beside);
    return {
      counts: {
        thumbnails: units,
        "syncs beside them": beside.length,
        "µs p99 of a sync alone": Math.round(alone * 1000),
        "µs p99 of a sync beside them": Math.round(late * 1000),
      },
      claims: {
        "every thumbnail was made": failures,
        ...(isFull && {
          "syncs are no more than a fifth later":
            late <= alone * MOST_SLOWER
              ? []
              : [`${late.toFixed(2)} ms after ${alone.toFixed(2)} ms`],
        }),
      },
    };
  } finally {
    client.close();
    viewer.close();
    await server.remove();
  }
}

async function timesOf(
  ask: () => Promise<unknown>,
  count: number,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const begun = performance.now();
    await ask();
    times.push(performance.now() - begun);
  }
  return times;
}

const p99Of = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0;
