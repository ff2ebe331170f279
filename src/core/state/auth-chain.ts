import type { EventLookup } from "./state-map.ts";

/**
 * Adds to `seen` the given events and all that their auth events lead to, not
 * going past what is in `stop`. No recursion: remote servers choose the depth.
 */
export function walkAuthChain(
  eventIds: Iterable<string>,
  events: EventLookup,
  seen: Set<string>,
  stop?: ReadonlySet<string>,
): void {
  const pending: string[] = [];
  const visit = (eventId: string): void => {
    if (seen.has(eventId) || stop?.has(eventId) === true) return;
    seen.add(eventId);
    pending.push(eventId);
  };
  for (const eventId of eventIds) visit(eventId);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    events(next)?.authEventIds.forEach(visit);
  }
}
