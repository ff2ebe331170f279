import type { Edges } from "../../../edges.ts";
import type { Standing } from "../room-plan.ts";
import type { UserView } from "../user-view.ts";
import { readFilters } from "./list-filters.ts";
import { mergeConfigs, type RoomConfig } from "./required-state.ts";
import {
  byActivity,
  kindOf,
  type ListedRoom,
  type RoomList,
} from "./room-list.ts";
import type { SentRooms } from "./sent-rooms.ts";
import type { SlidingRequest } from "./sliding-request.ts";

/** A room that a list or a subscription asks for, and what of it. */
export interface ChosenRoom {
  room: ListedRoom;
  config: RoomConfig;
}

export interface ChosenRooms {
  /** How many rooms each list has. */
  counts: ReadonlyMap<string, number>;
  /** By number, in the order of the lists, then those that are subscribed to. */
  rooms: ReadonlyMap<number, ChosenRoom>;
  /** The rooms in the window of each list. */
  windows: ReadonlyMap<string, readonly number[]>;
  /** By room id. */
  subscribed: ReadonlyMap<string, number>;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier" | "settings">;

export async function chooseRooms(
  edges: Needs,
  { requester, pos, lists, subscriptions }: SlidingRequest,
  view: UserView,
  list: RoomList,
  sent: SentRooms,
): Promise<ChosenRooms> {
  const all = withLeft(list, view, sent, pos?.position ?? 0);
  const tests = await readFilters(
    edges,
    requester.userId,
    view,
    all,
    lists.map(({ filters }) => filters),
  );
  const counts = new Map<string, number>();
  const windows = new Map<string, readonly number[]>();
  const chosen = new Chooser();
  for (const [i, { name, ranges, config }] of lists.entries()) {
    const rooms = all.filter(tests[i]!);
    counts.set(name, rooms.length);
    const window = new Set(
      ranges.flatMap(([first, last]) => rooms.slice(first, last + 1)),
    );
    for (const room of window) chosen.add(room, config);
    windows.set(
      name,
      [...window].map(({ standing }) => standing.roomNid),
    );
  }
  const subscribed = new Map<string, number>();
  if (subscriptions.size > 0) {
    for (const room of all) {
      const { roomId, roomNid } = room.standing;
      const config = subscriptions.get(roomId);
      if (!config) continue;
      chosen.add(room, config);
      subscribed.set(roomId, roomNid);
    }
  }
  return { counts, rooms: chosen.rooms(), windows, subscribed };
}

/** Who left a room that the connection was sent is told so once, and nobody else is. */
function withLeft(
  { rooms, byNid }: RoomList,
  { standings }: UserView,
  sent: SentRooms,
  after: number,
): readonly ListedRoom[] {
  const isNews = ({ roomNid, position }: Standing): boolean => {
    const known = sent.get(roomNid);
    if (!known) return false;
    return known.kind !== "left" || position > (known.position ?? after);
  };
  const left = standings.filter(
    (standing) =>
      kindOf(standing) === "left" &&
      isNews(standing) &&
      !byNid.has(standing.roomNid),
  );
  if (left.length === 0) return rooms;
  const listed = left.map((standing): ListedRoom => ({
    standing,
    kind: "left",
    bump: standing.position,
  }));
  return [...rooms, ...listed].sort(byActivity);
}

/** Gathers what is wanted of rooms; equal combinations of wishes are merged once. */
class Chooser {
  readonly #rooms = new Map<number, { room: ListedRoom; wishes: number[] }>();
  readonly #configs: RoomConfig[] = [];
  readonly #numbers = new Map<RoomConfig, number>();

  add(room: ListedRoom, config: RoomConfig): void {
    let number = this.#numbers.get(config);
    if (number === undefined) {
      number = this.#configs.push(config) - 1;
      this.#numbers.set(config, number);
    }
    const { roomNid } = room.standing;
    const known = this.#rooms.get(roomNid);
    if (known) known.wishes.push(number);
    else this.#rooms.set(roomNid, { room, wishes: [number] });
  }

  rooms(): Map<number, ChosenRoom> {
    const merged = new Map<string, RoomConfig>();
    return new Map(
      [...this.#rooms].map(([roomNid, { room, wishes }]) => {
        const key = wishes.join(" ");
        let config = merged.get(key);
        if (!config) {
          config = wishes.map((i) => this.#configs[i]!).reduce(mergeConfigs);
          merged.set(key, config);
        }
        return [roomNid, { room, config }] as const;
      }),
    );
  }
}
