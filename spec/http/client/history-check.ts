import { checkReads } from "./history-reads.ts";
import {
  type HistoryClient,
  type HistoryRoom,
  RoomInPlay,
  type Step,
} from "./history-room.ts";
import { throwDice, watchRoom } from "./history-watch.ts";

/** Those who have to do with a room. */
export interface HistoryPeople {
  owner: HistoryClient;
  guests: readonly HistoryClient[];
  stranger: HistoryClient;
}

/**
 * Plays a room, lets everybody look at it on the way, and holds what each of them is
 * served of it in the end against the oracle.
 */
export async function checkRoom(
  { owner, guests, stranger }: HistoryPeople,
  script: readonly Step[],
  chance: number,
  beforeReads: (room: HistoryRoom) => Promise<void> = async () => {},
): Promise<HistoryRoom> {
  const inPlay = await RoomInPlay.begin(owner, guests);
  const middle = throwDice(chance, 1, script.length);
  await inPlay.play(script.slice(0, middle));
  const { events, roomId } = await inPlay.look();
  const viewers = [owner, ...guests, stranger];
  const watches = await watchRoom(viewers, roomId, events.length, chance);
  await inPlay.play(script.slice(middle));
  const room = await inPlay.look();
  await beforeReads(room);
  await checkReads(room, owner, watches, chance);
  return room;
}
