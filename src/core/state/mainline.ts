import type { RoomEvent } from "../event.ts";
import { compareCodePoints } from "../code-points.ts";
import type { EventLookup } from "./state-map.ts";

/** The event ids in the mainline ordering based on the given power levels event. */
export function sortByMainline(
  eventIds: Iterable<string>,
  powerLevelsId: string | undefined,
  events: EventLookup,
): string[] {
  const positionOf = mainlinePositions(powerLevelsId, events);
  const sortable = [...eventIds].flatMap((eventId) => {
    const event = events(eventId);
    if (event === undefined) return [];
    const { origin_server_ts: ts } = event.pdu;
    return [{ eventId, ts, position: positionOf(event) }];
  });
  sortable.sort((x, y) => {
    // 1. the mainline position of x is greater than the mainline position of y; or
    if (x.position !== y.position) return x.position > y.position ? -1 : 1;
    // 2. the mainline positions of the events are the same, but x's origin_server_ts is
    // less than y's origin_server_ts; or
    if (x.ts !== y.ts) return x.ts - y.ts;
    // 3. […] but x's event_id is less than y's event_id.
    return compareCodePoints(x.eventId, y.eventId);
  });
  return sortable.map(({ eventId }) => eventId);
}

/** A function from an event to its mainline position, remembering what it walked. */
function mainlinePositions(
  powerLevelsId: string | undefined,
  events: EventLookup,
): (event: RoomEvent) => number {
  const positions = new Map<string, number>();
  // Starting with i = 0, repeatedly fetch Pi+1, the m.room.power_levels event in the
  // auth_events of Pi.
  let mainline =
    powerLevelsId === undefined ? undefined : events(powerLevelsId);
  while (mainline !== undefined && !positions.has(mainline.eventId)) {
    positions.set(mainline.eventId, positions.size);
    mainline = findPowerLevels(mainline, events);
  }

  return (event) => {
    // Find the smallest index j ≥ 1 for which ej belongs to the mainline of P. If such a j
    // exists, then ej = Pi for some unique index i ≥ 0. Otherwise set i = ∞.
    const walked = new Set<string>();
    let position: number | undefined;
    let next = findPowerLevels(event, events);
    while (next !== undefined && !walked.has(next.eventId)) {
      position = positions.get(next.eventId);
      if (position !== undefined) break;
      walked.add(next.eventId);
      next = findPowerLevels(next, events);
    }
    const found = position ?? Infinity;
    for (const eventId of walked) positions.set(eventId, found);
    return found;
  };
}

/** The power levels event among the auth events of an event. */
export function findPowerLevels(
  event: RoomEvent,
  events: EventLookup,
): RoomEvent | undefined {
  for (const authEventId of event.authEventIds) {
    const authEvent = events(authEventId);
    if (
      authEvent?.pdu.type === "m.room.power_levels" &&
      authEvent.pdu.state_key === ""
    ) {
      return authEvent;
    }
  }
  return undefined;
}
