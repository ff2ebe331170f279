import type { RoomEvent } from "../event.ts";
import type { RoomRules } from "../room-version.ts";
import { stateKeyOf } from "../state/state-map.ts";
import { selectAuthEvents } from "./select.ts";
import { rejected, type Verdict } from "./verdict.ts";

/**
 * The rule "considering the event's auth_events". `authEvents` are the events
 * that `event.authEventIds` name; one that is missing rejects the event.
 */
export function checkAuthEvents(
  rules: RoomRules,
  event: RoomEvent,
  authEvents: readonly RoomEvent[],
): Verdict {
  // A create event is judged by its own rule, before this one.
  if (event.pdu.type === "m.room.create") return "allowed";
  const selected = new Set(
    selectAuthEvents(rules, event.pdu).map(([type, key]) =>
      stateKeyOf(type, key),
    ),
  );
  const given = new Map(authEvents.map((known) => [known.eventId, known]));
  const seen = new Set<string>();
  let hasCreate = false;
  for (const authEventId of event.authEventIds) {
    const authEvent = given.get(authEventId);
    if (authEvent === undefined) {
      return rejected(`The auth event ${authEventId} is not known.`);
    }
    const { type, state_key: stateKey } = authEvent.pdu;
    const key = stateKey === undefined ? undefined : stateKeyOf(type, stateKey);
    // If there are entries whose type and state_key don't match those specified by the auth
    // events selection algorithm, reject. [Version 12: m.room.create MUST NOT be selected.]
    if (key === undefined || !selected.has(key)) {
      return rejected(
        `An auth event is not one that the event needs: ${type}.`,
      );
    }
    // If there are duplicate entries for a given type and state_key pair, reject.
    if (seen.has(key)) {
      return rejected(`Two auth events are of the same type: ${type}.`);
    }
    seen.add(key);
    // If there are entries which were themselves rejected under the checks performed on receipt
    // of a PDU, reject.
    if (authEvent.isRejected) {
      return rejected(`The auth event ${authEventId} was rejected.`);
    }
    // If any event in auth_events has a room_id which does not match that of the event being
    // authorised, reject.
    if (authEvent.roomId !== event.roomId) {
      return rejected(`The auth event ${authEventId} is of another room.`);
    }
    hasCreate ||= type === "m.room.create";
  }
  // If there is no m.room.create event among the entries, reject. [Not in version 12.]
  if (!hasCreate && !rules.authorization.roomIdIsCreateHash) {
    return rejected("The create event is not among the auth events.");
  }
  return "allowed";
}
