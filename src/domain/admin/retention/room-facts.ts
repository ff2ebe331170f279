import type { Edges } from "../../../edges.ts";
import { listCurrentStateOfRooms } from "../../../storage/events.ts";
import {
  listFewMembers,
  listStepsWithin,
  type KnownRoom,
} from "../../../storage/retention-rooms.ts";
import { groupBy } from "../../../util/group-by.ts";
import { mapEvents, openEvents } from "../../rooms/event-store.ts";
import type { StoredEvent } from "../../rooms/stored-event.ts";
import { isSpaceLink } from "../space-scope.ts";
import type { NamedPolicy, RetainedRoom } from "./choose-policy.ts";
import type { RoomClass } from "./policy.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

const TYPES = [
  ...["m.room.join_rules", "m.room.encryption", "m.room.retention"],
  ...["m.room.name", "m.room.canonical_alias", "m.room.create"],
];

/** Which rooms are within a space that policies name: its spaces by a room's id. */
export type SpacesOf = ReadonlyMap<string, ReadonlySet<string>>;

/** What policies go by, of many rooms with the same few queries. */
export async function readRetainedRooms(
  edges: Needs,
  rooms: readonly KnownRoom[],
  spacesOf: SpacesOf,
): Promise<RetainedRoom[]> {
  const roomNids = rooms.map(({ roomNid }) => roomNid);
  const heads = await listCurrentStateOfRooms(edges.db, roomNids, TYPES);
  const state = groupBy(
    await openEvents(edges, heads),
    ({ roomNid }) => roomNid,
  );
  const members = new Map(
    (await listFewMembers(edges.db, roomNids)).map((row) => [
      row.roomNid,
      row.count,
    ]),
  );
  return rooms.map(({ roomNid, roomId }) => {
    const events = state.get(roomNid) ?? [];
    const own = events.find(({ type }) => type === "m.room.retention");
    return {
      roomId,
      classes: classesOf(events, members.get(roomNid) ?? 0),
      spaces: spacesOf.get(roomId) ?? new Set<string>(),
      own: own?.pdu.content,
    };
  });
}

/** Each room is public, direct or private, and may be encrypted besides. */
function classesOf(
  events: readonly StoredEvent[],
  members: number,
): Set<RoomClass> {
  const contents = new Map(events.map(({ type, pdu }) => [type, pdu.content]));
  const isText = (type: string, key: string): boolean => {
    const value = contents.get(type)?.[key];
    return typeof value === "string" && value !== "";
  };
  const isPublic =
    contents.get("m.room.join_rules")?.["join_rule"] === "public";
  const isDirect =
    members <= 2 &&
    !isText("m.room.name", "name") &&
    !isText("m.room.canonical_alias", "alias") &&
    contents.get("m.room.create")?.["type"] === undefined;
  const classes = new Set<RoomClass>([
    isPublic ? "public" : isDirect ? "direct" : "private",
  ]);
  if (isText("m.room.encryption", "algorithm")) classes.add("encrypted");
  return classes;
}

/** The rooms within the spaces that policies name, each step of the way said by both sides. */
export async function readSpaces(
  edges: Needs,
  policies: readonly NamedPolicy[],
): Promise<SpacesOf> {
  const spaceIds = policies.flatMap(({ scope }) =>
    scope.kind === "space" ? scope.id : [],
  );
  const found = new Map<string, Set<string>>();
  if (spaceIds.length === 0) return found;
  const steps = await listStepsWithin(edges.db, spaceIds);
  const said = await mapEvents(
    edges,
    steps.flatMap(({ parentNid, childNid }) => [parentNid, childNid]),
  );
  const agreed = steps.filter(
    ({ parentNid, childNid }) =>
      isSpaceLink(said.get(parentNid)) && isSpaceLink(said.get(childNid)),
  );
  const below = groupBy(agreed, ({ spaceId }) => spaceId);
  for (const spaceId of new Set(spaceIds)) {
    const reached = new Set([spaceId]);
    for (const place of reached)
      for (const { roomId } of below.get(place) ?? []) reached.add(roomId);
    for (const roomId of reached) {
      const spaces = found.get(roomId) ?? new Set<string>();
      found.set(roomId, spaces.add(spaceId));
    }
  }
  return found;
}
