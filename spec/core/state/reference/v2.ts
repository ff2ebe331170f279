import type { RoomEvent } from "../../../../src/core/event.ts";
import {
  stateKeyOf,
  type EventLookup,
  type StateMap,
} from "../../../../src/core/state/state-map.ts";
import { isAllowed } from "./auth.ts";
import { powerOf } from "./power.ts";

/** State resolution v2, and v2.1 of room version 12, sentence by sentence. */
export function resolveV2(
  version: number,
  stateSets: readonly StateMap[],
  events: EventLookup,
): StateMap {
  const get = (id: string): RoomEvent => {
    const event = events(id);
    if (event === undefined) throw new Error(`unknown event ${id}`);
    return event;
  };
  const isV21 = version >= 12;
  /** Of an event that is not known nothing can be followed or judged. */
  const isKnown = (id: string): boolean => events(id) !== undefined;
  const authEvents = (id: string): string[] =>
    events(id)?.authEventIds.filter(isKnown) ?? [];
  const union = (sets: Iterable<string>[]): Set<string> =>
    new Set(sets.flatMap((set) => [...set]));

  /** "the events reachable by walking the graph induced by an event's auth_events links" */
  const chains = new Map<string, Set<string>>();
  const authChain = (id: string): Set<string> => {
    const known = chains.get(id);
    if (known !== undefined) return known;
    const direct = authEvents(id);
    const chain = union([direct, ...direct.map(authChain)]);
    chains.set(id, chain);
    return chain;
  };

  // Unconflicted state map and conflicted state set.
  const unconflicted = new Map<string, string>();
  const conflicted = new Set<string>();
  for (const set of stateSets) {
    for (const [key, id] of set) {
      if (stateSets.every((other) => other.get(key) === id)) {
        unconflicted.set(key, id);
      } else if (isKnown(id)) {
        conflicted.add(id);
      }
    }
  }

  // Auth difference; a state event is taken as part of its own set's chain.
  const full = stateSets.map((set) => {
    const ids = [...set.values()].filter(isKnown);
    return union([ids, ...ids.map(authChain)]);
  });
  const difference = [...union(full)].filter(
    (id) => !full.every((chain) => chain.has(id)),
  );

  // Conflicted state subgraph.
  const subgraph = [...union([...conflicted].map(authChain))].filter(
    (id) =>
      [...conflicted].some((from) => authChain(from).has(id)) &&
      [...conflicted].some((to) => to === id || authChain(id).has(to)),
  );

  const fullConflicted = union([conflicted, difference, isV21 ? subgraph : []]);

  const authEvent = (
    e: RoomEvent,
    type: string,
    key = "",
  ): RoomEvent | undefined =>
    authEvents(e.eventId)
      .map(get)
      .find(({ pdu }) => pdu.type === type && pdu.state_key === key);
  const createOf = (e: RoomEvent): RoomEvent | undefined => {
    const create = isV21
      ? events(`$${e.roomId.slice(1)}`)
      : authEvent(e, "m.room.create");
    return create?.isRejected === false ? create : undefined;
  };

  const senderPower = (e: RoomEvent): number =>
    powerOf(
      version,
      createOf(e),
      authEvent(e, "m.room.power_levels"),
      e.pdu.sender,
    );

  // The create event counts too, and only the one that a room goes by of each
  // type, as in the servers that rooms live on.
  const isPowerEvent = ({ pdu }: RoomEvent): boolean =>
    (["m.room.create", "m.room.power_levels", "m.room.join_rules"].includes(
      pdu.type,
    ) &&
      pdu.state_key === "") ||
    (pdu.type === "m.room.member" &&
      ["leave", "ban"].includes(String(pdu.content["membership"])) &&
      pdu.sender !== pdu.state_key);

  const firstOf = (
    ids: string[],
    compare: ((a: RoomEvent, b: RoomEvent) => number)[],
  ) =>
    ids.reduce((best, id) => {
      for (const by of compare) {
        const difference = by(get(id), get(best));
        if (difference !== 0) return difference < 0 ? id : best;
      }
      return best;
    });
  const byTime = (a: RoomEvent, b: RoomEvent): number =>
    a.pdu.origin_server_ts - b.pdu.origin_server_ts;
  const byId = (a: RoomEvent, b: RoomEvent): number =>
    a.eventId < b.eventId ? -1 : 1;
  const byValue =
    (value: (e: RoomEvent) => number) =>
    (a: RoomEvent, b: RoomEvent): number =>
      value(a) === value(b) ? 0 : value(a) > value(b) ? -1 : 1;

  // Reverse topological power ordering, edges being auth events within the set:
  // chains are followed there only, as in the servers that rooms live on.
  const edges = (id: string): string[] =>
    authEvents(id).filter((other) => fullConflicted.has(other));
  const powerSet = new Set<string>();
  const add = (id: string): void => {
    powerSet.add(id);
    edges(id).forEach(add);
  };
  [...fullConflicted].filter((id) => isPowerEvent(get(id))).forEach(add);
  const powerList: string[] = [];
  while (powerList.length < powerSet.size) {
    const candidates = [...powerSet].filter(
      (id) =>
        !powerList.includes(id) &&
        edges(id).every((other) => powerList.includes(other)),
    );
    powerList.push(firstOf(candidates, [byValue(senderPower), byTime, byId]));
  }

  const iterativeAuth = (
    start: StateMap,
    list: string[],
  ): Map<string, string> => {
    const state = new Map(start);
    for (const id of list) {
      const event = get(id);
      if (event.isRejected || event.pdu.state_key === undefined) continue;
      const find = (type: string, key: string): RoomEvent | undefined => {
        const inState = events(state.get(stateKeyOf(type, key)) ?? "");
        if (inState) return inState;
        if (type === "m.room.create") return createOf(event);
        const cited = authEvent(event, type, key);
        return cited?.isRejected === true ? undefined : cited;
      };
      if (isAllowed(version, event, find)) {
        state.set(stateKeyOf(event.pdu.type, event.pdu.state_key), id);
      }
    }
    return state;
  };

  // Algorithm, steps 1 and 2.
  const partial = iterativeAuth(isV21 ? new Map() : unconflicted, powerList);

  // Step 3: mainline ordering.
  const mainline: string[] = [];
  let next = partial.get(stateKeyOf("m.room.power_levels", ""));
  while (next !== undefined && isKnown(next)) {
    mainline.push(next);
    next = authEvent(get(next), "m.room.power_levels")?.eventId;
  }
  const position = (e: RoomEvent): number => {
    const levels = authEvent(e, "m.room.power_levels");
    if (levels === undefined) return Infinity;
    const index = mainline.indexOf(levels.eventId);
    return index === -1 ? position(levels) : index;
  };
  const rest = [...fullConflicted].filter((id) => !powerSet.has(id));
  const restList: string[] = [];
  while (restList.length < rest.length) {
    const left = rest.filter((id) => !restList.includes(id));
    restList.push(firstOf(left, [byValue(position), byTime, byId]));
  }

  // Steps 4 and 5.
  return new Map([...iterativeAuth(partial, restList), ...unconflicted]);
}
