import type { Bench } from "../bench.ts";
import { LABELS } from "../ledger/ledger.ts";
import { Latencies } from "../load/latencies.ts";
import { mapInParallel } from "../load/in-parallel.ts";
import { measureLoad } from "../measure/measure-load.ts";
import { startMeter } from "../measure/meter.ts";
import { refusal } from "../matrix/http.ts";
import { nextBatchIn, sync, syncQuestion } from "../matrix/sync.ts";
import type { Account } from "../matrix/account.ts";
import type { Values } from "../report/measurement.ts";
import { accountInRooms, type RoomsAccount } from "./rooms-account.ts";

const SCENARIO = "B4";
const MAX_EMPTY_SYNCS = 5_000;
const ROUNDS = 200;
const MANY_ROUNDS = 20;
const MANY_ROOMS = 100;

/** B4: a sync when nothing, one room and many rooms have changed. */
export async function measureIncrementalSyncs(bench: Bench): Promise<void> {
  for (const rooms of bench.options.rooms) {
    const account = await accountInRooms(bench, rooms);
    const report = (title: string, values: Values) =>
      bench.report({
        scenario: SCENARIO,
        title: `${rooms} rooms, ${title}`,
        values,
      });
    report("nothing new", await measureEmptySync(bench, account));
    report("1 room changed", await measureChangedRoom(bench, account));
    const many = Math.min(rooms, MANY_ROOMS);
    const values = await measureChangedRooms(bench, account, many);
    report(`${many} rooms changed`, values);
  }
}

/** A first sync may be followed by what it has set off. */
const SETTLING_SYNCS = 3;

export async function settle(reader: Account): Promise<string> {
  let since: string | undefined;
  for (let i = 0; i < SETTLING_SYNCS; i++)
    since = (await sync(reader, { since })).next_batch;
  return since ?? "";
}

export async function measureEmptySync(
  bench: Bench,
  { reader }: RoomsAccount,
): Promise<Values> {
  const question = syncQuestion(reader, { since: await settle(reader) });
  return measureLoad(bench, {
    workers: 1,
    maxOperations: MAX_EMPTY_SYNCS,
    operation: async () => (await reader.http.ask(question)).status === 200,
  });
}

/**
 * Each sync follows a send, for a server may keep the answer to a sync asked
 * twice; the CPU of as many sends alone is taken off.
 */
export async function measureChangedRoom(
  bench: Bench,
  { reader, owner, roomIds }: RoomsAccount,
  load: { rounds?: number; warmUpSeconds?: number } = {},
): Promise<Values> {
  const { seconds } = bench.options;
  const { rounds = ROUNDS, ...rest } = load;
  const alone = await measureLoad(bench, {
    ...rest,
    workers: 1,
    maxOperations: rounds,
    operation: (_worker, turn) =>
      bench.send(owner, roomIds[turn % roomIds.length]!),
  });
  const latencies = new Latencies();
  let since = await settle(reader);
  const end = performance.now() + seconds * 1000;
  const meter = startMeter(bench.target);
  for (let turn = 0; turn < rounds && performance.now() < end; turn++) {
    const labels = await change(bench, owner, [
      roomIds[turn % roomIds.length]!,
    ]);
    const from = performance.now();
    since = await syncUntilShown(reader, since, labels);
    latencies.add(performance.now() - from);
  }
  const { cpuMs, generatorMs } = meter.read(latencies.count);
  return {
    operations: latencies.count,
    ...latencies.summary(),
    ...(cpuMs !== undefined && { cpuMs: cpuMs - (alone.cpuMs ?? 0) }),
    generatorMs,
  };
}

/** A message in each of these rooms; their labels. */
async function change(
  bench: Bench,
  sender: Account,
  roomIds: readonly string[],
): Promise<Set<string>> {
  const labels = await mapInParallel(roomIds, 8, async (roomId) => {
    const entry = bench.ledger.begin(roomId, sender.userId);
    if (!(await bench.deliver(sender, entry)))
      throw new Error(`a message in ${roomId} was refused`);
    return entry.label;
  });
  return new Set(labels);
}

/** Some servers show a little later, or in parts, what they have acknowledged. */
const MAX_SYNCS = 50;
const SHOWN_WITHIN_MS = 10_000;

async function syncUntilShown(
  reader: Account,
  start: string,
  labels: Set<string>,
): Promise<string> {
  let since = start;
  for (let i = 0; i < MAX_SYNCS; i++) {
    const request = { since, timeoutMs: SHOWN_WITHIN_MS };
    const question = syncQuestion(reader, request);
    const answer = await reader.http.ask(question);
    if (answer.status !== 200) throw refusal(question, answer);
    const text = answer.bytes.toString();
    since = nextBatchIn(text);
    for (const [, label] of text.matchAll(LABELS)) labels.delete(label!);
    if (labels.size === 0) return since;
  }
  throw new Error(
    `${labels.size} messages are not shown by ${MAX_SYNCS} syncs`,
  );
}

async function measureChangedRooms(
  bench: Bench,
  { reader, owner, roomIds }: RoomsAccount,
  count: number,
): Promise<Values> {
  const latencies = new Latencies();
  let since = await settle(reader);
  let cpuMs = 0;
  for (let round = 0; round < MANY_ROUNDS; round++) {
    const labels = await change(bench, owner, roomIds.slice(0, count));
    const meter = startMeter(bench.target);
    const from = performance.now();
    since = await syncUntilShown(reader, since, labels);
    latencies.add(performance.now() - from);
    cpuMs += meter.read(1).cpuMs ?? NaN;
  }
  return {
    operations: latencies.count,
    ...latencies.summary(),
    ...(Number.isFinite(cpuMs) && { cpuMs: cpuMs / latencies.count }),
  };
}
