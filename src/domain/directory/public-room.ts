import { isRoomAlias } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { foldText } from "../../core/words.ts";
import type { PublishedRoom } from "../../storage/public-rooms.ts";

/** An entry of the room directory, as clients get it. */
export interface PublicRoom {
  room_id: string;
  num_joined_members: number;
  world_readable: boolean;
  guest_can_join: boolean;
  join_rule: string;
  name?: string;
  topic?: string;
  canonical_alias?: string;
  avatar_url?: string;
  room_type?: string;
}

export interface RoomSearch {
  /** Stands in the name, the topic or the alias, whatever its case. */
  term: string;
  /** Null for rooms without a type; absent: any. */
  roomTypes: readonly (string | null)[] | undefined;
}

/** Contents of the state that the directory shows, by type. */
export type RoomFacts = ReadonlyMap<string, JsonObject>;

export const ROOM_FACTS: readonly string[] = [
  "m.room.avatar",
  "m.room.canonical_alias",
  "m.room.create",
  "m.room.guest_access",
  "m.room.history_visibility",
  "m.room.join_rules",
  "m.room.name",
  "m.room.topic",
];

const textIn = (
  facts: RoomFacts,
  type: string,
  key: string,
): string | undefined => {
  const value = facts.get(type)?.[key];
  return typeof value === "string" && value !== "" ? value : undefined;
};

const nameOf = (facts: RoomFacts) => textIn(facts, "m.room.name", "name");
const topicOf = (facts: RoomFacts) => textIn(facts, "m.room.topic", "topic");
const joinRuleOf = (facts: RoomFacts) =>
  textIn(facts, "m.room.join_rules", "join_rule") ?? "invite";
const isWorldReadable = (facts: RoomFacts) =>
  textIn(facts, "m.room.history_visibility", "history_visibility") ===
  "world_readable";

function aliasOf(facts: RoomFacts): string | undefined {
  const alias = textIn(facts, "m.room.canonical_alias", "alias");
  return alias !== undefined && isRoomAlias(alias) ? alias : undefined;
}

/**
 * "Rooms with `invite` join rules are not expected here": a room that became
 * private is not shown by having been listed once.
 */
export const isNearlyPublic = (facts: RoomFacts): boolean =>
  isWorldReadable(facts) || !["invite", "private"].includes(joinRuleOf(facts));

export function isWanted(
  facts: RoomFacts,
  { term, roomTypes }: RoomSearch,
): boolean {
  const type = textIn(facts, "m.room.create", "type") ?? null;
  if (roomTypes && !roomTypes.includes(type)) return false;
  const wanted = foldText(term);
  const texts = [nameOf(facts), topicOf(facts), aliasOf(facts)];
  return (
    wanted === "" ||
    texts.some((text) => text !== undefined && foldText(text).includes(wanted))
  );
}

export function publicRoomOf(
  { roomId, joinedCount }: PublishedRoom,
  facts: RoomFacts,
): PublicRoom {
  const avatar = textIn(facts, "m.room.avatar", "url");
  const optional = {
    name: nameOf(facts),
    topic: topicOf(facts),
    canonical_alias: aliasOf(facts),
    avatar_url: avatar?.startsWith("mxc://") ? avatar : undefined,
    room_type: textIn(facts, "m.room.create", "type"),
  };
  const known = Object.entries(optional).filter(
    ([, value]) => value !== undefined,
  );
  return {
    room_id: roomId,
    num_joined_members: joinedCount,
    world_readable: isWorldReadable(facts),
    guest_can_join:
      textIn(facts, "m.room.guest_access", "guest_access") === "can_join",
    join_rule: joinRuleOf(facts),
    ...(Object.fromEntries(known) as Partial<PublicRoom>),
  };
}
