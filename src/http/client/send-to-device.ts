import type { JsonObject } from "../../core/json.ts";
import { sendToDevice } from "../../domain/encryption/send-to-device.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid */
export const putToDevice = endpoint<{
  params: { eventType: string; txnId: string };
  body: { messages: Record<string, Record<string, JsonObject>> };
}>({
  method: "put",
  path: "/_matrix/client/v3/sendToDevice/:eventType/:txnId",
  auth: "user",
  suspended: true,
  rateLimit: "toDevice",
  maxBodyBytes: 4 * 1024 * 1024,
  body: {
    type: "object",
    required: ["messages"],
    properties: {
      messages: {
        type: "object",
        additionalProperties: {
          type: "object",
          additionalProperties: { type: "object" },
        },
      },
    },
  },
  async handle(edges, { requester, params, body }) {
    const { eventType: type, txnId } = params;
    const { messages } = body;
    await sendToDevice(edges, requester, { type, txnId, messages });
    return {};
  },
});
