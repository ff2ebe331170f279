import type { Bench } from "../bench.ts";
import { runClosedLoop } from "../load/closed-loop.ts";
import type { StoredBytes } from "../measure/database-size.ts";
import { measureLoad } from "../measure/measure-load.ts";
import type { Account } from "../matrix/account.ts";
import { joinQuestion } from "../matrix/rooms.ts";
import type { Values } from "../report/measurement.ts";
import { spreadSenders } from "./sends.ts";

const SCENARIO = "B15";
const SENDERS = 16;
const ROOMS = 8;
const LONGEST_SECONDS = 1_800;

/** B15: what a message and a join take on disk, and what a join costs as its room grows. */
export async function measureStorage(bench: Bench): Promise<void> {
  await measureMessages(bench);
  await measureJoins(bench);
}

async function measureMessages(bench: Bench): Promise<void> {
  const { messages } = bench.options;
  const operation = await spreadSenders(bench, SENDERS, ROOMS);
  const warmUp = { workers: SENDERS, seconds: bench.options.warmUpSeconds };
  await runClosedLoop({ ...warmUp, operation });
  const before = await bench.target.storedBytes();
  const { latencies } = await runClosedLoop({
    workers: SENDERS,
    seconds: LONGEST_SECONDS,
    maxOperations: messages,
    operation,
  });
  const after = await bench.target.storedBytes();
  bench.report({
    scenario: SCENARIO,
    title: "a message",
    ...growthOf(before, after, latencies.count),
  });
}

async function measureJoins(bench: Bench): Promise<void> {
  const { size } = bench.options;
  const accounts = await bench.accounts.crowd(size - 1);
  const roomId = await bench.openRoom([]);
  const before = await bench.target.storedBytes();
  const report = (title: string, values: Values) =>
    bench.report({ scenario: SCENARIO, title, values });
  let done = 0;
  for (const until of segmentsOf(accounts.length)) {
    const joiners = accounts.slice(done, until);
    bench.say(`joins ${done + 1} to ${until}`);
    const values = await measureLoad(bench, {
      workers: 1,
      warmUpSeconds: 0,
      seconds: LONGEST_SECONDS,
      maxOperations: joiners.length,
      operation: (_worker, turn) => tryToJoin(joiners[turn]!, roomId),
    });
    report(`joins ${done + 1} to ${until}`, values);
    done = until;
  }
  const after = await bench.target.storedBytes();
  const title = `a join, the room growing to ${size}`;
  const growth = growthOf(before, after, accounts.length);
  bench.report({ scenario: SCENARIO, title, ...growth });
}

const WINDOW = 100;

/** Where the windows around the 100th join and before the last one end. */
export const segmentsOf = (joins: number): number[] => [
  ...[WINDOW / 2, WINDOW * 1.5, joins - WINDOW].filter(
    (until, i, all) =>
      until < joins && until > (all[i - 1] ?? 0) && joins > WINDOW * 2.5,
  ),
  joins,
];

async function tryToJoin(account: Account, roomId: string): Promise<boolean> {
  const answer = await account.http.ask(joinQuestion(account, roomId));
  return answer.status === 200;
}

const LARGEST = 5;

function growthOf(
  before: StoredBytes | undefined,
  after: StoredBytes | undefined,
  operations: number,
): { values: Values; note?: string } {
  if (before === undefined || after === undefined)
    return {
      values: {},
      note: "not measured: needs --database or --data-folder",
    };
  const each = (bytes: number) => bytes / operations;
  const tables = [...after.tables]
    .map(([name, bytes]) => ({
      name,
      bytes: each(bytes - (before.tables.get(name) ?? 0)),
    }))
    .filter(({ bytes }) => bytes >= 1)
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, LARGEST)
    .map(({ name, bytes }) => `${name} ${bytes.toFixed(0)}`);
  const wal = (after.walPosition ?? NaN) - (before.walPosition ?? NaN);
  return {
    values: {
      operations,
      bytesEach: each(after.total - before.total),
      ...(Number.isFinite(wal) && { walBytesEach: each(wal) }),
    },
    ...(tables.length > 0 && { note: tables.join(", ") }),
  };
}
