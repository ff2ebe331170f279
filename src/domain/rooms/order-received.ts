import type { InspectedEvent } from "../../core/inspect-event.ts";
import { referencedIds, type Pdu } from "../../core/event.ts";

/** All that an event builds on. */
export const listCited = ({
  prev_events: prev,
  auth_events: auth,
}: Pick<Pdu, "prev_events" | "auth_events">): string[] => [
  ...new Set([...referencedIds(prev), ...referencedIds(auth)]),
];

/**
 * The events with each after those that it cites, and else in the order in which
 * they came. In a circle somebody comes first, and will lack what it cites.
 */
export function orderReceived<
  T extends Pick<InspectedEvent, "eventId" | "pdu">,
>(events: readonly T[]): T[] {
  const byId = new Map(events.map((event) => [event.eventId, event]));
  const ordered = new Set<T>();
  const begun = new Set<T>();
  for (const last of byId.values()) {
    const pending = [last];
    for (let next = pending.at(-1); next; next = pending.at(-1)) {
      const before = begun.has(next)
        ? []
        : listCited(next.pdu).flatMap((id) => byId.get(id) ?? []);
      begun.add(next);
      const open = before.filter((event) => !begun.has(event));
      if (open.length > 0) {
        pending.push(...open.reverse());
      } else {
        ordered.add(next);
        pending.pop();
      }
    }
  }
  return [...ordered];
}
