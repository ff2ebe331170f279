import type { Bench } from "../bench.ts";
import { mapInParallel, upTo } from "../load/in-parallel.ts";
import { measureCurve } from "../measure/curve.ts";
import { waitUntilQuiet } from "../measure/in-turns.ts";
import { measureLoad } from "../measure/measure-load.ts";
import type { Account } from "../matrix/account.ts";
import { joinQuestion, joinRoom } from "../matrix/rooms.ts";
import type { Values } from "../report/measurement.ts";
import { offerCrowdedRoom } from "./crowded-room.ts";
import { storedEach } from "./stored-each.ts";

const SCENARIO = "B15";
const AT_ONCE = 16;
const LONGEST_SECONDS = 1_800;

/** B15: what a join takes on disk, and what it costs as its room grows. */
export async function measureJoins(bench: Bench): Promise<void> {
  const { size, rounds } = bench.options;
  const accounts = await bench.accounts.crowd(size - 1);
  const plan = planJoins(size, rounds);
  const opened: Room[][] = [];
  for (const { joined, rooms } of plan) {
    const isLargest = opened.length === plan.length - 1;
    if (isLargest) bench.say(`a room that ${joined} join`);
    const made = await mapInParallel(upTo(rooms), 1, async () => {
      const roomId = await bench.openRoom([]);
      const before = await bench.target.storedBytes();
      await mapInParallel(accounts.slice(0, joined), AT_ONCE, (account) =>
        joinRoom(account, roomId),
      );
      const after = await bench.target.storedBytes();
      return { roomId, joined, grown: storedEach(before, after, joined) };
    });
    opened.push(made);
  }
  const [largest] = opened.at(-1)!;
  bench.report({
    scenario: SCENARIO,
    title: `a join, the room growing to ${largest!.joined + 1}`,
    ...largest!.grown,
  });
  await waitUntilQuiet([bench.target]);
  await measureCurve(bench, {
    scenario: SCENARIO,
    title: "a join, members of the room",
    points: plan.map(({ size: members, window }, i) => ({
      size: members,
      measure: async (round) => {
        const room = opened[i]![round % opened[i]!.length]!;
        const joiners = accounts.slice(room.joined, room.joined + window);
        room.joined += window;
        return joinInTurn(bench, room.roomId, joiners);
      },
    })),
  });
  offerCrowdedRoom(bench, size, largest!.roomId);
}

interface Room {
  readonly roomId: string;
  readonly grown: ReturnType<typeof storedEach>;
  joined: number;
}

interface JoinPlan {
  readonly size: number;
  /** Each round has a room of its own, or all rounds the same. */
  readonly rooms: number;
  /** How many have joined each before it is measured. */
  readonly joined: number;
  /** How many joins a round measures. */
  readonly window: number;
}

const WINDOW = 100;
const SMALLER = [100, 1_000];

/** The joins around the 100th and the 1,000th, and the last of the largest room. */
export function planJoins(size: number, rounds: number): JoinPlan[] {
  const joins = size - 1;
  const window = Math.min(WINDOW, Math.ceil(joins / rounds / 4));
  return [
    ...SMALLER.filter((smaller) => smaller * 2.5 < size).map((smaller) => ({
      size: smaller,
      rooms: rounds,
      joined: smaller - Math.floor(window / 2),
      window,
    })),
    { size, rooms: 1, joined: joins - rounds * window, window },
  ];
}

/** One after the other, for a commit that several share costs each of them less. */
const joinInTurn = (
  bench: Bench,
  roomId: string,
  joiners: readonly Account[],
): Promise<Values> =>
  measureLoad(bench, {
    workers: 1,
    warmUpSeconds: 0,
    seconds: LONGEST_SECONDS,
    maxOperations: joiners.length,
    operation: async (_worker, turn) => {
      const joiner = joiners[turn]!;
      const answer = await joiner.http.ask(joinQuestion(joiner, roomId));
      return answer.status === 200;
    },
  });
