import { checkAuth } from "../../../src/core/auth/check.ts";
import type { RoomEvent } from "../../../src/core/event.ts";
import { isJsonObject } from "../../../src/core/json.ts";
import type { RoomRules } from "../../../src/core/room-version.ts";
import {
  stateKeyOf,
  type EventLookup,
  type StateMap,
} from "../../../src/core/state/state-map.ts";

/**
 * State resolution v2 and v2.1 once more, sentence by sentence and as slow as
 * that is: the oracle that `resolveState` is compared with. Power levels are
 * integers here, as in the rooms that the specs build.
 */
export function resolveSlowly(
  rules: RoomRules,
  stateSets: readonly StateMap[],
  events: EventLookup,
): StateMap {
  const get = (id: string): RoomEvent => {
    const event = events(id);
    if (event === undefined) throw new Error(`unknown event ${id}`);
    return event;
  };
  const isV21 = rules.stateResolution === "v2.1";
  const union = (sets: Iterable<string>[]): Set<string> =>
    new Set(sets.flatMap((set) => [...set]));

  /** "the events reachable by walking the graph induced by an event's auth_events links" */
  const chains = new Map<string, Set<string>>();
  const authChain = (id: string): Set<string> => {
    const known = chains.get(id);
    if (known !== undefined) return known;
    const direct = get(id).authEventIds;
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
      } else {
        conflicted.add(id);
      }
    }
  }

  // Auth difference; a state event is taken as part of its own set's chain.
  const full = stateSets.map((set) =>
    union([set.values(), ...[...set.values()].map(authChain)]),
  );
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

  const authEvent = (e: RoomEvent, type: string): RoomEvent | undefined =>
    e.authEventIds
      .map(get)
      .find(({ pdu }) => pdu.type === type && pdu.state_key === "");
  const createOf = (e: RoomEvent): RoomEvent | undefined =>
    rules.authorization.roomIdIsCreateHash
      ? get(`$${e.roomId.slice(1)}`)
      : authEvent(e, "m.room.create");

  const senderPower = (e: RoomEvent): number => {
    const create = createOf(e);
    const creator = rules.authorization.creatorFromSender
      ? create?.pdu.sender
      : create?.pdu.content["creator"];
    const isCreator = creator === e.pdu.sender;
    if (isCreator && rules.authorization.explicitlyPrivilegedCreators) {
      return Infinity;
    }
    const levels = authEvent(e, "m.room.power_levels")?.pdu.content;
    if (levels === undefined) return isCreator ? 100 : 0;
    const { users, users_default: byDefault } = levels;
    const own = isJsonObject(users) ? users[e.pdu.sender] : undefined;
    return Number(own ?? byDefault ?? 0);
  };

  const isPowerEvent = ({ pdu }: RoomEvent): boolean =>
    ["m.room.create", "m.room.power_levels", "m.room.join_rules"].includes(
      pdu.type,
    ) ||
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

  // Reverse topological power ordering, edges being auth events within the set.
  const edges = (id: string): string[] =>
    get(id).authEventIds.filter((other) => fullConflicted.has(other));
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
      const verdict = checkAuth(rules, event, (type, key) => {
        const inState = state.get(stateKeyOf(type, key));
        if (inState !== undefined) return get(inState);
        if (type === "m.room.create") return createOf(event);
        return event.authEventIds
          .map(get)
          .find(({ pdu }) => pdu.type === type && pdu.state_key === key);
      });
      if (verdict === "allowed") {
        state.set(stateKeyOf(event.pdu.type, event.pdu.state_key ?? ""), id);
      }
    }
    return state;
  };

  // Algorithm, steps 1 and 2.
  const partial = iterativeAuth(isV21 ? new Map() : unconflicted, powerList);

  // Step 3: mainline ordering.
  const mainline: string[] = [];
  let next = partial.get(stateKeyOf("m.room.power_levels", ""));
  while (next !== undefined) {
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
