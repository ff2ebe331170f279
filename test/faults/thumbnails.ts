import sharp from "sharp";
import type { Caller } from "../../bench/matrix/files.ts";
import {
  makeThumbnails,
  SIZE,
  thumbnailPath,
  uploadImages,
} from "../../bench/matrix/images.ts";
import { Client } from "./client.ts";
import {
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
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
    const beside: number[] = [];
    const syncOn = async () => {
      while (!isOver) beside.push(...(await timesOf(sync, 20)));
    };
    const making = makeThumbnails(caller, ids).finally(() => (isOver = true));
    const [failures] = await Promise.all([making, syncOn()]);
    const strange = await listStrange(caller, ids);
    const late = p99Of(beside);
    return {
      counts: {
        thumbnails: units,
        "syncs beside them": beside.length,
        "µs p99 of a sync alone": Math.round(alone * 1000),
        "µs p99 of a sync beside them": Math.round(late * 1000),
      },
      claims: {
        "every thumbnail was made": [...failures, ...tell(strange)],
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

/** Thumbnails that are not of the size asked for: an image that was sent on as it came is none. */
async function listStrange(
  { url, token }: Caller,
  ids: readonly string[],
): Promise<string[]> {
  const strange: string[] = [];
  const headers = { authorization: `Bearer ${token}` };
  for (const id of ids) {
    const answer = await fetch(`${url}${thumbnailPath(id)}`, { headers });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const { width, height } = await sharp(bytes).metadata();
    if (width !== SIZE.width || height !== SIZE.height)
      strange.push(`${id}: ${width} × ${height}`);
  }
  return strange;
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
