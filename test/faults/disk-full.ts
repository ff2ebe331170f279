import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "./client.ts";
import { listHalfDone } from "./half-done.ts";
import { Load } from "./load.ts";
import {
  NotRun,
  tell,
  type Outcome,
  type ProofCase,
  type RunOptions,
} from "./proof.ts";
import { seededChance } from "./random.ts";
import { FaultServer } from "./server.ts";

export const diskFull: ProofCase = {
  name: "disk-full",
  unit: "time in which the disk of PostgreSQL is full",
  fullUnits: 50,
  unitsPerRun: 5,
  run: runDiskFull,
};

const SIZE = "400m";
const FULL_MS = 10_000;
const SHORT_MS = 3000;
/** The program's data folder is a small disk of its own, that nobody else sees. */
const WRAPPER = [
  "unshare",
  "-m",
  "sh",
  "-c",
  `mkdir -p data && mount -t tmpfs -o size=${SIZE},mode=711 tmpfs data && exec "$@"`,
  "sh",
];

async function runDiskFull(options: RunOptions): Promise<Outcome> {
  const probe = spawnSync("unshare", [
    "-m",
    "mount",
    "-t",
    "tmpfs",
    "t",
    "/mnt",
  ]);
  if (probe.status !== 0)
    throw new NotRun("mounting a small disk is not allowed here");
  const { seed, units, isFull } = options;
  const chance = seededChance(seed);
  const server = new FaultServer({ wrapper: WRAPPER });
  const load = new Load(server, chance, { sendsOf10: 8, pauseMs: 2 });
  const prober = new Client(server);
  const seen = { refused: 0, read: 0, faults: [] as string[] };
  let longest = 0;
  try {
    await server.start();
    await load.prepare();
    await prober.register("prober");
    load.start();
    for (let i = 0; i < units; i += 1) {
      await load.progress(50);
      const free = fillDisk(server);
      await probeUntil(
        prober,
        performance.now() + (isFull ? FULL_MS : SHORT_MS),
        seen,
      );
      free();
      const begun = performance.now();
      await server.ready();
      await load.progress(50);
      longest = Math.max(longest, performance.now() - begun);
    }
    const { claims, counts } = await load.finish();
    return {
      counts: {
        "full disks": units,
        "writes refused meanwhile": seen.refused,
        "reads answered meanwhile": seen.read,
        "longest ms to acknowledge again": Math.round(longest),
        ...counts,
      },
      claims: {
        "writes met a full disk": seen.refused > 0 ? [] : ["none was refused"],
        "writes were refused with 503 M_UNKNOWN, reads went on": tell(
          seen.faults,
        ),
        "every process serves again by itself": await server.listIdle(),
        ...claims,
        "no work is left half done": await listHalfDone(server.databaseUrl()),
      },
    };
  } finally {
    load.abandon();
    prober.close();
    await server.remove();
  }
}

/** Takes all space that is left; the function gives it back. */
function fillDisk(server: FaultServer): () => void {
  const file = join(
    `/proc/${server.primaryPid}/root`,
    server.folder,
    "data",
    "fill",
  );
  const handle = openSync(file, "w");
  for (const size of [2 ** 20, 4096]) {
    const block = Buffer.alloc(size, 1);
    try {
      for (;;) if (writeSync(handle, block) < size) break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  return () => {
    ftruncateSync(handle, 0);
    closeSync(handle);
    rmSync(file);
  };
}

/** Writes that need room, and reads, each answered as it must be. */
async function probeUntil(
  client: Client,
  end: number,
  seen: { refused: number; read: number; faults: string[] },
): Promise<void> {
  const owner = encodeURIComponent(client.userId);
  for (let i = 0; performance.now() < end; i += 1) {
    const place = `/user/${owner}/account_data/m.full.${i}`;
    const body = { text: "x".repeat(8000) };
    const answer = await client.ask("PUT", place, body).catch(String);
    if (typeof answer === "string") seen.faults.push(answer);
    else if (answer.status === 503 && answer.body["errcode"] === "M_UNKNOWN")
      seen.refused += 1;
    else if (answer.status !== 200)
      seen.faults.push(`PUT: ${answer.status} ${JSON.stringify(answer.body)}`);
    const read = await client.ask("GET", "/sync?timeout=0").catch(String);
    if (typeof read !== "string" && read.status === 200) seen.read += 1;
    else seen.faults.push(`GET /sync: ${JSON.stringify(read)}`);
    await pause(5);
  }
}
