import type { RoomEvent } from "../event.ts";
import { isUserId, serverNameOf } from "../ids.ts";
import { findRoomRules, type RoomRules } from "../room-version.ts";
import { rejected, type Verdict } from "./verdict.ts";

/** "If type is m.room.create". */
export function checkCreate(rules: RoomRules, event: RoomEvent): Verdict {
  const { pdu, prevEventIds } = event;
  const { authorization } = rules;
  // If it has any prev_events, reject.
  if (prevEventIds.length > 0) {
    return rejected("A create event cannot have previous events.");
  }
  if (authorization.roomIdIsCreateHash) {
    // [Version 12] If the event has a room_id, reject.
    if (pdu.room_id !== undefined) {
      return rejected("A create event of this room version has no room id.");
    }
    // Note: The room ID is the event ID of the event with sigil ! instead of $.
    if (event.roomId !== `!${event.eventId.slice(1)}`) {
      return rejected("The create event is of another room than its own.");
    }
    // If the domain of the room_id does not match the domain of the sender, reject.
  } else if (serverNameOf(event.roomId) !== serverNameOf(pdu.sender)) {
    return rejected("The room id is not of the sender's server.");
  }
  // If content.room_version is present and is not a recognised version, reject.
  const { room_version: version, additional_creators: creators } = pdu.content;
  if (
    version !== undefined &&
    (typeof version !== "string" || findRoomRules(version) === undefined)
  ) {
    return rejected("The room version is not known.");
  }
  // [Versions 1 to 10] If content has no creator property, reject.
  if (
    !authorization.creatorFromSender &&
    pdu.content["creator"] === undefined
  ) {
    return rejected("The create event names no creator.");
  }
  // [Version 12] If additional_creators is present in content and is not an array of strings
  // where each string passes the same user ID validation applied to sender, reject.
  if (
    authorization.additionalCreators &&
    creators !== undefined &&
    !(
      Array.isArray(creators) &&
      creators.every((user) => typeof user === "string" && isUserId(user))
    )
  ) {
    return rejected("The additional creators are not a list of user ids.");
  }
  // Otherwise, allow.
  return "allowed";
}
