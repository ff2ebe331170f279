import type { Bench } from "../bench.ts";
import { mapInParallel, upTo } from "../load/in-parallel.ts";
import { holdSnapshot } from "../measure/database-size.ts";
import { measureLoad } from "../measure/measure-load.ts";
import type { Values } from "../report/measurement.ts";
import type { Operation } from "../load/closed-loop.ts";

const SCENARIO = "B1";
const ROOMS = 8;
const MANY_ROOMS = 64;

/** B1: how many sends are acknowledged, and what one costs. */
export async function measureSends(bench: Bench): Promise<void> {
  const { senders, members, snapshotSeconds } = bench.options;
  const most = Math.max(...senders);
  for (const count of senders) await measureLayout(bench, count, ROOMS);
  for (const rooms of [1, MANY_ROOMS]) await measureLayout(bench, most, rooms);
  await measureFollowed(bench, most);
  if (snapshotSeconds > 0) await measureBesideSnapshot(bench, most);
  for (const count of members) {
    const values = await measureSendIn(bench, count);
    const title = `1 sender in a room of ${count} members`;
    bench.report({ scenario: SCENARIO, title, values });
  }
}

async function measureLayout(bench: Bench, senders: number, rooms: number) {
  const operation = await spreadSenders(bench, senders, rooms);
  const values = await measureLoad(bench, { workers: senders, operation });
  const title = `${count(senders, "sender")} in ${count(rooms, "room")}`;
  bench.report({ scenario: SCENARIO, title, values });
}

const count = (number: number, noun: string) =>
  `${number} ${noun}${number === 1 ? "" : "s"}`;

/** What makes each of so many senders send in one of so many rooms. */
export async function spreadSenders(
  bench: Bench,
  senders: number,
  rooms: number,
): Promise<Operation> {
  const accounts = await bench.accounts.crowd(senders);
  const plan = dealRooms(senders, rooms);
  const roomIds = await mapInParallel(upTo(rooms), 4, (room) =>
    bench.openRoom(accounts.filter((_, i) => plan[i]!.includes(room))),
  );
  return (worker, turn) => {
    const own = plan[worker]!;
    const roomId = roomIds[own[turn % own.length]!]!;
    return bench.send(accounts[worker]!, roomId);
  };
}

/** The rooms of each sender, so that every room and every sender has its share. */
export const dealRooms = (senders: number, rooms: number): number[][] =>
  upTo(senders).map((sender) =>
    upTo(rooms).filter((room) =>
      senders < rooms ? room % senders === sender : sender % rooms === room,
    ),
  );

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
  const title = `${count(senders, "sender")} in ${ROOMS} rooms, followed by sync`;
  bench.report({ scenario: SCENARIO, title, values });
}

async function measureBesideSnapshot(bench: Bench, senders: number) {
  const { databaseUrl } = bench.target;
  const { snapshotSeconds: seconds } = bench.options;
  const title = `${count(senders, "sender")} in ${ROOMS} rooms, a snapshot held for ${seconds} s`;
  if (databaseUrl === undefined) {
    const note = "not measured: needs --database";
    bench.report({ scenario: SCENARIO, title, values: {}, note });
    return;
  }
  const operation = await spreadSenders(bench, senders, ROOMS);
  const snapshot = await holdSnapshot(databaseUrl);
  const warmUpSeconds = Math.max(0, seconds - bench.options.seconds);
  const load = { workers: senders, operation, warmUpSeconds };
  const values = await measureLoad(bench, load).finally(snapshot.release);
  bench.report({ scenario: SCENARIO, title, values });
}

/** One sender in a room of so many; the reader that owns it is one of them. */
export async function measureSendIn(
  bench: Bench,
  members: number,
): Promise<Values> {
  bench.say(`a room of ${members} members`);
  const accounts = await bench.accounts.crowd(members - 1);
  const roomId = await bench.openRoom(accounts);
  const operation = () => bench.send(accounts[0]!, roomId);
  return measureLoad(bench, { workers: 1, operation });
}
