import type { JsonObject } from "../../core/json.ts";
import { pretendedEventId } from "../../domain/rooms/pretended-event.ts";
import { redactEvent } from "../../domain/rooms/redact.ts";
import { scheduleEvent } from "../../domain/rooms/schedule-event.ts";
import { sendMessage } from "../../domain/rooms/send.ts";
import { transactionOf } from "../../domain/idempotency.ts";
import { endpoint } from "../endpoint.ts";
import { DELAY, delayQuery } from "./delayed-events.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid */
export const putMessage = endpoint<{
  params: { roomId: string; eventType: string; txnId: string };
  query: { [DELAY]?: number };
  body: JsonObject;
}>({
  method: "put",
  path: "/_matrix/client/v3/rooms/:roomId/send/:eventType/:txnId",
  auth: "user",
  guest: true,
  rateLimit: "message",
  query: delayQuery,
  body: { type: "object" },
  pretend(edges, { requester, params, query }) {
    // What waits is hidden when its time has come.
    if (query[DELAY] !== undefined) return undefined;
    const { roomId, eventType, txnId } = params;
    const place = [roomId, eventType, txnId];
    return { event_id: pretendedEventId(edges, requester, ...place) };
  },
  async handle(edges, { requester, params, query, body }) {
    const { roomId, eventType, txnId } = params;
    const message = { type: eventType, content: body, txnId };
    const delayMs = query[DELAY];
    if (delayMs !== undefined) {
      const later = { ...message, delayMs };
      const delay_id = await scheduleEvent(edges, requester, roomId, later);
      return { delay_id };
    }
    return {
      event_id: await sendMessage(edges, requester, roomId, message),
    };
  },
});

const REL_TYPES = {
  type: "array",
  items: { type: "string" },
  maxItems: 100,
} as const;

/**
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid
 * and MSC3912, under the name that it has and the one that it will have.
 */
export const putRedaction = endpoint<{
  params: { roomId: string; eventId: string; txnId: string };
  body: JsonObject & {
    reason?: string;
    with_rel_types?: string[];
    "org.matrix.msc3912.with_relations"?: string[];
  };
}>({
  method: "put",
  path: "/_matrix/client/v3/rooms/:roomId/redact/:eventId/:txnId",
  withoutConsent: true,
  auth: "user",
  suspended: true,
  rateLimit: "message",
  body: {
    type: "object",
    properties: {
      reason: { type: "string" },
      with_rel_types: REL_TYPES,
      "org.matrix.msc3912.with_relations": REL_TYPES,
    },
  },
  pretend(edges, { requester, params: { roomId, eventId, txnId } }) {
    const place = [roomId, "redact", eventId, txnId];
    return { event_id: pretendedEventId(edges, requester, ...place) };
  },
  async handle(edges, { requester, params, body }) {
    const { roomId, eventId, txnId } = params;
    const event_id = await redactEvent(edges, requester, roomId, {
      redacts: eventId,
      content: body.reason === undefined ? {} : { reason: body.reason },
      transaction: transactionOf(requester, `redact ${eventId}`, roomId, txnId),
      withRelTypes:
        body["org.matrix.msc3912.with_relations"] ?? body.with_rel_types ?? [],
    });
    return { event_id };
  },
});
