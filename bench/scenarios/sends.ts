import type { Bench } from "../bench.ts";
import { mapInParallel, upTo } from "../load/in-parallel.ts";
import type { Account } from "../matrix/account.ts";
import { measureLoad } from "../measure/measure-load.ts";
import type { Values } from "../report/measurement.ts";
import type { Operation } from "../load/closed-loop.ts";
import { crowdedRoom } from "./crowded-room.ts";

const SCENARIO = "B1";
const ROOMS = 8;
const MANY_ROOMS = 64;

/** B1: how many sends are acknowledged, and what one costs. */
export async function measureSends(bench: Bench): Promise<void> {
  const { senders, members } = bench.options;
  const most = Math.max(...senders);
  for (const count of senders) await measureLayout(bench, count, ROOMS);
  for (const rooms of [1, MANY_ROOMS]) await measureLayout(bench, most, rooms);
  await measureFollowed(bench, most);
  for (const count of members) {
    const values = await measureSendIn(bench, count);
    const title = `1 sender in a room of ${count} members`;
    bench.report({ scenario: SCENARIO, title, values });
  }
}

async function measureLayout(bench: Bench, senders: number, rooms: number) {
  const operation = await spreadSenders(bench, senders, rooms);
  const values = await measureLoad(bench, { workers: senders, operation });
  const title = nameLayout(senders, rooms);
  bench.report({ scenario: SCENARIO, title, values });
}

export const nameLayout = (senders: number, rooms: number): string =>
  `${count(senders, "sender")} in ${count(rooms, "room")}`;

const count = (number: number, noun: string) =>
  `${number} ${noun}${number === 1 ? "" : "s"}`;

/** What makes each of so many senders send in one of so many rooms; the reader owns them unless somebody else is named. */
export async function spreadSenders(
  bench: Bench,
  senders: number,
  rooms: number,
  owner?: Account,
): Promise<Operation> {
  const accounts = await bench.accounts.crowd(senders);
  const plan = dealRooms(senders, rooms);
  const roomIds = await mapInParallel(upTo(rooms), 4, (room) =>
    bench.openRoom(
      accounts.filter((_, i) => plan[i]!.includes(room)),
      owner,
    ),
  );
  return (worker, turn) => {
    const own = plan[worker]!;
    const roomId = roomIds[own[turn % own.length]!]!;
    return bench.send(accounts[worker]!, roomId);
  };
}

/**
 * The rooms of each sender, so that every room and every sender has its share.
 * Each lap begins a room later: accounts are dealt to processes by turns, and
 * a room should be written through all of them.
 */
export const dealRooms = (senders: number, rooms: number): number[][] =>
  upTo(senders).map((sender) => {
    const lap = Math.floor(sender / rooms);
    return upTo(rooms).filter((room) =>
      senders < rooms
        ? room % senders === sender
        : (sender + lap) % rooms === room,
    );
  });

/** A client that follows live, whom the ledger is held against. */
async function measureFollowed(bench: Bench, senders: number): Promise<void> {
  const operation = await spreadSenders(bench, senders, ROOMS);
  const reader = await bench.reader();
  await reader.catchUp();
  reader.follow();
  const load = { workers: senders, operation };
  const values = await measureLoad(bench, load).finally(() =>
    reader.unfollow(),
  );
  const title = `${nameLayout(senders, ROOMS)}, followed by sync`;
  bench.report({ scenario: SCENARIO, title, values });
}

/** One sender in a room of so many; the reader that owns it is one of them. */
export async function measureSendIn(
  bench: Bench,
  members: number,
): Promise<Values> {
  return measureSendsIn(bench, await crowdedRoom(bench, members));
}

/** One sender in a room that the first of the crowd is in. */
export async function measureSendsIn(
  bench: Bench,
  roomId: string,
): Promise<Values> {
  const [sender] = await bench.accounts.crowd(1);
  const operation = () => bench.send(sender!, roomId);
  return measureLoad(bench, { workers: 1, operation });
}
