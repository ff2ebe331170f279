import type { Edges } from "../../edges.ts";
import type { JsonValue } from "../../core/json.ts";
import { listCurrentStateOfRooms } from "../../storage/events.ts";
import type { ListedRoom } from "../../storage/rooms-admin.ts";
import { groupBy } from "../../util/group-by.ts";
import { openedSlot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { listWithheld, type PolicyEdges } from "../policies/enforce.ts";
import { openEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** What a room's state says of it, as administrators' tools show it. */
export interface AdminRoomFacts {
  name: string | null;
  topic: string | null;
  avatar: string | null;
  canonicalAlias: string | null;
  encryption: string | null;
  isFederatable: boolean;
  joinRule: string | null;
  guestAccess: string | null;
  historyVisibility: string | null;
  roomType: string | null;
  replacementRoom: string | null;
  isTombstoned: boolean;
}

const TYPES = [
  ...["m.room.create", "m.room.name", "m.room.topic", "m.room.avatar"],
  ...["m.room.canonical_alias", "m.room.encryption", "m.room.join_rules"],
  ...["m.room.guest_access", "m.room.history_visibility"],
  "m.room.tombstone",
];

/** Of a room at a version of its state: what was read once holds until that moves. */
const known = openedSlot(
  () =>
    new WeightedCache<number, { stateVersion: number; facts: AdminRoomFacts }>(
      50_000,
      () => 1,
    ),
);

/**
 * The same for an administrator who looks at many rooms: of those that policies do not let
 * them read, nothing that says what the rooms are about.
 */
export async function readShownFacts(
  edges: Needs & PolicyEdges,
  userId: string,
  rooms: readonly Pick<ListedRoom, "roomNid" | "stateVersion">[],
): Promise<AdminRoomFacts[]> {
  const facts = await readAdminFacts(edges, rooms);
  const withheld = await listWithheld(
    edges,
    userId,
    rooms.map(({ roomNid }) => roomNid),
  );
  if (withheld.size === 0) return facts;
  return facts.map((each, i) =>
    withheld.has(rooms[i]!.roomNid) ? { ...each, ...UNSAID } : each,
  );
}

const UNSAID = {
  ...{ name: null, topic: null, avatar: null, canonicalAlias: null },
} satisfies Partial<AdminRoomFacts>;

/** In the order of the rooms, with three queries however many they are. */
export async function readAdminFacts(
  edges: Needs,
  rooms: readonly Pick<ListedRoom, "roomNid" | "stateVersion">[],
): Promise<AdminRoomFacts[]> {
  const cache = edges.memory.of(known);
  const found = new Map<number, AdminRoomFacts>();
  for (const { roomNid, stateVersion } of rooms) {
    const entry = cache.get(roomNid);
    if (entry?.stateVersion === stateVersion) found.set(roomNid, entry.facts);
  }
  const missing = rooms.filter(({ roomNid }) => !found.has(roomNid));
  const heads = await listCurrentStateOfRooms(
    edges.db,
    missing.map(({ roomNid }) => roomNid),
    TYPES,
  );
  const events = await openEvents(edges, heads);
  const byRoom = groupBy(events, ({ roomNid }) => roomNid);
  for (const { roomNid, stateVersion } of missing) {
    const facts = factsOf(byRoom.get(roomNid) ?? []);
    found.set(roomNid, facts);
    cache.set(roomNid, { stateVersion, facts });
  }
  return rooms.map(({ roomNid }) => found.get(roomNid)!);
}

function factsOf(events: readonly StoredEvent[]): AdminRoomFacts {
  const contents = new Map(events.map(({ type, pdu }) => [type, pdu.content]));
  const valueOf = (type: string, key: string): JsonValue | undefined =>
    contents.get(type)?.[key];
  const textOf = (type: string, key: string): string | null => {
    const value = valueOf(type, key);
    return typeof value === "string" && value !== "" ? value : null;
  };
  return {
    name: textOf("m.room.name", "name"),
    topic: textOf("m.room.topic", "topic"),
    avatar: textOf("m.room.avatar", "url"),
    canonicalAlias: textOf("m.room.canonical_alias", "alias"),
    encryption: textOf("m.room.encryption", "algorithm"),
    isFederatable: valueOf("m.room.create", "m.federate") !== false,
    joinRule: textOf("m.room.join_rules", "join_rule"),
    guestAccess: textOf("m.room.guest_access", "guest_access"),
    historyVisibility: textOf(
      "m.room.history_visibility",
      "history_visibility",
    ),
    roomType: textOf("m.room.create", "type"),
    replacementRoom: textOf("m.room.tombstone", "replacement_room"),
    isTombstoned: contents.has("m.room.tombstone"),
  };
}
