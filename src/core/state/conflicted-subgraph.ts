import { walkAuthChain } from "./auth-chain.ts";
import type { EventLookup } from "./state-map.ts";

/**
 * The union of all paths of auth events between any two events of the conflicted
 * state set, ends included (room version 12).
 */
export function findConflictedSubgraph(
  conflictedEventIds: ReadonlySet<string>,
  events: EventLookup,
): Set<string> {
  // Starting from an event in the conflicted state set and following auth_events
  // edges […]
  const reached = new Set<string>();
  walkAuthChain(conflictedEventIds, events, reached);

  const citedBy = new Map<string, string[]>();
  for (const eventId of reached) {
    for (const authEventId of events(eventId)?.authEventIds ?? []) {
      const citing = citedBy.get(authEventId);
      if (citing === undefined) citedBy.set(authEventId, [eventId]);
      else citing.push(eventId);
    }
  }
  // […] may lead to another event in the conflicted state set: so walk back from
  // those, within what was reached.
  const subgraph = new Set(conflictedEventIds);
  const pending = [...conflictedEventIds];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const citing of citedBy.get(next) ?? []) {
      if (subgraph.has(citing)) continue;
      subgraph.add(citing);
      pending.push(citing);
    }
  }
  return subgraph;
}
