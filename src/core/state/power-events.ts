import type { RoomEvent } from "../event.ts";
import type { EventLookup } from "./state-map.ts";

/**
 * Whether an event might remove someone's ability to do something in the room.
 * The create event counts too, as it does in the servers that rooms live on.
 */
export function isPowerEvent({ pdu }: RoomEvent): boolean {
  switch (pdu.type) {
    // A power event is a state event with type m.room.power_levels or m.room.join_rules, […]
    case "m.room.create":
    case "m.room.power_levels":
    case "m.room.join_rules":
      return pdu.state_key === "";
    // […] or a state event with type m.room.member where the membership is leave or ban
    // and the sender does not match the state_key.
    case "m.room.member":
      return (
        pdu.state_key !== undefined &&
        pdu.state_key !== pdu.sender &&
        (pdu.content["membership"] === "leave" ||
          pdu.content["membership"] === "ban")
      );
    default:
      return false;
  }
}

/**
 * The power events of the full conflicted set with those of their auth chains
 * that belong to it, each with the auth events of the set that it cites.
 */
export function collectPowerEvents(
  fullConflictedSet: ReadonlySet<string>,
  events: EventLookup,
): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  const pending: string[] = [];
  const visit = (eventId: string): void => {
    if (graph.has(eventId)) return;
    graph.set(eventId, []);
    pending.push(eventId);
  };
  for (const eventId of fullConflictedSet) {
    const event = events(eventId);
    // Select the set X of all power events that appear in the full conflicted set.
    if (event === undefined || !isPowerEvent(event)) continue;
    visit(eventId);
    // For each such power event P, enlarge X by adding the events in the auth chain of P
    // which also belong to the full conflicted set.
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const cited = (events(next)?.authEventIds ?? []).filter((authEventId) =>
        fullConflictedSet.has(authEventId),
      );
      graph.set(next, [...new Set(cited)]);
      cited.forEach(visit);
    }
  }
  return graph;
}
