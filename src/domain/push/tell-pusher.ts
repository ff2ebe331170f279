import type { Edges } from "../../edges.ts";
import type { JsonObject } from "../../core/json.ts";
import type { PushAction } from "../../core/push/ruleset.ts";
import type { Gateways } from "./gateways.ts";
import {
  countNotification,
  countsItself,
  eventNotification,
} from "./notification.ts";
import type { Parcel, ParcelItem } from "./parcels.ts";
import type { GatewayOutcome } from "./push-gateway.ts";

export interface ToldParcel {
  /** All up to here was told, or need not be. */
  position: number;
  /** The count that the pusher was told last. */
  badge: number;
  outcome: GatewayOutcome;
}

/** Tells a pusher's gateway one thing after the other, until one of them fails. */
export async function tellPusher(
  edges: Pick<Edges, "egress">,
  gateways: Gateways,
  parcel: Parcel,
  signal: AbortSignal,
): Promise<ToldParcel> {
  const { details, items, pusher } = parcel;
  const { url } = details.data;
  const told: ToldParcel = {
    position: 0,
    badge: pusher.badge,
    outcome: "delivered",
  };
  for (const item of items) {
    const notification = notificationOf(parcel, item, told.badge);
    if (notification && typeof url === "string") {
      const { pushkey } = details;
      const outcome = await gateways.tell(
        edges,
        url,
        pushkey,
        notification,
        signal,
      );
      if (outcome !== "delivered") return { ...told, outcome };
      told.badge = parcel.badge;
    }
    told.position = item.row.position;
  }
  return told;
}

/** Of an event, or of the count alone where that is other than the app was told. */
function notificationOf(
  parcel: Parcel,
  { row, event, names }: ParcelItem,
  badgeTold: number,
): JsonObject | undefined {
  const { details, badge, items } = parcel;
  const { userId, createdTs } = parcel.pusher;
  const told = { userId, details, createdTs, badge };
  if (event) {
    const actions = JSON.parse(row.actions) as PushAction[];
    return eventNotification(told, event, actions, names);
  }
  const isLast = items.at(-1)?.row === row;
  return isLast && !row.isOver && badge !== badgeTold && !countsItself(details)
    ? countNotification(told)
    : undefined;
}
