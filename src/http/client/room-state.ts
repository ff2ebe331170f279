import type { JsonObject } from "../../core/json.ts";
import {
  getReadableState,
  getReadableStateEvent,
  listReadableState,
} from "../../domain/rooms/read-state.ts";
import { scheduleEvent } from "../../domain/rooms/schedule-event.ts";
import { pretendedEventId } from "../../domain/rooms/pretended-event.ts";
import { setRoomState } from "../../domain/rooms/set-state.ts";
import { presentState } from "../../domain/rooms/present.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";
import { DELAY, delayQuery } from "./delayed-events.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstate */
export const getAllState = endpoint<{ params: { roomId: string } }>({
  method: "get",
  path: "/_matrix/client/v3/rooms/:roomId/state",
  auth: "user",
  rateLimit: "history",
  guest: true,
  async handle(edges, { requester, params }) {
    const readable = await getReadableState(
      edges,
      requester.userId,
      params.roomId,
    );
    const events = await listReadableState(edges, readable);
    const texts = await presentState(edges, requester, events);
    return reply({ body: `[${texts.join(",")}]` });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidstateeventtypestatekey */
export const getState = endpoint<{
  params: { roomId: string; eventType: string; stateKey: string };
  query: { format?: string };
}>({
  method: "get",
  path: "/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey",
  also: [
    "/_matrix/client/v3/rooms/:roomId/state/:eventType",
    "/_matrix/client/v3/rooms/:roomId/state/:eventType/",
  ],
  auth: "user",
  guest: true,
  query: {
    type: "object",
    properties: { format: { type: "string", enum: ["content", "event"] } },
  },
  async handle(edges, { requester, params, query }) {
    const { roomId, eventType, stateKey } = params;
    const readable = await getReadableState(edges, requester.userId, roomId);
    const event = await getReadableStateEvent(
      edges,
      readable,
      eventType,
      stateKey,
    );
    if (query.format !== "event") return event.pdu.content;
    const [text] = await presentState(edges, requester, [event]);
    return reply({ body: text! });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey */
export const putState = endpoint<{
  params: { roomId: string; eventType: string; stateKey: string };
  query: { [DELAY]?: number };
  body: JsonObject;
}>({
  method: "put",
  path: "/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey",
  also: [
    "/_matrix/client/v3/rooms/:roomId/state/:eventType",
    "/_matrix/client/v3/rooms/:roomId/state/:eventType/",
  ],
  auth: "user",
  guest: true,
  rateLimit: "message",
  query: delayQuery,
  body: { type: "object" },
  pretend(edges, { requester, params, query, body }) {
    const { roomId, eventType, stateKey } = params;
    // Where they are themselves is up to them, but nobody hears them knock.
    const isOwn =
      eventType === "m.room.member" && stateKey === requester.userId;
    if (isOwn && body["membership"] !== "knock") return undefined;
    // What waits is hidden when its time has come.
    if (query[DELAY] !== undefined) return undefined;
    const place = [roomId, eventType, stateKey, body];
    return { event_id: pretendedEventId(edges, requester, ...place) };
  },
  async handle(edges, { requester, params, query, body }) {
    const { roomId, eventType, stateKey } = params;
    const state = { type: eventType, stateKey, content: body };
    const delayMs = query[DELAY];
    if (delayMs !== undefined) {
      const later = { ...state, delayMs };
      const delay_id = await scheduleEvent(edges, requester, roomId, later);
      return { delay_id };
    }
    return { event_id: await setRoomState(edges, requester, roomId, state) };
  },
});
