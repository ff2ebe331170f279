import { MatrixError } from "./errors.ts";
import { referencedIds, type Pdu, type RoomEvent } from "./event.ts";
import { signedText, writeEventTexts } from "./event-texts.ts";
import { sha256, sha256UrlSafe } from "./hash.ts";
import type { RoomRules } from "./room-version.ts";

/**
 * The id of an event, from the text that its signatures cover.
 *
 * @throws MatrixError M_BAD_JSON where the event should hold its id and does not
 */
export function eventIdFromText(
  { eventIdFormat }: RoomRules,
  { event_id }: Pick<Pdu, "event_id">,
  signed: string,
): string {
  if (eventIdFormat === "hash") return `$${sha256(signed)}`;
  if (eventIdFormat === "url-safe-hash") return `$${sha256UrlSafe(signed)}`;
  if (event_id === undefined) {
    throw new MatrixError("M_BAD_JSON", "The event has no event_id.");
  }
  return event_id;
}

export const eventIdOf = (rules: RoomRules, pdu: Pdu): string =>
  rules.eventIdFormat === "domain"
    ? eventIdFromText(rules, pdu, "")
    : eventIdFromText(rules, pdu, signedText(writeEventTexts(rules, pdu)));

/**
 * The room that an event belongs to: what it says, or for a create event whose
 * hash is the room's id, that hash.
 *
 * @throws MatrixError M_BAD_JSON where the event names no room and should
 */
export function roomIdOf(
  { roomIdFormat }: RoomRules,
  { room_id, type }: Pick<Pdu, "room_id" | "type">,
  eventId: string,
): string {
  if (roomIdFormat === "create-hash" && type === "m.room.create") {
    return `!${eventId.slice(1)}`;
  }
  if (room_id === undefined) {
    throw new MatrixError("M_BAD_JSON", "The event has no room_id.");
  }
  return room_id;
}

export const toRoomEvent = (
  rules: RoomRules,
  pdu: Pdu,
  eventId: string = eventIdOf(rules, pdu),
  isRejected = false,
): RoomEvent => ({
  eventId,
  roomId: roomIdOf(rules, pdu, eventId),
  pdu,
  prevEventIds: referencedIds(pdu.prev_events),
  authEventIds: referencedIds(pdu.auth_events),
  isRejected,
});
