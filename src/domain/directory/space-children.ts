import { compareCodePoints } from "../../core/code-points.ts";
import { strippedStateEvent } from "../../core/client-event.ts";
import type { JsonObject } from "../../core/json.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";

/** "order: […] containing only ASCII characters in the range \x20-\x7E, at most 50 characters". */
const ORDER = /^[\x20-\x7e]{1,50}$/;

/**
 * The events that name children of a space, in the order of the specification: by
 * `order`, then by when the child was added, then by its id.
 */
export function sortChildren(
  events: readonly StoredEvent[],
  isSuggestedOnly: boolean,
): StoredEvent[] {
  return events
    .filter(
      (event) =>
        isChild(event) &&
        (!isSuggestedOnly || event.pdu.content["suggested"] === true),
    )
    .map((event) => ({ event, order: orderOf(event.pdu.content) }))
    .sort(
      (a, b) =>
        compareOrders(a.order, b.order) ||
        a.event.originServerTs - b.event.originServerTs ||
        compareCodePoints(a.event.stateKey ?? "", b.event.stateKey ?? ""),
    )
    .map(({ event }) => event);
}

/** "Children where via is not present or invalid (not an array) are ignored." */
function isChild({ pdu, stateKey }: StoredEvent): boolean {
  const via = pdu.content["via"];
  return (
    stateKey !== null &&
    stateKey.startsWith("!") &&
    Array.isArray(via) &&
    via.length > 0 &&
    via.every((server) => typeof server === "string")
  );
}

function orderOf({ order }: JsonObject): string | undefined {
  return typeof order === "string" && ORDER.test(order) ? order : undefined;
}

/** Those without a valid order come last. */
function compareOrders(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  return compareCodePoints(a, b);
}

/** As it stands in `children_state`. */
export function childState({ pdu }: StoredEvent): JsonObject {
  const event = strippedStateEvent(pdu);
  event["origin_server_ts"] = pdu.origin_server_ts;
  return event;
}
