import type { RoomEvent } from "../../support/rooms.ts";
import type { HistoryOracle } from "./history-oracle.ts";
import type { HistoryClient } from "./history-room.ts";
import type { HistoryWatch } from "./history-watch.ts";

/** One viewer of one room, and what the oracle says of them. */
export interface Scene {
  viewer: HistoryClient;
  roomId: string;
  events: readonly RoomEvent[];
  oracle: HistoryOracle;
  roots: readonly string[];
  /** Some places in the room, by chance. */
  places: readonly number[];
  /** A token of the room's history, and how many events lie before it. */
  token: string;
  tokenAt: number;
  watch: HistoryWatch;
  chance: number;
}

/** A way to read a room: what it serves has to be what the oracle says. */
export interface ReadPath {
  name: string;
  check(scene: Scene): Promise<void>;
}

export const idsAt = (
  { events }: Scene,
  indexes: readonly number[],
): string[] => indexes.map((index) => events[index]!.event_id);
