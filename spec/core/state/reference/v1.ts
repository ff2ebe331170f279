import { createHash } from "node:crypto";
import type { RoomEvent } from "../../../../src/core/event.ts";
import {
  parseStateKey,
  stateKeyOf,
  type EventLookup,
  type StateMap,
} from "../../../../src/core/state/state-map.ts";
import { isAllowed } from "./auth.ts";

const sha1 = (text: string): string =>
  createHash("sha1").update(text).digest("hex");

/** State resolution of room version 1, sentence by sentence. */
export function resolveV1(
  stateSets: readonly StateMap[],
  events: EventLookup,
): StateMap {
  const offered = (key: string): string[] => [
    ...new Set(stateSets.flatMap((set) => set.get(key) ?? [])),
  ];
  const keys = [...new Set(stateSets.flatMap((set) => [...set.keys()]))];
  const conflicts = keys.filter((key) => offered(key).length > 1);

  // "Start by setting R to the union of the states to be resolved, excluding
  // any conflicting events."
  const r = new Map<string, string>();
  for (const key of keys) {
    if (!conflicts.includes(key)) r.set(key, offered(key)[0]!);
  }
  const isAllowedIn = (state: StateMap, event: RoomEvent): boolean =>
    isAllowed(1, event, (type, stateKey) =>
      events(state.get(stateKeyOf(type, stateKey)) ?? ""),
    );
  /** "ascending depth then descending sha1(event_id)", of what is known. */
  const listOf = (key: string): RoomEvent[] =>
    offered(key)
      .flatMap((id) => events(id) ?? [])
      .sort(
        (x, y) =>
          x.pdu.depth - y.pdu.depth ||
          (sha1(x.eventId) > sha1(y.eventId) ? -1 : 1),
      );

  const special = ["m.room.power_levels", "m.room.join_rules", "m.room.member"];
  for (const type of special) {
    // Each conflict of a type by itself, as the servers of such rooms do it.
    const before = new Map(r);
    for (const key of conflicts.filter((k) => parseStateKey(k)[0] === type)) {
      const state = new Map(before);
      for (const [place, event] of listOf(key).entries()) {
        if (place > 0 && !isAllowedIn(state, event)) break;
        state.set(key, event.eventId);
        r.set(key, event.eventId);
      }
    }
  }

  // "[…] for all other conflicts, just pick the event with the highest depth and
  // lowest sha1(event_id) that passes authentication in R." If none does, the
  // servers of such rooms take the last one that they tried.
  const before = new Map(r);
  for (const key of conflicts) {
    if (special.includes(parseStateKey(key)[0])) continue;
    const list = listOf(key);
    const passing = list.filter((event) => isAllowedIn(before, event));
    const picked = passing.at(-1) ?? list[0];
    if (picked) r.set(key, picked.eventId);
  }
  return r;
}
