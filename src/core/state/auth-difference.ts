import { walkAuthChain } from "./auth-chain.ts";
import type { Conflicts } from "./conflicts.ts";
import type { EventLookup, StateMap } from "./state-map.ts";

/**
 * The auth difference of the state sets. A state event counts as part of its
 * own set's chain, as it does in the servers that rooms live on: else an
 * unconflicted event would be replayed as if the sets did not agree on it.
 */
export function findAuthDifference(
  stateSets: readonly StateMap[],
  { unconflicted, conflicted }: Conflicts,
  events: EventLookup,
): Set<string> {
  // What the unconflicted state leads to is in every full auth chain.
  const common = new Set<string>();
  walkAuthChain(unconflicted.values(), events, common);

  // Every event that doesn't appear in every auth chain […]: ∪ Ci − ∩ Ci.
  const timesSeen = new Map<string, number>();
  for (const set of stateSets) {
    const starts: string[] = [];
    for (const [key, candidates] of conflicted) {
      const eventId = set.get(key);
      if (eventId !== undefined && candidates.includes(eventId)) {
        starts.push(eventId);
      }
    }
    const chain = new Set<string>();
    walkAuthChain(starts, events, chain, common);
    for (const eventId of chain) {
      timesSeen.set(eventId, (timesSeen.get(eventId) ?? 0) + 1);
    }
  }
  const difference = new Set<string>();
  for (const [eventId, times] of timesSeen) {
    if (times < stateSets.length) difference.add(eventId);
  }
  return difference;
}
