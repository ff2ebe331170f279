import { checkAuth } from "../../../src/core/auth/check.ts";
import { checkAuthEvents } from "../../../src/core/auth/check-auth-events.ts";
import { selectAuthEvents } from "../../../src/core/auth/select.ts";
import { applyToState } from "../../../src/core/state/linear.ts";
import { resolveState } from "../../../src/core/state/resolve.ts";
import { resolveStateV1 } from "../../../src/core/state/v1.ts";
import { resolveStateV2 } from "../../../src/core/state/v2.ts";
import {
  stateKeyOf,
  type EventLookup,
  type StateMap,
} from "../../../src/core/state/state-map.ts";
import type { Judged, Played, Resolved } from "./random-rooms.ts";
import { selectSlowly } from "./reference/auth.ts";

/** Where this code and the reference differ on a room, in words. */
export function listDifferences({ room, judged, resolved }: Played): string[] {
  const { rules } = room.shared;
  const full = rules.stateResolution === "v1" ? resolveStateV1 : resolveStateV2;
  const ofEvent = ({ event, before, after, ...of }: Judged): string[] => {
    const { eventId, pdu } = event;
    const differences: string[] = [];
    const expect = (what: string, holds: boolean): void => {
      if (!holds) differences.push(`${what} of ${pdu.type} ${eventId}`);
    };
    const find = (type: string, key: string) =>
      room.event(before.get(stateKeyOf(type, key)) ?? "");
    const isAllowed = checkAuth(rules, event, find) === "allowed";
    const areAllowed =
      checkAuthEvents(rules, event, of.authEvents) === "allowed";
    expect("verdict", isAllowed === of.isAllowed);
    expect("auth events", areAllowed === of.areAuthEventsAllowed);
    expect("linear state", isSame(applyToState(before, event), after));
    expect(
      "full resolution of the linear state",
      isSame(full(rules, [after, new Map(after)], room.event), after) &&
        resolveState(rules, [after, new Map(after)], room.event) === after,
    );
    expect(
      "selection",
      isSame(
        keysOf(selectAuthEvents(rules, pdu)),
        keysOf(selectSlowly(Number(rules.version), pdu)),
      ),
    );
    return differences;
  };
  const ofState = ({ stateSets, events, state }: Resolved): string[] => {
    const given = [resolveState, full].map((resolve) =>
      resolve(rules, stateSets, events),
    );
    return given.every((one) => isSame(one, state))
      ? []
      : [`resolution: ${tellDifference(given[0]!, state)}`];
  };
  return [...judged.flatMap(ofEvent), ...resolved.flatMap(ofState)];
}

const keysOf = (keys: string[][]): ReadonlyMap<string, string> =>
  new Map(keys.map(([type, key]) => [stateKeyOf(type!, key!), ""]));

function isSame(one: StateMap, other: StateMap): boolean {
  return (
    one.size === other.size &&
    [...one].every(([key, value]) => other.get(key) === value)
  );
}

function tellDifference(one: StateMap, other: StateMap): string {
  const keys = new Set([...one.keys(), ...other.keys()]);
  return [...keys]
    .filter((key) => one.get(key) !== other.get(key))
    .map((key) => `${key}: ${one.get(key)}, not ${other.get(key)}`)
    .join("; ");
}

/** Whether the sets differ, and whether the last writer of each key would be the wrong one. */
export function weighConflict({ stateSets, events, state }: Resolved): {
  isConflict: boolean;
  isLastWrong: boolean;
  isUnset: boolean;
} {
  const keys = [...new Set(stateSets.flatMap((set) => [...set.keys()]))];
  const conflicted = keys.filter(
    (key) => new Set(stateSets.map((set) => set.get(key))).size > 1,
  );
  return {
    isConflict: conflicted.length > 0,
    isLastWrong: conflicted.some(
      (key) => lastOf(key, stateSets, events) !== state.get(key),
    ),
    isUnset: conflicted.some((key) => !state.has(key)),
  };
}

function lastOf(
  key: string,
  stateSets: StateMap[],
  events: EventLookup,
): string | undefined {
  const ts = (id: string) => events(id)?.pdu.origin_server_ts ?? 0;
  return stateSets
    .flatMap((set) => set.get(key) ?? [])
    .sort((a, b) => ts(a) - ts(b) || (a < b ? -1 : 1))
    .at(-1);
}
