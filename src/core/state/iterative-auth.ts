import { checkAuth, type StateLookup } from "../auth/check.ts";
import type { RoomEvent } from "../event.ts";
import type { RoomRules } from "../room-version.ts";
import { findCreateEvent } from "./create-event.ts";
import { findStateKey, stateKeyOf, type EventLookup } from "./state-map.ts";

/** The iterative auth checks algorithm. Changes `state` in place. */
export function applyIterativeAuth(
  rules: RoomRules,
  state: Map<string, string>,
  sortedEventIds: readonly string[],
  events: EventLookup,
): void {
  for (const eventId of sortedEventIds) {
    const event = events(eventId);
    if (event === undefined || event.isRejected) continue;
    const key = findStateKey(event);
    if (key === undefined) continue;
    // […] applying the state event to the room state if the state event is allowed by the
    // authorisation rules. If the state event is not allowed […], then the event is ignored.
    const lookup = stateForAuth(rules, event, state, events);
    if (checkAuth(rules, event, lookup) === "allowed") state.set(key, eventId);
  }
}

function stateForAuth(
  rules: RoomRules,
  event: RoomEvent,
  state: ReadonlyMap<string, string>,
  events: EventLookup,
): StateLookup {
  return (type, stateKey) => {
    const eventId = state.get(stateKeyOf(type, stateKey));
    const inState = eventId === undefined ? undefined : events(eventId);
    if (inState !== undefined && !inState.isRejected) return inState;
    // If a (event_type, state_key) key that is required for checking the authorisation
    // rules is not present in the state, then the appropriate state event from the event's
    // auth_events is used if the auth event is not rejected.
    for (const authEventId of event.authEventIds) {
      const authEvent = events(authEventId);
      if (
        authEvent?.pdu.type === type &&
        authEvent.pdu.state_key === stateKey &&
        !authEvent.isRejected
      ) {
        return authEvent;
      }
    }
    // Note: in room version 12 the room_id, being the create event's ID, implies it.
    return type === "m.room.create" && stateKey === ""
      ? findCreateEvent(rules, event, events)
      : undefined;
  };
}
