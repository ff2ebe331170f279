import type { RoomRules } from "../room-version.ts";
import { findAuthDifference } from "./auth-difference.ts";
import { findConflictedSubgraph } from "./conflicted-subgraph.ts";
import { findConflicts } from "./conflicts.ts";
import { applyIterativeAuth } from "./iterative-auth.ts";
import { sortByMainline } from "./mainline.ts";
import { collectPowerEvents } from "./power-events.ts";
import { sortByPower } from "./power-order.ts";
import { powerOrderKeys } from "./sender-power.ts";
import { stateKeyOf, type EventLookup, type StateMap } from "./state-map.ts";

const POWER_LEVELS = stateKeyOf("m.room.power_levels", "");

/** State resolution of room versions 2 to 11, and with `v2.1` of 12. */
export function resolveStateV2(
  rules: RoomRules,
  stateSets: readonly StateMap[],
  events: EventLookup,
): StateMap {
  const conflicts = findConflicts(stateSets, events);
  const { unconflicted, conflicted } = conflicts;
  if (conflicted.size === 0) return unconflicted;
  const isV21 = rules.stateResolution === "v2.1";

  // The full conflicted set is the union of the conflicted state set, the conflicted state
  // subgraph [version 12], and the auth difference.
  const conflictedIds = new Set([...conflicted.values()].flat());
  const fullConflictedSet = new Set<string>();
  for (const part of [
    conflictedIds,
    findAuthDifference(stateSets, conflicts, events),
    isV21 ? findConflictedSubgraph(conflictedIds, events) : [],
  ]) {
    for (const eventId of part) {
      if (events(eventId) !== undefined) fullConflictedSet.add(eventId);
    }
  }

  // 1. Select the set X of all power events that appear in the full conflicted set. […]
  // Sort X into a list using the reverse topological power ordering.
  const powerEvents = collectPowerEvents(fullConflictedSet, events);
  const sortedPower = sortByPower(powerEvents, powerOrderKeys(rules, events));

  // 2. Apply the iterative auth checks algorithm, starting from the unconflicted state map
  // [version 12: from an empty state map], to the list of events from the previous step.
  const state = isV21 ? new Map<string, string>() : new Map(unconflicted);
  applyIterativeAuth(rules, state, sortedPower, events);

  // 3. Take all remaining events that weren't picked in step 1 and order them by the
  // mainline ordering based on the power level in the partially resolved state.
  const remaining = [...fullConflictedSet].filter((id) => !powerEvents.has(id));
  const sortedRemaining = sortByMainline(
    remaining,
    state.get(POWER_LEVELS),
    events,
  );

  // 4. Apply the iterative auth checks algorithm on the partial resolved state.
  applyIterativeAuth(rules, state, sortedRemaining, events);

  // 5. Update the result by replacing any event with the event with the same key from the
  // unconflicted state map, if such an event exists.
  for (const [key, eventId] of unconflicted) state.set(key, eventId);
  return state;
}
