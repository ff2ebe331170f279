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
  for (const [key, { eventId, count, others }] of tally(stateSets)) {
    // If a given key K is present in every Si with the same value V in each state map,
    // then the pair (K, V) belongs to the unconflicted state map.
    if (others === undefined && count === stateSets.length) {
      if (events(eventId)?.isRejected !== true) unconflicted.set(key, eventId);
    } else {
      // Otherwise, V belongs to the conflicted state set.
      const values = [eventId, ...(others ?? [])];
      conflicted.set(
        key,
        values.filter((value) => events(value)?.isRejected === false),
      );
    }
  }
  return { unconflicted, conflicted };
}

interface Tally {
  eventId: string;
  /** In how many sets the key is. */
  count: number;
  /** Other events with the same key. */
  others?: Set<string>;
}

/** One look-up per entry: there may be a million, and most are in every set. */
function tally(stateSets: readonly StateMap[]): Map<string, Tally> {
  const byKey = new Map<string, Tally>();
  for (const set of stateSets) {
    for (const [key, eventId] of set) {
      const known = byKey.get(key);
      if (known === undefined) {
        byKey.set(key, { eventId, count: 1 });
        continue;
      }
      known.count++;
      if (known.eventId !== eventId) {
        (known.others ??= new Set()).add(eventId);
      }
    }
  }
  return byKey;
}
