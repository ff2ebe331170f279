import type { Edges } from "../../edges.ts";
import { listCurrentStateOfRooms } from "../../storage/events.ts";
import { countJoinedMembers } from "../../storage/memberships.ts";
import { listRoomPushers, type RoomPusherRow } from "../../storage/pushers.ts";
import { groupBy } from "../../util/group-by.ts";
import { openedSlot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { openEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

/** Whom a room's events are pushed to, and what push rules ask of the room. */
export interface PushedRoom {
  stateVersion: number;
  pushers: readonly RoomPusherRow[];
  memberCount: number;
  create?: StoredEvent;
  powerLevels?: StoredEvent;
}

interface PushedRooms {
  /** Of which shards the pushers are. */
  shards: string;
  rooms: WeightedCache<number, PushedRoom>;
}

const pushedRooms = openedSlot((): PushedRooms => ({
  shards: "",
  rooms: new WeightedCache(500_000, ({ pushers }) => 2 + pushers.length),
}));

/** Somebody's pushers have changed. */
export const forgetPushedRooms = ({ memory }: Pick<Edges, "memory">): void =>
  memory.of(pushedRooms).rooms.clear();

/** The rooms at these state versions or later, with one query of each kind for all that moved. */
export async function readPushedRooms(
  edges: Pick<Edges, "db" | "keyring" | "memory">,
  versions: ReadonlyMap<number, number>,
  shards: readonly number[],
): Promise<Map<number, PushedRoom>> {
  const known = edges.memory.of(pushedRooms);
  if (known.shards !== shards.join()) {
    known.shards = shards.join();
    known.rooms.clear();
  }
  const found = new Map<number, PushedRoom>();
  const missing: number[] = [];
  for (const [roomNid, stateVersion] of versions) {
    const room = known.rooms.get(roomNid);
    if (room?.stateVersion === stateVersion) found.set(roomNid, room);
    else missing.push(roomNid);
  }
  if (missing.length === 0) return found;
  for (const [roomNid, room] of await load(edges, missing, versions, shards)) {
    known.rooms.set(roomNid, room);
    found.set(roomNid, room);
  }
  return found;
}

async function load(
  edges: Pick<Edges, "db" | "keyring" | "memory">,
  roomNids: readonly number[],
  versions: ReadonlyMap<number, number>,
  shards: readonly number[],
): Promise<[number, PushedRoom][]> {
  const { db } = edges;
  const pushers = groupBy(
    await listRoomPushers(db, roomNids, shards),
    ({ roomNid }) => roomNid,
  );
  // Of a room without them nothing else is asked.
  const pushed = [...pushers.keys()];
  const [counts, heads] = await Promise.all([
    countJoinedMembers(db, pushed),
    listCurrentStateOfRooms(db, pushed, [
      "m.room.create",
      "m.room.power_levels",
    ]),
  ]);
  const state = await openEvents(edges, heads);
  return roomNids.map((roomNid) => {
    const find = (type: string) =>
      state.find((event) => event.roomNid === roomNid && event.type === type);
    const create = find("m.room.create");
    const powerLevels = find("m.room.power_levels");
    return [
      roomNid,
      {
        stateVersion: versions.get(roomNid)!,
        pushers: pushers.get(roomNid) ?? [],
        memberCount: counts.get(roomNid) ?? 0,
        ...(create && { create }),
        ...(powerLevels && { powerLevels }),
      },
    ];
  });
}
