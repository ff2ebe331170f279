import type { Bench } from "../bench.ts";

const rooms = new WeakMap<Bench, Map<number, string>>();

/** A room of so many members, its owner one of them; scenarios share it. */
export async function crowdedRoom(
  bench: Bench,
  members: number,
): Promise<string> {
  const known = roomsOf(bench).get(members);
  if (known !== undefined) return known;
  bench.say(`a room of ${members} members`);
  const roomId = await bench.openRoom(await bench.accounts.crowd(members - 1));
  offerCrowdedRoom(bench, members, roomId);
  return roomId;
}

/** Lets other scenarios have a room that has grown to so many. */
export function offerCrowdedRoom(
  bench: Bench,
  members: number,
  roomId: string,
): void {
  roomsOf(bench).set(members, roomId);
}

function roomsOf(bench: Bench): Map<number, string> {
  const known = rooms.get(bench) ?? new Map<number, string>();
  rooms.set(bench, known);
  return known;
}
