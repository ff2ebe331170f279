import type { Edges } from "../../edges.ts";
import { listCurrentStateOfRooms } from "../../storage/events.ts";
import { listHeroes, listMemberCounts } from "../../storage/sync-changes.ts";
import { openEvents } from "../rooms/event-store.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

export interface RoomSummary {
  /** Absent where the room has a name or an alias to be called by. */
  "m.heroes"?: string[];
  "m.joined_member_count": number;
  "m.invited_member_count": number;
}

/** Counts and heroes of rooms, with a fixed number of queries. */
export async function readSummaries(
  edges: Needs,
  roomNids: readonly number[],
  userId: string,
): Promise<Map<number, RoomSummary>> {
  if (roomNids.length === 0) return new Map();
  const summaries = new Map<number, RoomSummary>(
    roomNids.map((roomNid) => [
      roomNid,
      {
        "m.joined_member_count": 0,
        "m.invited_member_count": 0,
      },
    ]),
  );
  const { db } = edges;
  for (const { roomNid, joined, invited } of await listMemberCounts(
    db,
    roomNids,
  )) {
    const summary = summaries.get(roomNid)!;
    summary["m.joined_member_count"] = joined;
    summary["m.invited_member_count"] = invited;
  }
  const named = await listNamedRooms(edges, roomNids);
  const nameless = roomNids.filter((roomNid) => !named.has(roomNid));
  const heroes = new Map<number, string[]>(
    nameless.map((roomNid) => [roomNid, []]),
  );
  for (const hero of await listHeroes(db, nameless, userId)) {
    heroes.get(hero.roomNid)?.push(hero.userId);
  }
  for (const [roomNid, userIds] of heroes) {
    summaries.get(roomNid)!["m.heroes"] = userIds;
  }
  return summaries;
}

/** Rooms that clients call by a name or an alias, not by their members. */
async function listNamedRooms(
  edges: Needs,
  roomNids: readonly number[],
): Promise<Set<number>> {
  const heads = await listCurrentStateOfRooms(edges.db, roomNids, [
    "m.room.name",
    "m.room.canonical_alias",
  ]);
  const named = new Set<number>();
  for (const { roomNid, pdu } of await openEvents(edges, heads)) {
    const { name, alias } = pdu.content;
    if (isText(name) || isText(alias)) named.add(roomNid);
  }
  return named;
}

const isText = (value: unknown): boolean =>
  typeof value === "string" && value !== "";
