import {
  SlidingReader,
  type SlidingAnswer,
  type SlidingRoom,
} from "../../support/sliding-reader.ts";
import { SyncReader } from "../../support/sync-reader.ts";
import type { Json } from "../../support/server.ts";
import type { HistoryClient } from "./history-room.ts";

/** What a viewer is told of a room before it goes on, so that they are told the rest. */
export interface HistoryWatch {
  /** How many events there were. */
  at: number;
  sync: SyncReader;
  sliding: SlidingWatch;
}

/** Everything, or members as they are needed beside one other thing. */
const WANTED_STATE = [
  [["*", "*"]],
  [
    ["m.room.member", "$LAZY"],
    ["m.room.topic", ""],
  ],
] as const;

/** One room on a connection of sliding sync, by a list or by a subscription. */
export class SlidingWatch {
  readonly roomId: string;
  readonly isLazy: boolean;
  readonly #isListed: boolean;
  readonly #reader: SlidingReader;
  /** How much of the timeline was asked for last. */
  limit = 0;
  /** What the first answer told. */
  told: SlidingRoom | undefined;

  constructor(
    client: HistoryClient,
    roomId: string,
    { purpose, dice }: { purpose: string; dice: number },
  ) {
    this.roomId = roomId;
    this.#isListed = dice % 2 === 0;
    this.isLazy = dice % 4 > 1;
    const conn_id = `${purpose} ${roomId}`;
    this.#reader = new SlidingReader(client, { conn_id });
  }

  async next(timeline_limit: number): Promise<SlidingRoom | undefined> {
    const required_state = WANTED_STATE[this.isLazy ? 1 : 0];
    const config = { timeline_limit, required_state };
    // Nothing has happened since in any other room of the viewer's.
    const asked: Json = this.#isListed
      ? { lists: { newest: { ranges: [[0, 0]], ...config } } }
      : { room_subscriptions: { [this.roomId]: config } };
    const { rooms }: SlidingAnswer = await this.#reader.next(asked);
    return rooms[this.roomId];
  }
}

/** Lets each viewer see the room as it is. */
export async function watchRoom(
  viewers: readonly HistoryClient[],
  roomId: string,
  at: number,
  chance: number,
): Promise<Map<HistoryClient, HistoryWatch>> {
  const watches = viewers.map(async (viewer, i) => {
    const filter = { room: { rooms: [roomId], timeline: { limit: 1 } } };
    const sync = new SyncReader(viewer, { filter });
    const dice = throwDice(chance, i, 4);
    const sliding = new SlidingWatch(viewer, roomId, {
      purpose: "watch",
      dice,
    });
    sliding.limit = 1 + throwDice(chance, i, 7);
    const [told] = await Promise.all([
      sliding.next(sliding.limit),
      sync.next(),
    ]);
    sliding.told = told;
    return [viewer, { at, sync, sliding }] as const;
  });
  return new Map(await Promise.all(watches));
}

/** Which of so many ways chance takes, for each salt another. */
export const throwDice = (chance: number, salt: number, ways: number): number =>
  (Math.imul(chance + 31 * salt + 1, 0x9e3779b1) >>> 8) % ways;
