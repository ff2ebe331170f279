import type { RoomEvent } from "../event.ts";
import { findStateKey, type StateMap } from "./state-map.ts";

/** The state after an event, given the state before it: what a room without forks needs. */
export function applyToState(state: StateMap, event: RoomEvent): StateMap {
  const key = findStateKey(event);
  // If an event is rejected […] the state used in the checks should be calculated
  // as normal, except not updating with the rejected event.
  if (key === undefined || event.isRejected) return state;
  // If E is a message event, then S′(E) = S(E). If E is a state event, then S′(E)
  // is S(E), except that its entry […] is replaced by the event_id of E.
  return state.get(key) === event.eventId
    ? state
    : new Map(state).set(key, event.eventId);
}
