import type { Pdu } from "./event.ts";
import {
  findOversizeKey,
  MAX_EVENT_BYTES,
  MAX_ID_BYTES,
} from "./event-size.ts";
import { isCreateHashRoomId, isEventId, isRoomId, isUserId } from "./ids.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { RoomRules } from "./room-version.ts";

export type FormatVerdict = "valid" | { invalid: string };

const MAX_PREV_EVENTS = 20;
const MAX_AUTH_EVENTS = 10;
/** Of room versions before 6; later ones allow no number above 2^53−1 at all. */
const MAX_OLD_DEPTH = 2 ** 63;

/**
 * Whether JSON from another server is an event of a room version, in form
 * alone. `bytes`: the length of its canonical JSON without `unsigned`.
 */
export function checkEventFormat(
  rules: RoomRules,
  value: JsonValue,
  bytes: number,
): FormatVerdict {
  if (!isJsonObject(value)) return { invalid: "The event is not an object." };
  if (bytes > MAX_EVENT_BYTES) {
    return { invalid: "The event is larger than 65536 bytes." };
  }
  const fault = findFault(rules, value);
  return fault === undefined ? "valid" : { invalid: fault };
}

/** The same object, which `checkEventFormat` found valid. */
export const asPdu = (value: JsonObject): Pdu => value as unknown as Pdu;

function findFault(rules: RoomRules, event: JsonObject): string | undefined {
  const { type, sender, room_id, state_key, redacts, content, unsigned } =
    event;
  if (typeof type !== "string") return "type is not a string.";
  if (typeof sender !== "string" || !isUserId(sender)) {
    return "sender is not a user id.";
  }
  const isOfItsOwnRoom =
    rules.roomIdFormat === "create-hash" && type === "m.room.create";
  if (!(isOfItsOwnRoom && room_id === undefined)) {
    if (!isRoomIdOf(rules, room_id)) return "room_id is not a room id.";
  }
  if (state_key !== undefined && typeof state_key !== "string") {
    return "state_key is not a string.";
  }
  if (redacts !== undefined && typeof redacts !== "string") {
    return "redacts is not a string.";
  }
  if (!isJsonObject(content)) return "content is not an object.";
  if (unsigned !== undefined && !isJsonObject(unsigned)) {
    return "unsigned is not an object.";
  }
  const fault =
    findNumberFault(event) ??
    findReferenceFault(rules, event, "prev_events", MAX_PREV_EVENTS) ??
    findReferenceFault(rules, event, "auth_events", MAX_AUTH_EVENTS) ??
    findProofFault(event);
  if (fault !== undefined) return fault;
  if (rules.eventIdFormat === "domain") {
    const { event_id } = event;
    if (
      typeof event_id !== "string" ||
      !isEventId(event_id) ||
      !event_id.includes(":")
    ) {
      return "event_id is not an event id.";
    }
  }
  const oversize = findOversizeKey(asPdu(event));
  return oversize === undefined
    ? undefined
    : `${oversize} is longer than ${MAX_ID_BYTES} bytes.`;
}

const isRoomIdOf = (
  { roomIdFormat }: RoomRules,
  id: JsonValue | undefined,
): boolean =>
  typeof id === "string" &&
  (roomIdFormat === "create-hash"
    ? isCreateHashRoomId(id)
    : isRoomId(id) && id.includes(":"));

function findNumberFault(event: JsonObject): string | undefined {
  const { depth, origin_server_ts } = event;
  if (!Number.isInteger(depth) || (depth as number) < 0) {
    return "depth is not a positive integer.";
  }
  if ((depth as number) > MAX_OLD_DEPTH) return "depth is too large.";
  return Number.isInteger(origin_server_ts)
    ? undefined
    : "origin_server_ts is not an integer.";
}

function findReferenceFault(
  { eventIdFormat }: RoomRules,
  event: JsonObject,
  key: "prev_events" | "auth_events",
  max: number,
): string | undefined {
  const references = event[key];
  if (!Array.isArray(references)) return `${key} is not a list.`;
  if (references.length > max) return `${key} has more than ${max} entries.`;
  const isReference =
    eventIdFormat === "domain" ? isReferencePair : isReferenceId;
  return references.every(isReference)
    ? undefined
    : `${key} has an entry that refers to no event.`;
}

const isReferenceId = (reference: JsonValue): boolean =>
  typeof reference === "string" && isEventId(reference);

const isReferencePair = (reference: JsonValue): boolean =>
  Array.isArray(reference) &&
  reference.length === 2 &&
  isReferenceId(reference[0]!) &&
  isJsonObject(reference[1]) &&
  typeof reference[1]["sha256"] === "string";

function findProofFault({
  hashes,
  signatures,
}: JsonObject): string | undefined {
  if (!isJsonObject(hashes) || typeof hashes["sha256"] !== "string") {
    return "hashes has no sha256.";
  }
  if (!isJsonObject(signatures)) return "signatures is not an object.";
  const isSignatures = (ofServer: JsonValue): boolean =>
    isJsonObject(ofServer) &&
    Object.values(ofServer).every((signature) => typeof signature === "string");
  return Object.values(signatures).every(isSignatures)
    ? undefined
    : "signatures holds something else than signatures.";
}

/** Depth orders nothing that matters; what is beyond a bigint's safe range becomes its end. */
export const clampDepth = (depth: number): number =>
  Math.min(Math.max(0, Math.trunc(depth)), Number.MAX_SAFE_INTEGER);
