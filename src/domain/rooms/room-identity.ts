import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isRoomId } from "../../core/ids.ts";
import { getRoomRules, type RoomRules } from "../../core/room-version.ts";
import { findRoom, listRooms, type RoomRow } from "../../storage/rooms.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";

/** What never changes about a room. */
export interface RoomIdentity {
  roomNid: number;
  roomId: string;
  rules: RoomRules;
}

type Needs = Pick<Edges, "db" | "memory">;

const byId = slot(
  () => new WeightedCache<string, RoomIdentity>(50_000, () => 1),
);
const byNid = slot(
  () => new WeightedCache<number, RoomIdentity>(50_000, () => 1),
);

export async function findRoomIdentity(
  { db, memory }: Needs,
  roomId: string,
): Promise<RoomIdentity | undefined> {
  const known = memory.of(byId).get(roomId);
  if (known) return known;
  const row = isRoomId(roomId) ? await findRoom(db, roomId) : undefined;
  return row && remember(memory, row);
}

/** Throws `M_NOT_FOUND` for a room that this server does not know. */
export async function getRoomIdentity(
  edges: Needs,
  roomId: string,
): Promise<RoomIdentity> {
  const room = await findRoomIdentity(edges, roomId);
  if (!room)
    throw new MatrixError("M_NOT_FOUND", "This room is not known here.");
  return room;
}

export async function mapRoomIdentities(
  { db, memory }: Needs,
  roomNids: Iterable<number>,
): Promise<Map<number, RoomIdentity>> {
  const cache = memory.of(byNid);
  const found = new Map<number, RoomIdentity>();
  const missing: number[] = [];
  for (const roomNid of new Set(roomNids)) {
    const known = cache.get(roomNid);
    if (known) found.set(roomNid, known);
    else missing.push(roomNid);
  }
  if (missing.length > 0) {
    for (const row of await listRooms(db, missing)) {
      found.set(row.roomNid, remember(memory, row));
    }
  }
  return found;
}

function remember(memory: Needs["memory"], row: RoomRow): RoomIdentity {
  const room: RoomIdentity = {
    roomNid: row.roomNid,
    roomId: row.roomId,
    rules: getRoomRules(row.roomVersion),
  };
  memory.of(byId).set(room.roomId, room);
  memory.of(byNid).set(room.roomNid, room);
  return room;
}
