import { MatrixError } from "./errors.ts";
import { compileGlob, matchesGlob } from "./glob.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";

/** Which events pass. Null where the client left the condition out. */
export interface EventFilter {
  limit: number;
  /** Globs of event types. */
  types: readonly string[] | null;
  notTypes: readonly string[];
  senders: readonly string[] | null;
  notSenders: readonly string[];
}

export interface RoomEventFilter extends EventFilter {
  rooms: readonly string[] | null;
  notRooms: readonly string[];
  containsUrl: boolean | null;
  relTypes: readonly string[] | null;
  notRelTypes: readonly string[];
  /** Events that an event of one of these types, or of one of these senders, relates to. */
  relatedByRelTypes: readonly string[] | null;
  relatedBySenders: readonly string[] | null;
  lazyLoadMembers: boolean;
  includeRedundantMembers: boolean;
  unreadThreadNotifications: boolean;
}

/** https://spec.matrix.org/v1.19/client-server-api/#filtering */
export interface ClientFilter {
  /** Dotted paths of the fields that events are cut down to. */
  eventFields: readonly string[] | null;
  eventFormat: "client" | "federation";
  presence: EventFilter;
  accountData: EventFilter;
  room: {
    rooms: readonly string[] | null;
    notRooms: readonly string[];
    includeLeave: boolean;
    timeline: RoomEventFilter;
    state: RoomEventFilter;
    ephemeral: RoomEventFilter;
    accountData: RoomEventFilter;
  };
}

const MAX_LIMIT = 1_000;
const MAX_ENTRIES = 1_000;
const TIMELINE_LIMIT = 10;

/** @throws MatrixError M_BAD_JSON */
export function parseClientFilter(value: JsonValue): ClientFilter {
  const filter = objectIn(value, "the filter");
  const room = objectIn(filter["room"] ?? {}, "room");
  const format = filter["event_format"] ?? "client";
  if (format !== "client" && format !== "federation") {
    throw bad("event_format", 'must be "client" or "federation"');
  }
  return {
    eventFields: stringsIn(filter, "event_fields"),
    eventFormat: format,
    presence: parseEventFilter(filter["presence"] ?? {}, "presence", MAX_LIMIT),
    accountData: parseEventFilter(
      filter["account_data"] ?? {},
      "account_data",
      MAX_LIMIT,
    ),
    room: {
      rooms: idsIn(room, "rooms", "!"),
      notRooms: idsIn(room, "not_rooms", "!") ?? [],
      includeLeave: flagIn(room, "include_leave"),
      timeline: parseRoomEventFilter(
        room["timeline"] ?? {},
        "room.timeline",
        TIMELINE_LIMIT,
      ),
      state: parseRoomEventFilter(room["state"] ?? {}, "room.state", MAX_LIMIT),
      ephemeral: parseRoomEventFilter(
        room["ephemeral"] ?? {},
        "room.ephemeral",
        MAX_LIMIT,
      ),
      accountData: parseRoomEventFilter(
        room["account_data"] ?? {},
        "room.account_data",
        MAX_LIMIT,
      ),
    },
  };
}

export function parseRoomEventFilter(
  value: JsonValue,
  place = "filter",
  limit = TIMELINE_LIMIT,
): RoomEventFilter {
  const filter = objectIn(value, place);
  const containsUrl = filter["contains_url"];
  if (containsUrl !== undefined && typeof containsUrl !== "boolean") {
    throw bad(`${place}.contains_url`, "must be true or false");
  }
  return {
    ...parseEventFilter(filter, place, limit),
    rooms: idsIn(filter, "rooms", "!"),
    notRooms: idsIn(filter, "not_rooms", "!") ?? [],
    containsUrl: containsUrl ?? null,
    relTypes: stringsIn(filter, "org.matrix.msc3874.rel_types"),
    notRelTypes: stringsIn(filter, "org.matrix.msc3874.not_rel_types") ?? [],
    relatedByRelTypes: stringsIn(filter, "related_by_rel_types"),
    relatedBySenders: idsIn(filter, "related_by_senders", "@"),
    lazyLoadMembers: flagIn(filter, "lazy_load_members"),
    includeRedundantMembers: flagIn(filter, "include_redundant_members"),
    unreadThreadNotifications: flagIn(filter, "unread_thread_notifications"),
  };
}

function parseEventFilter(
  value: JsonValue,
  place: string,
  otherwise: number,
): EventFilter {
  const filter = objectIn(value, place);
  const limit = filter["limit"] ?? otherwise;
  if (typeof limit !== "number" || !Number.isSafeInteger(limit) || limit < 0) {
    throw bad(`${place}.limit`, "must be a whole number, 0 or more");
  }
  return {
    limit: Math.min(limit, MAX_LIMIT),
    types: stringsIn(filter, "types"),
    notTypes: stringsIn(filter, "not_types") ?? [],
    senders: idsIn(filter, "senders", "@"),
    notSenders: idsIn(filter, "not_senders", "@") ?? [],
  };
}

/** Whether an event's type and sender pass. */
export function matchesEventFilter(
  filter: EventFilter,
  { type, sender }: { type: string; sender?: string },
): boolean {
  const isType = (pattern: string): boolean => matchesType(pattern, type);
  return (
    (filter.types === null || filter.types.some(isType)) &&
    !filter.notTypes.some(isType) &&
    (filter.senders === null ||
      (sender !== undefined && filter.senders.includes(sender))) &&
    (sender === undefined || !filter.notSenders.includes(sender))
  );
}

/** "A `*` can be used as a wildcard to match any sequence of characters." */
const matchesType = (pattern: string, type: string): boolean =>
  pattern === type ||
  (pattern.includes("*") &&
    matchesGlob(
      compileGlob(pattern, { ignoreCase: false, questionMark: false }),
      type,
    ));

/** Whether a room passes the `rooms` and `not_rooms` of a filter. */
export const matchesRooms = (
  { rooms, notRooms }: Pick<RoomEventFilter, "rooms" | "notRooms">,
  roomId: string,
): boolean =>
  !notRooms.includes(roomId) && (rooms === null || rooms.includes(roomId));

/** As `matchesEventFilter`, and what only events of rooms have. */
export function matchesRoomEventFilter(
  filter: RoomEventFilter,
  event: { type: string; sender?: string; content?: JsonObject },
): boolean {
  if (!matchesEventFilter(filter, event)) return false;
  if (filter.containsUrl === null) return true;
  return (typeof event.content?.["url"] === "string") === filter.containsUrl;
}

/** Whether one event that relates to another meets both of the filter's `related_by` lists. */
export const matchesRelatedBy = (
  {
    relatedByRelTypes,
    relatedBySenders,
  }: Pick<RoomEventFilter, "relatedByRelTypes" | "relatedBySenders">,
  relations: readonly { relType: string; sender: string }[],
): boolean =>
  (relatedByRelTypes === null && relatedBySenders === null) ||
  relations.some(
    ({ relType, sender }) =>
      (relatedByRelTypes?.includes(relType) ?? true) &&
      (relatedBySenders?.includes(sender) ?? true),
  );

function objectIn(value: JsonValue, place: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw bad(place, "must be an object");
}

function stringsIn(filter: JsonObject, name: string): string[] | null {
  const value = filter[name];
  if (value === undefined || value === null) return null;
  const isList =
    Array.isArray(value) &&
    value.length <= MAX_ENTRIES &&
    value.every((entry) => typeof entry === "string");
  if (!isList)
    throw bad(name, `must be a list of at most ${MAX_ENTRIES} strings`);
  return value as string[];
}

function idsIn(
  filter: JsonObject,
  name: string,
  sigil: string,
): string[] | null {
  const ids = stringsIn(filter, name);
  if (ids?.some((id) => !id.startsWith(sigil))) {
    throw bad(name, `must be a list of identifiers that begin with ${sigil}`);
  }
  return ids;
}

function flagIn(filter: JsonObject, name: string): boolean {
  const value = filter[name] ?? false;
  if (typeof value === "boolean") return value;
  throw bad(name, "must be true or false");
}

const bad = (place: string, what: string): MatrixError =>
  new MatrixError("M_BAD_JSON", `"${place}" ${what}.`);
