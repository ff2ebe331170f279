import type { Bench } from "../bench.ts";
import { mapInParallel, upTo } from "../load/in-parallel.ts";
import type { Account } from "../matrix/account.ts";
import { through } from "../matrix/accounts.ts";
import { joinRoom } from "../matrix/rooms.ts";

/** A user in many rooms, each of which has its owner besides, and a message; both speak to the first process. */
export interface RoomsAccount {
  readonly reader: Account;
  readonly owner: Account;
  readonly roomIds: readonly string[];
}

interface Stock {
  readonly owner: Account;
  readonly roomIds: string[];
  readonly readers: Map<number, RoomsAccount>;
}

const AT_ONCE = 16;
const SAY_EVERY = 250;
const stocks = new WeakMap<Bench, Promise<Stock>>();

/** Made once for each number of rooms; all of them share the rooms. */
export async function accountInRooms(
  bench: Bench,
  count: number,
): Promise<RoomsAccount> {
  let opening = stocks.get(bench);
  if (opening === undefined) {
    opening = openStock(bench);
    stocks.set(bench, opening);
  }
  const stock = await opening;
  const known = stock.readers.get(count);
  if (known !== undefined) return known;
  const { owner } = stock;
  const lacking = Math.max(0, count - stock.roomIds.length);
  const made = await mapInParallel(upTo(lacking), AT_ONCE, async (i) => {
    if (i % SAY_EVERY === 0) bench.say(`room ${i + 1} of ${lacking}`);
    const roomId = await bench.openRoomOf(owner);
    if (!(await bench.send(owner, roomId)))
      throw new Error(`a message in ${roomId} was refused`);
    return roomId;
  });
  stock.roomIds.push(...made);
  const roomIds = stock.roomIds.slice(0, count);
  const [created] = await bench.accounts.create(1);
  const reader = through(bench.https[0]!, created!);
  bench.say(`joining ${count} rooms`);
  await mapInParallel(roomIds, AT_ONCE, (roomId) => joinRoom(reader, roomId));
  const account = { reader, owner, roomIds };
  stock.readers.set(count, account);
  return account;
}

async function openStock(bench: Bench): Promise<Stock> {
  const [owner] = await bench.accounts.create(1);
  return {
    owner: through(bench.https[0]!, owner!),
    roomIds: [],
    readers: new Map(),
  };
}
