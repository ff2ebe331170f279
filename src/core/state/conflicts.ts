import type { EventLookup, StateMap } from "./state-map.ts";

export interface Conflicts {
  /** The unconflicted state map. */
  unconflicted: Map<string, string>;
  /** The conflicted state set, by state key; a key is here even if all its events were rejected. */
  conflicted: Map<string, string[]>;
}

/**
 * Splits the state sets. Rejected events, and events that we do not have, drop
 * out of the conflicted state set; rejected ones out of the unconflicted map too.
 */
export function findConflicts(
  stateSets: readonly StateMap[],
  events: EventLookup,
): Conflicts {
  const unconflicted = new Map<string, string>();
  const conflicted = new Map<string, string[]>();
  const valuesByKey = new Map<string, string | Set<string>>();
  const countByKey = new Map<string, number>();
  for (const set of stateSets) {
    for (const [key, eventId] of set) {
      countByKey.set(key, (countByKey.get(key) ?? 0) + 1);
      const values = valuesByKey.get(key);
      if (values === undefined) valuesByKey.set(key, eventId);
      else if (typeof values !== "string") values.add(eventId);
      else if (values !== eventId) {
        valuesByKey.set(key, new Set([values, eventId]));
      }
    }
  }
  for (const [key, values] of valuesByKey) {
    // If a given key K is present in every Si with the same value V in each state map,
    // then the pair (K, V) belongs to the unconflicted state map.
    if (
      typeof values === "string" &&
      countByKey.get(key) === stateSets.length
    ) {
      if (events(values)?.isRejected !== true) unconflicted.set(key, values);
    } else {
      // Otherwise, V belongs to the conflicted state set.
      const known = (
        typeof values === "string" ? [values] : [...values]
      ).filter((eventId) => events(eventId)?.isRejected === false);
      conflicted.set(key, known);
    }
  }
  return { unconflicted, conflicted };
}
