import { randomBytes } from "node:crypto";
import { Agent, get } from "node:http";
import sharp from "sharp";
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

const AT_ONCE = 100;
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
    const ids = await uploadImages(server, viewer, units);
    await timesOf(sync, syncs);
    const alone = p99Of(await timesOf(sync, syncs));
    let isOver = false;
    const making = makeAll(server, viewer, ids).finally(() => (isOver = true));
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

/** Photographs of noise, each another one. */
async function uploadImages(
  server: FaultServer,
  client: Client,
  count: number,
): Promise<string[]> {
  const [width, height] = [1600, 1200];
  const noise = randomBytes(width * height * 3);
  const ids: string[] = [];
  for (let i = 0; i < count; i += 1) {
    noise.writeUInt32BE(i);
    const raw = { width, height, channels: 3 } as const;
    const image = await sharp(noise, { raw }).jpeg().toBuffer();
    const response = await fetch(`${server.url}/_matrix/media/v3/upload`, {
      method: "POST",
      body: new Uint8Array(image),
      headers: {
        authorization: `Bearer ${client.token ?? ""}`,
        "content-type": "image/jpeg",
      },
    });
    const { content_uri } = (await response.json()) as { content_uri: string };
    ids.push(content_uri.slice("mxc://".length));
  }
  return ids;
}

/** What went wrong. */
async function makeAll(
  server: FaultServer,
  client: Client,
  ids: readonly string[],
): Promise<string[]> {
  const left = [...ids];
  const failures: string[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const headers = { authorization: `Bearer ${client.token ?? ""}` };
  /** Not by fetch, which costs so much that the syncs beside it would be late of that. */
  const ask = (path: string) =>
    new Promise<number>((resolve, reject) => {
      get(`${server.url}${path}`, { agent, headers }, (response) => {
        response.on("end", () => resolve(response.statusCode ?? 0)).resume();
      }).on("error", reject);
    });
  const lane = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const path = `/_matrix/client/v1/media/thumbnail/${id}`;
      const status = await ask(`${path}?width=320&height=240&method=scale`);
      if (status !== 200) failures.push(`${id}: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  agent.destroy();
  return failures;
}
