import type { Bench } from "../bench.ts";
import { runClosedLoop } from "../load/closed-loop.ts";
import { measureLoad } from "../measure/measure-load.ts";
import type { Account } from "../matrix/account.ts";
import {
  messagesQuestion,
  readPage,
  type PageRequest,
} from "../matrix/rooms.ts";
import type { Values } from "../report/measurement.ts";
import { measureChangedRoom, measureEmptySync } from "./incremental-sync.ts";
import { accountInRooms } from "./rooms-account.ts";
import { measureSendIn } from "./sends.ts";

const SCENARIO = "B16";

/** B16: what a larger room, account and history do to the cost of the same work. */
export async function measureGrowth(bench: Bench): Promise<void> {
  const { members, rooms, history } = bench.options;
  await measureCurve(bench, "send, members in the room", members, (n) =>
    measureSendIn(bench, n),
  );
  await measureCurve(
    bench,
    "empty sync, rooms of the account",
    rooms,
    async (n) => measureEmptySync(bench, await accountInRooms(bench, n)),
  );
  await measureHistory(bench, history);
}

type Point = { size: number; values: Values };

async function measureCurve(
  bench: Bench,
  title: string,
  sizes: readonly number[],
  measure: (size: number) => Promise<Values>,
): Promise<void> {
  const points: Point[] = [];
  for (const size of sizes) {
    const values = await measure(size);
    points.push({ size, values });
    bench.report({ scenario: SCENARIO, title: `${title}: ${size}`, values });
  }
  reportGrowth(bench, title, points);
}

/** The last point's CPU against the first's; its p50 where CPU is not known. */
function reportGrowth(
  bench: Bench,
  title: string,
  points: readonly Point[],
): void {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || first === last) return;
  const metric = first.values.cpuMs === undefined ? "p50Ms" : "cpuMs";
  const growth = (last.values[metric] ?? NaN) / (first.values[metric] ?? NaN);
  bench.report({
    scenario: SCENARIO,
    title: `${title}: ${last.size} against ${first.size}`,
    values: { growth },
  });
}

const FILLERS = 16;
const LONGEST_SECONDS = 3_600;
const PAGE = 50;

/** One room whose history grows, with the same work done at each length. */
async function measureHistory(
  bench: Bench,
  sizes: readonly number[],
): Promise<void> {
  const fillers = await bench.accounts.crowd(FILLERS);
  const [reader] = await bench.accounts.create(1);
  const [sender] = fillers;
  const roomId = await bench.openRoom([...fillers, reader!]);
  const account = { reader: reader!, owner: sender!, roomIds: [roomId] };
  const readPages = async (page: Omit<PageRequest, "limit">) =>
    measurePage(bench, reader!, roomId, page);
  // What adds to the history comes last.
  const works: [string, () => Promise<Values>][] = [
    ["newest page", () => readPages({ dir: "b" })],
    ["oldest page", () => readPages({ dir: "f" })],
    [
      "page in the middle",
      async () =>
        readPages({
          dir: "b",
          from: await findMiddle(bench, reader!, roomId),
        }),
    ],
    ["sync, 1 room changed", () => measureChangedRoom(bench, account)],
    ["send", () => measureSend(bench, sender!, roomId)],
  ];
  const curves = new Map<string, Point[]>(works.map(([name]) => [name, []]));
  for (const size of sizes) {
    await fill(bench, fillers, roomId, size);
    for (const [name, measure] of works) {
      const values = await measure();
      curves.get(name)?.push({ size, values });
      const title = `${name}, events in the room: ${size}`;
      bench.report({ scenario: SCENARIO, title, values });
    }
  }
  for (const [name, points] of curves)
    reportGrowth(bench, `${name}, events in the room`, points);
}

/** Sends until the room holds so many messages. */
async function fill(
  bench: Bench,
  fillers: readonly Account[],
  roomId: string,
  size: number,
): Promise<void> {
  const lacking = size - bench.ledger.entriesOf(roomId).length;
  if (lacking <= 0) return;
  bench.say(`filling a room with ${lacking} messages`);
  await runClosedLoop({
    workers: fillers.length,
    seconds: LONGEST_SECONDS,
    maxOperations: lacking,
    operation: (worker) => bench.send(fillers[worker]!, roomId),
  });
}

const measureSend = (bench: Bench, sender: Account, roomId: string) =>
  measureLoad(bench, {
    workers: 1,
    operation: () => bench.send(sender, roomId),
  });

const MAX_PAGES_READ = 500;

async function measurePage(
  bench: Bench,
  reader: Account,
  roomId: string,
  page: Omit<PageRequest, "limit">,
): Promise<Values> {
  const question = messagesQuestion(reader, roomId, { ...page, limit: PAGE });
  return measureLoad(bench, {
    workers: 1,
    maxOperations: MAX_PAGES_READ,
    operation: async () => (await reader.http.ask(question)).status === 200,
  });
}

const STRIDE = 500;

/** The token of a page halfway back. */
async function findMiddle(
  bench: Bench,
  reader: Account,
  roomId: string,
): Promise<string | undefined> {
  const strides = bench.ledger.entriesOf(roomId).length / STRIDE / 2;
  let from: string | undefined;
  for (let i = 0; i < strides; i++) {
    const { end } = await readPage(reader, roomId, {
      dir: "b",
      limit: STRIDE,
      from,
    });
    if (end === undefined) break;
    from = end;
  }
  return from;
}
