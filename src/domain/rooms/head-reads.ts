import type { Edges } from "../../edges.ts";
import {
  type EventHead,
  listCurrentStateAt,
  type StatePlace,
} from "../../storage/events.ts";
import { listRoomHeads, type RoomHeadRow } from "../../storage/rooms.ts";
import { gather } from "../../util/gather.ts";
import { groupBy } from "../../util/group-by.ts";
import { slot } from "../../util/process-memory.ts";

type Needs = Pick<Edges, "db" | "memory">;

interface Asked extends Pick<Edges, "db"> {
  roomNid: number;
}

interface AskedPlaces extends Asked {
  places: readonly Omit<StatePlace, "roomNid">[];
}

// A batch lets the writers of all its rooms go on in the same turn, and where another
// process writes too each of them looks again. Whoever asked last has the most time left.
const heads = slot(() =>
  gather(async (asked: readonly Asked[]) => {
    const roomNids = [...new Set(asked.map(({ roomNid }) => roomNid))];
    const rows = await listRoomHeads(asked.at(-1)!.db, roomNids);
    const byRoom = new Map(rows.map((row) => [row.roomNid, row]));
    return mapFound(asked, ({ roomNid }) => byRoom.get(roomNid));
  }),
);

const states = slot(() =>
  gather(async (asked: readonly AskedPlaces[]) => {
    const places = asked.flatMap(({ roomNid, places }) =>
      places.map((place) => ({ ...place, roomNid })),
    );
    const rows = await listCurrentStateAt(asked.at(-1)!.db, places);
    const byRoom = groupBy(rows, ({ roomNid }) => roomNid);
    return mapFound(asked, ({ roomNid }) => byRoom.get(roomNid));
  }),
);

/** A room's head; rooms that are asked for in the same turn share a query. */
export const readHeadRow = (
  { db, memory }: Needs,
  roomNid: number,
): Promise<RoomHeadRow | undefined> => memory.of(heads)({ db, roomNid });

/** Events of a room's current state at (escaped) places, and perhaps at others that were asked for in the same turn. */
export async function readStateHeads(
  { db, memory }: Needs,
  roomNid: number,
  places: AskedPlaces["places"],
): Promise<readonly EventHead[]> {
  return (await memory.of(states)({ db, roomNid, places })) ?? [];
}

function mapFound<K, V>(
  keys: readonly K[],
  find: (key: K) => V | undefined,
): Map<K, V> {
  const found = new Map<K, V>();
  for (const key of keys) {
    const value = find(key);
    if (value !== undefined) found.set(key, value);
  }
  return found;
}
