import { setTimeout as wait } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import { readMemory } from "../measure/proc.ts";
import { sync, syncQuestion } from "../matrix/sync.ts";
import type { Values } from "../report/measurement.ts";

const SCENARIO = "B13";
const BYTES_PER_MB = 1024 * 1024;
const SETTLE_MS = 5_000;
const POLL_MS = 110_000;

/** B13: the memory of a process that has nothing to do, and of clients that wait. */
export async function measureWaiting(bench: Bench): Promise<void> {
  const report = (title: string, values: Values, note?: string) =>
    bench.report({
      scenario: SCENARIO,
      title,
      values,
      ...(note !== undefined && { note }),
    });
  const { target, options } = bench;
  const pids = target.serverPids();
  if (pids.length === 0) {
    report("an idle process", {}, "not measured: needs --pids");
    return;
  }
  await wait(SETTLE_MS);
  const idle = memoryOf(pids);
  const each = (bytes: number) => bytes / pids.length / BYTES_PER_MB;
  report("an idle process", {
    residentMb: each(idle.residentBytes),
    proportionalMb: each(idle.proportionalBytes),
  });
  report("its database", memoryValues(target.databasePids()));
  report("idle for a while", await measureCpu(bench));
  if (options.waiting > 0) await measureClients(bench, report);
}

const memoryOf = (pids: readonly number[]) =>
  pids.map(readMemory).reduce(
    (sum, one) => ({
      residentBytes: sum.residentBytes + one.residentBytes,
      proportionalBytes: sum.proportionalBytes + one.proportionalBytes,
    }),
    { residentBytes: 0, proportionalBytes: 0 },
  );

function memoryValues(pids: readonly number[]): Values {
  const { residentBytes, proportionalBytes } = memoryOf(pids);
  return {
    residentMb: residentBytes / BYTES_PER_MB,
    proportionalMb: proportionalBytes / BYTES_PER_MB,
  };
}

/** Of one core, while nobody asks for anything. */
async function measureCpu({ target, options }: Bench): Promise<Values> {
  const before = target.cpuSeconds() ?? NaN;
  const begun = performance.now();
  await wait(options.seconds * 1000);
  const seconds = (performance.now() - begun) / 1000;
  return {
    cpuPercent: (((target.cpuSeconds() ?? NaN) - before) / seconds) * 100,
  };
}

async function measureClients(
  bench: Bench,
  report: (title: string, values: Values) => void,
): Promise<void> {
  const { waiting } = bench.options;
  bench.say(`${waiting} clients begin to wait`);
  const clients = await bench.accounts.crowd(waiting);
  const tokens = await mapInParallel(clients, 8, (client) => sync(client));
  const pids = bench.target.serverPids();
  const residentBytes = async () => {
    await wait(SETTLE_MS);
    await bench.target.collect();
    return memoryOf(pids).residentBytes;
  };
  const before = await residentBytes();
  const polls = clients.map((client, i) => {
    const since = tokens[i]!.next_batch;
    const request = { since, timeoutMs: POLL_MS };
    return client.http.poll(syncQuestion(client, request));
  });
  const after = await residentBytes();
  const cpu = await measureCpu(bench);
  await Promise.all(bench.https.map((http) => http.dropPolls()));
  await Promise.all(polls);
  report(`${waiting} waiting clients, each`, {
    bytesEach: (after - before) / waiting,
    ...cpu,
  });
}
