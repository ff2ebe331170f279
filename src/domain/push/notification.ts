import {
  emptyJsonObject,
  isJsonObject,
  type JsonObject,
} from "../../core/json.ts";
import type { PushAction } from "../../core/push/ruleset.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import type { PusherDetails } from "./pushers.ts";

/** What people call the room and the sender, where the gateway is told. */
export interface EventNames {
  roomName?: string;
  roomAlias?: string;
  senderName?: string;
}

export interface Told {
  userId: string;
  details: PusherDetails;
  /** When the pusher was set. */
  createdTs: number;
  badge: number;
}

/**
 * The body of a notification of an event.
 * https://spec.matrix.org/v1.19/push-gateway-api/#post_matrixpushv1notify
 */
export function eventNotification(
  told: Told,
  event: StoredEvent,
  actions: readonly PushAction[],
  names: EventNames,
): JsonObject {
  const tweaks = tweaksOf(actions);
  const isUrgent =
    event.type === "m.room.encrypted" ||
    tweaks["sound"] !== undefined ||
    tweaks["highlight"] === true;
  const common = {
    event_id: event.eventId,
    room_id: event.room.roomId,
    prio: isUrgent ? "high" : "low",
    ...countsOf(told),
  };
  if (isIdOnly(told.details)) return { ...common, devices: [deviceOf(told)] };
  const { roomName, roomAlias, senderName } = names;
  return {
    ...common,
    type: event.type,
    sender: event.sender,
    content: event.pdu.content,
    ...(senderName !== undefined && { sender_display_name: senderName }),
    ...(roomName !== undefined && { room_name: roomName }),
    ...(roomAlias !== undefined && { room_alias: roomAlias }),
    ...(event.type === "m.room.member" && {
      user_is_target: event.stateKey === told.userId,
    }),
    devices: [{ ...deviceOf(told), tweaks }],
  };
}

/** Of nothing but the count, which has changed. */
export const countNotification = (told: Told): JsonObject => ({
  prio: "low",
  ...countsOf(told),
  devices: [deviceOf(told)],
});

/** "Only the event_id, room_id, counts, and devices" are told. */
export const isIdOnly = ({ data }: PusherDetails): boolean =>
  data["format"] === "event_id_only";

/** Whether the app counts for itself (MSC4076). */
export const countsItself = ({ data }: PusherDetails): boolean =>
  data["org.matrix.msc4076.disable_badge_count"] === true ||
  data["disable_badge_count"] === true;

const countsOf = ({ details, badge }: Told): JsonObject =>
  countsItself(details) ? {} : { counts: { unread: badge } };

function deviceOf({ details, createdTs }: Told): JsonObject {
  const { app_id, pushkey, data } = details;
  const others = emptyJsonObject();
  for (const [name, value] of Object.entries(data))
    if (name !== "url") others[name] = value;
  return {
    app_id,
    pushkey,
    pushkey_ts: Math.floor(createdTs / 1000),
    data: others,
  };
}

function tweaksOf(actions: readonly PushAction[]): JsonObject {
  const tweaks = emptyJsonObject();
  for (const action of actions) {
    if (!isJsonObject(action)) continue;
    const { set_tweak: name, value } = action;
    if (typeof name !== "string") continue;
    // "If a highlight tweak is given with no value, its value is defined to be true."
    if (value !== undefined) tweaks[name] = value;
    else if (name === "highlight") tweaks[name] = true;
  }
  return tweaks;
}
