import type { RoomEventFilter } from "../../core/filter.ts";
import { isJsonObject } from "../../core/json.ts";
import { listCurrentStateOfRooms } from "../../storage/events.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";
import { listWithheld, type PolicyEdges } from "../policies/enforce.ts";
import { openEvents } from "../rooms/event-store.ts";

type Needs = PolicyEdges;

/** Rooms by their id, with whether the user is in them now. */
export type SearchedRooms = ReadonlyMap<
  string,
  { roomNid: number; isJoined: boolean }
>;

/** A room that was upgraded again and again: so many of those before it. */
const MOST_PREDECESSORS = 10;

/**
 * The rooms that a search looks into: those that the user is in or has left, and of
 * named ones what they replaced.
 */
export async function listSearchedRooms(
  edges: Needs,
  userId: string,
  { rooms: named, notRooms }: Pick<RoomEventFilter, "rooms" | "notRooms">,
): Promise<SearchedRooms> {
  const memberships = await listMembershipsOf(edges.db, userId, [
    "join",
    "leave",
    "ban",
  ]);
  const withheld = await listWithheld(
    edges,
    userId,
    memberships.map(({ roomNid }) => roomNid),
  );
  const known = new Map(
    memberships
      .filter((of) => !of.isForgotten && !withheld.has(of.roomNid))
      .map(({ roomId, roomNid, membership }) => [
        roomId,
        { roomNid, isJoined: membership === "join" },
      ]),
  );
  const wanted = named ? await withPredecessors(edges, known, named) : known;
  const without = new Set(notRooms);
  return new Map([...wanted].filter(([roomId]) => !without.has(roomId)));
}

/** One query more for each time that a room was upgraded, however many rooms there are. */
async function withPredecessors(
  edges: Needs,
  known: SearchedRooms,
  named: readonly string[],
): Promise<SearchedRooms> {
  const wanted = new Map(
    named.flatMap((roomId) => {
      const room = known.get(roomId);
      return room ? [[roomId, room] as const] : [];
    }),
  );
  let newest = [...wanted.values()];
  for (let hop = 0; hop < MOST_PREDECESSORS && newest.length > 0; hop += 1) {
    const heads = await listCurrentStateOfRooms(
      edges.db,
      newest.map(({ roomNid }) => roomNid),
      ["m.room.create"],
    );
    newest = [];
    for (const { pdu } of await openEvents(edges, heads)) {
      const { predecessor } = pdu.content;
      const roomId = isJsonObject(predecessor) && predecessor["room_id"];
      const room = typeof roomId === "string" && known.get(roomId);
      if (!room || wanted.has(roomId as string)) continue;
      wanted.set(roomId as string, room);
      newest.push(room);
    }
  }
  return wanted;
}
