import { createHash } from "node:crypto";
import { checkAuth } from "../auth/check.ts";
import type { RoomEvent } from "../event.ts";
import type { RoomRules } from "../room-version.ts";
import {
  parseStateKey,
  stateKeyOf,
  type EventLookup,
  type StateMap,
} from "./state-map.ts";

/** Whether R, with one event of it replaced, allows an event. */
type IsAllowed = (event: RoomEvent, replaced?: RoomEvent) => boolean;

const AUTH_TYPES = [
  "m.room.power_levels",
  "m.room.join_rules",
  "m.room.member",
];

/** State resolution of room version 1, known to reset state. */
export function resolveStateV1(
  rules: RoomRules,
  stateSets: readonly StateMap[],
  events: EventLookup,
): StateMap {
  const { resolved, conflicts } = splitStates(stateSets, events);
  const isAllowed: IsAllowed = (event, replaced) =>
    checkAuth(rules, event, (type, stateKey) => {
      const { pdu } = replaced ?? {};
      if (pdu?.type === type && pdu.state_key === stateKey) return replaced;
      return events(resolved.get(stateKeyOf(type, stateKey)) ?? "");
    }) === "allowed";
  const resolveAll = (
    ofType: (type: string) => boolean,
    pick: (candidates: RoomEvent[], isAllowed: IsAllowed) => string | undefined,
  ): void => {
    // Conflicts of one pass do not see each other's outcome.
    const winners: [string, string][] = [];
    for (const [key, candidates] of conflicts) {
      if (!ofType(parseStateKey(key)[0])) continue;
      const winner = pick(candidates, isAllowed);
      if (winner !== undefined) winners.push([key, winner]);
    }
    for (const [key, eventId] of winners) resolved.set(key, eventId);
  };

  // First we resolve conflicts between m.room.power_levels events. […] Repeat the above
  // process for conflicts between m.room.join_rules events. Repeat […] m.room.member events.
  for (const type of AUTH_TYPES) {
    resolveAll((other) => other === type, pickWalkingUp);
  }
  resolveAll((type) => !AUTH_TYPES.includes(type), pickLatestAllowed);
  return resolved;
}

/** Start by setting R to the union of the states to be resolved, excluding any conflicting events. */
function splitStates(stateSets: readonly StateMap[], events: EventLookup) {
  const candidates = new Map<string, Set<string>>();
  for (const set of stateSets) {
    for (const [key, eventId] of set) {
      if (events(eventId)?.isRejected === true) continue;
      const known = candidates.get(key);
      if (known === undefined) candidates.set(key, new Set([eventId]));
      else known.add(eventId);
    }
  }
  const resolved = new Map<string, string>();
  const conflicts = new Map<string, RoomEvent[]>();
  for (const [key, eventIds] of candidates) {
    const [only, ...more] = eventIds;
    // A conflict occurs between states where those states have different event_ids for the
    // same (event_type, state_key).
    if (more.length === 0 && only !== undefined) resolved.set(key, only);
    else {
      const known = [...eventIds].flatMap((eventId) => events(eventId) ?? []);
      conflicts.set(key, known);
    }
  }
  return { resolved, conflicts };
}

function pickWalkingUp(
  candidates: RoomEvent[],
  isAllowed: IsAllowed,
): string | undefined {
  // Add the first event in the list to R. For each subsequent event in the list, […] if the
  // event would be allowed, then update R with the event and continue with the next event in
  // the list. If it would not be allowed, stop.
  const [first, ...others] = sortByDepth(candidates);
  let winner = first;
  for (const event of others) {
    if (!isAllowed(event, winner)) break;
    winner = event;
  }
  return winner?.eventId;
}

function pickLatestAllowed(
  candidates: RoomEvent[],
  isAllowed: IsAllowed,
): string | undefined {
  // No other events affect the authorisation rules, so for all other conflicts, just pick the
  // event with the highest depth and lowest sha1(event_id) that passes authentication in R.
  const latestFirst = sortByDepth(candidates).reverse();
  // If none does, the servers that such rooms live on keep the last one.
  const winner =
    latestFirst.find((event) => isAllowed(event)) ?? latestFirst.at(-1);
  return winner?.eventId;
}

const sha1 = (text: string): string =>
  createHash("sha1").update(text).digest("hex");

/** Sorts by ascending depth, then descending sha1(event_id). */
function sortByDepth(candidates: readonly RoomEvent[]): RoomEvent[] {
  return candidates
    .map((event) => ({ event, hash: sha1(event.eventId) }))
    .sort((x, y) => {
      const byDepth = x.event.pdu.depth - y.event.pdu.depth;
      if (byDepth !== 0) return byDepth;
      return x.hash > y.hash ? -1 : 1;
    })
    .map(({ event }) => event);
}
