import type { RoomRules } from "../room-version.ts";
import type { EventLookup, StateMap } from "./state-map.ts";
import { resolveStateV1 } from "./v1.ts";
import { resolveStateV2 } from "./v2.ts";

/**
 * The one state that follows from several. `events` knows every event of the
 * state sets and of their auth chains. Pure, and the same for any order of sets.
 */
export function resolveState(
  rules: RoomRules,
  stateSets: readonly StateMap[],
  events: EventLookup,
): StateMap {
  const [first, ...others] = stateSets;
  if (first === undefined) return new Map();
  const different = others.filter((other) => !areEqual(first, other));
  if (different.length === 0) return first;
  // Equal sets weigh no more than one: v1 and v2 look at what differs.
  const distinct = [first, ...different];
  switch (rules.stateResolution) {
    case "v1":
      return resolveStateV1(rules, distinct, events);
    case "v2":
    case "v2.1":
      return resolveStateV2(rules, distinct, events);
  }
}

function areEqual(one: StateMap, other: StateMap): boolean {
  if (one === other) return true;
  if (one.size !== other.size) return false;
  for (const [key, eventId] of one) {
    if (other.get(key) !== eventId) return false;
  }
  return true;
}
