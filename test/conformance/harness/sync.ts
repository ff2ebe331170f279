// Where things stand in an answer of /sync.
import { at, isObject, list, type JsonObject } from "./json.ts";

const joinedRoom = (sync: JsonObject, roomId: string): unknown =>
  at(sync, "rooms", "join", roomId);

export const isJoinedIn = (sync: JsonObject, roomId: string): boolean =>
  isObject(joinedRoom(sync, roomId));

export const isInvitedIn = (sync: JsonObject, roomId: string): boolean =>
  isObject(at(sync, "rooms", "invite", roomId));

export const isLeftIn = (sync: JsonObject, roomId: string): boolean =>
  isObject(at(sync, "rooms", "leave", roomId));

export const timeline = (sync: JsonObject, roomId: string): JsonObject[] =>
  list(sync, "rooms", "join", roomId, "timeline", "events");

export const roomState = (sync: JsonObject, roomId: string): JsonObject[] =>
  list(sync, "rooms", "join", roomId, "state", "events");

/** The state events that a sync tells of a joined room, from `state` and from the timeline. */
export const allState = (sync: JsonObject, roomId: string): JsonObject[] => [
  ...roomState(sync, roomId),
  ...timeline(sync, roomId).filter((event) =>
    Object.hasOwn(event, "state_key"),
  ),
];

export const ephemeral = (sync: JsonObject, roomId: string): JsonObject[] =>
  list(sync, "rooms", "join", roomId, "ephemeral", "events");

export const roomAccountData = (
  sync: JsonObject,
  roomId: string,
): JsonObject[] =>
  list(sync, "rooms", "join", roomId, "account_data", "events");

export const leftTimeline = (sync: JsonObject, roomId: string): JsonObject[] =>
  list(sync, "rooms", "leave", roomId, "timeline", "events");

export const accountData = (sync: JsonObject): JsonObject[] =>
  list(sync, "account_data", "events");

export const toDevice = (sync: JsonObject): JsonObject[] =>
  list(sync, "to_device", "events");

export const presence = (sync: JsonObject): JsonObject[] =>
  list(sync, "presence", "events");

export const hasEvent = (events: JsonObject[], eventId: string): boolean =>
  events.some((event) => event["event_id"] === eventId);

/** The last event of a type (and state key, where given). */
export const findEvent = (
  events: JsonObject[],
  type: string,
  stateKey?: string,
): JsonObject | undefined =>
  events.findLast(
    (event) =>
      event["type"] === type &&
      (stateKey === undefined || event["state_key"] === stateKey),
  );

export const hasMembership = (
  events: JsonObject[],
  userId: string,
  membership: string,
): boolean =>
  events.some(
    (event) =>
      event["type"] === "m.room.member" &&
      event["state_key"] === userId &&
      at(event, "content", "membership") === membership,
  );
