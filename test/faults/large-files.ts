import { randomBytes } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { readCpuSeconds } from "../../bench/measure/proc.ts";
import { watchResidentBytes } from "../../bench/measure/resident-peak.ts";
import { Client } from "./client.ts";
import type { Outcome, ProofCase, RunOptions } from "./proof.ts";
import { FaultServer } from "./server.ts";

export const largeFiles: ProofCase = {
  name: "large-files",
  unit: "MiB of a file that goes up and comes down",
  fullUnits: 3 * 1024,
  unitsPerRun: 1024,
  run: runLargeFiles,
};

const MIB = 1024 * 1024;
const MOST_GROWTH = 64 * MIB;
/** What a process grows by when it does anything for the first time. */
const WARM_UP_MIB = 32;

async function runLargeFiles({ units }: RunOptions): Promise<Outcome> {
  const server = new FaultServer({
    processes: 1,
    environment: { MYELIN_MEDIA_MAX_UPLOAD_BYTES: String(units * MIB + MIB) },
  });
  const client = new Client(server);
  try {
    await server.start();
    await client.register("sender");
    await roundTrip(server, client, Math.min(units, WARM_UP_MIB));
    const pids = server.workerPids();
    const memory = watchResidentBytes(
      pids.length > 0 ? pids : [server.primaryPid],
    );
    const trip = await roundTrip(server, client, units);
    const { down, isSame, up } = trip;
    const growth = memory.stop() ?? 0;
    const perSecond = (ms: number) => Math.round((units * MIB) / ms / 1000);
    return {
      counts: {
        MiB: units,
        "MB/s up": perSecond(up.ms),
        "MB/s down": perSecond(down.ms),
        "ms of the server's CPU up": up.cpuMs,
        "ms of the server's CPU down": down.cpuMs,
        "MB of memory more": Math.round(growth / 1e6),
      },
      claims: {
        "what came down is what went up": isSame ? [] : ["it differs"],
        "memory grew by no more than 64 MiB":
          growth <= MOST_GROWTH ? [] : [`by ${growth} bytes`],
      },
    };
  } finally {
    client.close();
    await server.remove();
  }
}

/** One MiB that no other one equals. */
function blockOf(block: Buffer, number: number): Buffer {
  block.writeUInt32BE(number);
  return block;
}

interface Cost {
  ms: number;
  /** Of all of the server's processes: what else the machine does leaves it alone. */
  cpuMs: number;
}

interface Trip {
  up: Cost;
  down: Cost;
  isSame: boolean;
}

function startClock(server: FaultServer): () => Cost {
  const cpu = () => readCpuSeconds([server.primaryPid]);
  const begun = { ms: performance.now(), cpu: cpu() };
  return () => ({
    ms: performance.now() - begun.ms,
    cpuMs: Math.round((cpu() - begun.cpu) * 1000),
  });
}

async function roundTrip(
  server: FaultServer,
  client: Client,
  mebibytes: number,
): Promise<Trip> {
  const seed = randomBytes(MIB);
  const goneUp = startClock(server);
  const uri = await send(server, client, seed, mebibytes);
  const up = goneUp();
  const path = `/_matrix/client/v1/media/download/${uri.slice("mxc://".length)}`;
  const comeDown = startClock(server);
  const response = await ask(server, client, "GET", path);
  const isSame = await isWhatWasSent(response, seed, mebibytes);
  return { up, down: comeDown(), isSame };
}

function ask(
  server: FaultServer,
  client: Client,
  method: string,
  path: string,
  body?: { length: number; blocks: Iterable<Buffer> },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${server.url}${path}`,
      {
        method,
        headers: {
          authorization: `Bearer ${client.token ?? ""}`,
          "content-type": "application/octet-stream",
          ...(body && { "content-length": body.length }),
        },
      },
      resolve,
    );
    request.on("error", reject);
    if (body) pipeline(Readable.from(body.blocks), request).catch(reject);
    else request.end();
  });
}

async function send(
  server: FaultServer,
  client: Client,
  seed: Buffer,
  mebibytes: number,
): Promise<string> {
  function* blocks() {
    for (let i = 0; i < mebibytes; i += 1) yield blockOf(Buffer.from(seed), i);
  }
  const body = { length: mebibytes * MIB, blocks: blocks() };
  const path = "/_matrix/media/v3/upload";
  const response = await ask(server, client, "POST", path, body);
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  if (response.statusCode !== 200) throw new Error(`no upload: ${text}`);
  return (JSON.parse(text) as { content_uri: string }).content_uri;
}

async function isWhatWasSent(
  response: IncomingMessage,
  seed: Buffer,
  mebibytes: number,
): Promise<boolean> {
  const block = Buffer.from(seed);
  let at = 0;
  let isSame = response.statusCode === 200;
  for await (const part of response) {
    const chunk = part as Buffer;
    for (let from = 0; from < chunk.length;) {
      const within = at % MIB;
      blockOf(block, Math.floor(at / MIB));
      const length = Math.min(chunk.length - from, MIB - within);
      const differs = chunk.compare(
        block,
        within,
        within + length,
        from,
        from + length,
      );
      if (differs !== 0) isSame = false;
      from += length;
      at += length;
    }
  }
  return isSame && at === mebibytes * MIB;
}
