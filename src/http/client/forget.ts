import { forgetRoom } from "../../domain/rooms/forget.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget */
export const postForget = endpoint<{ params: { roomId: string } }>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/forget",
  auth: "user",
  suspended: true,
  async handle(edges, { requester, params }) {
    await forgetRoom(edges, requester.userId, params.roomId);
    return {};
  },
});
