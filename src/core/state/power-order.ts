import { Heap } from "./heap.ts";
import { compareCodePoints } from "../code-points.ts";

/** What the reverse topological power ordering looks at in an event. */
export interface PowerOrderKey {
  eventId: string;
  /** The sender's power level by the event's own auth events. */
  senderPower: number;
  originServerTs: number;
}

/**
 * The reverse topological power ordering, earliest event first. `graph` holds
 * for each event those auth events of it that are in the graph themselves.
 * Events in a cycle, which only room versions 1 and 2 can form, have no order
 * and are left out.
 */
export function sortByPower(
  graph: ReadonlyMap<string, readonly string[]>,
  keyOf: (eventId: string) => PowerOrderKey,
): string[] {
  const uncited = new Map<string, number>();
  const citedBy = new Map<string, string[]>();
  for (const [eventId, authEventIds] of graph) {
    uncited.set(eventId, authEventIds.length);
    for (const authEventId of authEventIds) {
      const citing = citedBy.get(authEventId);
      if (citing === undefined) citedBy.set(authEventId, [eventId]);
      else citing.push(eventId);
    }
  }
  // […] sorting the events using Kahn's algorithm for topological sorting, and at each
  // step selecting, among all the candidate vertices, the smallest vertex.
  const candidates = new Heap<PowerOrderKey>(comparePower);
  for (const [eventId, count] of uncited) {
    if (count === 0) candidates.push(keyOf(eventId));
  }
  const sorted: string[] = [];
  for (let next = candidates.pop(); next; next = candidates.pop()) {
    sorted.push(next.eventId);
    for (const citing of citedBy.get(next.eventId) ?? []) {
      const left = (uncited.get(citing) ?? 0) - 1;
      uncited.set(citing, left);
      if (left === 0) candidates.push(keyOf(citing));
    }
  }
  return sorted;
}

function comparePower(x: PowerOrderKey, y: PowerOrderKey): number {
  // 1. x's sender has greater power level than y's sender, when looking at their
  // respective auth_events; or
  if (x.senderPower !== y.senderPower) {
    return x.senderPower > y.senderPower ? -1 : 1;
  }
  // 2. the senders have the same power level, but x's origin_server_ts is less than
  // y's origin_server_ts; or
  if (x.originServerTs !== y.originServerTs) {
    return x.originServerTs - y.originServerTs;
  }
  // 3. […] but x's event_id is less than y's event_id.
  return compareCodePoints(x.eventId, y.eventId);
}
