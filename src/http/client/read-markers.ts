import {
  receiptTypes,
  setReceipts,
  type ReceiptType,
} from "../../domain/rooms/receipts.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidread_markers */
export const postReadMarkers = endpoint<{
  params: { roomId: string };
  body: Partial<Record<ReceiptType, string>>;
}>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/read_markers",
  auth: "user",
  suspended: true,
  rateLimit: "ephemeral",
  body: {
    type: "object",
    properties: Object.fromEntries(
      receiptTypes.map((type) => [type, { type: "string" }]),
    ),
  },
  async handle(edges, { requester, params, body }) {
    const receipts = receiptTypes.flatMap((type) => {
      const eventId = body[type];
      return eventId === undefined ? [] : [{ type, eventId }];
    });
    await setReceipts(edges, requester, params.roomId, receipts);
    return {};
  },
});
