import type { RoomEvent } from "../event.ts";
import type { RoomRules } from "../room-version.ts";
import type { EventLookup } from "./state-map.ts";

/** The create event that an event's auth events, or its room id, name. */
export function findCreateEvent(
  rules: RoomRules,
  event: RoomEvent,
  events: EventLookup,
): RoomEvent | undefined {
  if (rules.authorization.roomIdIsCreateHash) {
    const create = events(`$${event.roomId.slice(1)}`);
    return create?.pdu.type === "m.room.create" && !create.isRejected
      ? create
      : undefined;
  }
  for (const authEventId of event.authEventIds) {
    const authEvent = events(authEventId);
    if (authEvent?.pdu.type === "m.room.create" && !authEvent.isRejected) {
      return authEvent;
    }
  }
  return undefined;
}
