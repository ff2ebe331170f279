import type {
  EventLookup,
  StateMap,
} from "../../../../src/core/state/state-map.ts";
import { resolveV1 } from "./v1.ts";
import { resolveV2 } from "./v2.ts";

/**
 * State resolution once more, as the specification's text reads and as slow as
 * that is: the oracle that `resolveState` is compared with. It shares with it
 * the form of events and of state, and nothing else.
 */
export function resolveSlowly(
  version: number,
  stateSets: readonly StateMap[],
  events: EventLookup,
): StateMap {
  // Rejected events never enter state (CVE-2022-39374).
  const offered = stateSets.map(
    (set) => new Map([...set].filter(([, id]) => !events(id)?.isRejected)),
  );
  return version === 1
    ? resolveV1(offered, events)
    : resolveV2(version, offered, events);
}
