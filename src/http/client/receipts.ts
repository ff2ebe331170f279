import {
  receiptTypes,
  setReceipts,
  type ReceiptType,
} from "../../domain/rooms/receipts.ts";
import { MatrixError } from "../../core/errors.ts";
import { endpoint } from "../endpoint.ts";
import { idParam } from "../params.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid */
export const postReceipt = endpoint<{
  params: { roomId: string; receiptType: ReceiptType; eventId: string };
  body: { thread_id?: unknown };
}>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/receipt/:receiptType/:eventId",
  params: {
    receiptType: idParam(
      (text): text is ReceiptType => receiptTypes.some((type) => type === text),
      "a type of receipts",
    ),
  },
  auth: "user",
  suspended: true,
  rateLimit: "ephemeral",
  body: { type: "object" },
  async handle(edges, { requester, params, body }) {
    const { roomId, receiptType: type, eventId } = params;
    const threadId = parseThreadId(body.thread_id);
    await setReceipts(edges, requester, roomId, [
      { type, eventId, ...(threadId !== undefined && { threadId }) },
    ]);
    return {};
  },
});

/** The specification names the code of this one fault. */
function parseThreadId(value: unknown): string | undefined {
  if (value === undefined || (typeof value === "string" && value !== "")) {
    return value;
  }
  throw new MatrixError(
    "M_INVALID_PARAM",
    "The thread_id must be a non-empty string.",
  );
}
