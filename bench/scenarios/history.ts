import type { Bench } from "../bench.ts";
import { mapInParallel, upTo } from "../load/in-parallel.ts";
import { measureCurve } from "../measure/curve.ts";
import { waitUntilQuiet } from "../measure/in-turns.ts";
import { measureLoad } from "../measure/measure-load.ts";
import type { Account } from "../matrix/account.ts";
import {
  joinRoom,
  messagesQuestion,
  tokenAt,
  type PageRequest,
} from "../matrix/rooms.ts";
import type { Values } from "../report/measurement.ts";
import { fillRoom } from "./fill-room.ts";
import { measureChangedRoom } from "./incremental-sync.ts";

const FILLERS = 64;
const PAGE = 50;
const PAGES_A_ROUND = 500;
const SENDS_A_ROUND = 200;
const SYNCS_A_ROUND = 100;
/** Below this a room of its own for each round, since sends make it longer. */
const LONG = 20 * (SENDS_A_ROUND + 2 * SYNCS_A_ROUND);

/** B16: what a longer history of a room does to the cost of the same work. */
export async function measureHistoryGrowth(bench: Bench): Promise<void> {
  const { history, rounds } = bench.options;
  const fillers = await bench.accounts.crowd(FILLERS);
  const [owner, reader] = (await bench.accounts.create(2)) as [
    Account,
    Account,
  ];
  const filled = await mapInParallel(history, 1, async (size) => {
    const count = size < LONG ? rounds : 1;
    return mapInParallel(upTo(count), 1, async () => {
      const roomId = await bench.openRoomOf(owner);
      await mapInParallel([...fillers, reader], FILLERS, (account) =>
        joinRoom(account, roomId),
      );
      await fillRoom(bench, fillers, roomId, size);
      return roomId;
    });
  });
  await waitUntilQuiet([bench.target]);
  const works = worksOf(bench, reader, fillers[0]!);
  for (const [name, work] of works)
    await measureCurve(bench, {
      scenario: "B16",
      title: `${name}, events in the room`,
      points: history.map((size, i) => ({
        size,
        measure: (round) => work(filled[i]![round % filled[i]!.length]!),
      })),
    });
}

type Work = (roomId: string) => Promise<Values>;

/** What adds to the history comes last. */
function worksOf(
  bench: Bench,
  reader: Account,
  sender: Account,
): ReadonlyMap<string, Work> {
  const readPages = (roomId: string, page: Omit<PageRequest, "limit">) =>
    measurePage(bench, reader, roomId, page);
  return new Map<string, Work>([
    ["newest page", (roomId) => readPages(roomId, { dir: "b" })],
    [
      "page in the middle",
      async (roomId) => {
        const entries = bench.ledger.entriesOf(roomId);
        const middle = entries[entries.length >> 1]?.acknowledged?.eventId;
        const from = await tokenAt(reader, roomId, middle ?? "");
        return readPages(roomId, { dir: "b", from });
      },
    ],
    ["oldest page", (roomId) => readPages(roomId, { dir: "f" })],
    [
      "sync, 1 room changed",
      (roomId) => {
        const account = { reader, owner: sender, roomIds: [roomId] };
        const load = { rounds: SYNCS_A_ROUND, warmUpSeconds: 0 };
        return measureChangedRoom(bench, account, load);
      },
    ],
    [
      "send",
      (roomId) =>
        measureLoad(bench, {
          workers: 1,
          warmUpSeconds: 0,
          maxOperations: SENDS_A_ROUND,
          operation: () => bench.send(sender, roomId),
        }),
    ],
  ]);
}

function measurePage(
  bench: Bench,
  reader: Account,
  roomId: string,
  page: Omit<PageRequest, "limit">,
): Promise<Values> {
  const question = messagesQuestion(reader, roomId, { ...page, limit: PAGE });
  return measureLoad(bench, {
    workers: 1,
    maxOperations: PAGES_A_ROUND,
    operation: async () => (await reader.http.ask(question)).status === 200,
  });
}
