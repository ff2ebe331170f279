import type { RoomEvent } from "../event.ts";

/** Room state: from `stateKeyOf(type, stateKey)` to event id. */
export type StateMap = ReadonlyMap<string, string>;

/** How state resolution reaches the events that it was given ids of. */
export type EventLookup = (eventId: string) => RoomEvent | undefined;

/** The length of the type goes first, so that no two pairs share a string. */
export const stateKeyOf = (type: string, stateKey: string): string =>
  `${type.length},${type}${stateKey}`;

export function parseStateKey(key: string): [type: string, stateKey: string] {
  const comma = key.indexOf(",");
  const end = comma + 1 + Number(key.slice(0, comma));
  return [key.slice(comma + 1, end), key.slice(end)];
}

/** The place of an event in room state; undefined for an event that is no state. */
export const findStateKey = ({ pdu }: RoomEvent): string | undefined =>
  pdu.state_key === undefined ? undefined : stateKeyOf(pdu.type, pdu.state_key);

/** The state that these events make up; rejected events and messages stay out. */
export function stateMapOf(events: Iterable<RoomEvent>): StateMap {
  const state = new Map<string, string>();
  for (const event of events) {
    const key = findStateKey(event);
    if (key !== undefined && !event.isRejected) state.set(key, event.eventId);
  }
  return state;
}
