import { setTyping } from "../../domain/rooms/typing.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid */
export const putTyping = endpoint<{
  params: { roomId: string; userId: string };
  body: { typing: boolean; timeout?: number };
}>({
  method: "put",
  path: "/_matrix/client/v3/rooms/:roomId/typing/:userId",
  auth: "user",
  rateLimit: "ephemeral",
  body: {
    type: "object",
    required: ["typing"],
    properties: {
      typing: { type: "boolean" },
      timeout: { type: "integer" },
    },
  },
  pretend: () => ({}),
  async handle(edges, { requester, params, body }) {
    await setTyping(edges, requester, params, {
      isTyping: body.typing,
      ...(body.timeout !== undefined && { timeoutMs: body.timeout }),
    });
    return {};
  },
});
