import type { SchemaObject } from "ajv";
import {
  type Complaint,
  reportEvent,
  reportRoom,
  reportUser,
} from "../../domain/admin/reports.ts";
import { endpoint } from "../endpoint.ts";

const REASON = { type: "string", maxLength: 10_000 };

const NEEDS_REASON: SchemaObject = {
  type: "object",
  properties: { reason: REASON },
  required: ["reason"],
};

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreport */
export const postRoomReport = endpoint<{
  params: { roomId: string };
  body: { reason: string };
}>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/report",
  auth: "user",
  rateLimit: "report",
  body: NEEDS_REASON,
  async handle(edges, { requester, params, body: { reason } }) {
    await reportRoom(edges, requester, params.roomId, { reason });
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreporteventid */
export const postEventReport = endpoint<{
  params: { roomId: string; eventId: string };
  body: { reason?: string | null; score?: number | null };
}>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/report/:eventId",
  auth: "user",
  rateLimit: "report",
  body: {
    type: "object",
    properties: {
      reason: { ...REASON, nullable: true },
      // Removed in v1.18; clients still send it.
      score: { type: "integer", nullable: true },
    },
  },
  async handle(edges, { requester, params, body }) {
    const { roomId, eventId } = params;
    const complaint: Complaint = {
      reason: body.reason ?? "",
      ...(typeof body.score === "number" && { score: body.score }),
    };
    await reportEvent(edges, requester, roomId, eventId, complaint);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3usersuseridreport */
export const postUserReport = endpoint<{
  params: { userId: string };
  body: { reason: string };
}>({
  method: "post",
  path: "/_matrix/client/v3/users/:userId/report",
  auth: "user",
  rateLimit: "report",
  body: NEEDS_REASON,
  async handle(edges, { requester, params, body: { reason } }) {
    await reportUser(edges, requester, params.userId, { reason });
    return {};
  },
});
