import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { listTags, setTag } from "../../domain/rooms/tags.ts";
import { endpoint } from "../endpoint.ts";

interface OfRoom {
  userId: string;
  roomId: string;
}
type OfTag = OfRoom & { tag: string };

function assertOwn(asked: string, own: string): void {
  if (asked !== own) {
    throw new MatrixError("M_FORBIDDEN", "These are the tags of another user.");
  }
}

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidtags */
export const getTags = endpoint<{ params: OfRoom }>({
  method: "get",
  path: "/_matrix/client/v3/user/:userId/rooms/:roomId/tags",
  auth: "user",
  async handle(edges, { requester, params }) {
    assertOwn(params.userId, requester.userId);
    return { tags: await listTags(edges, params.userId, params.roomId) };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidtagstag */
export const putTag = endpoint<{ params: OfTag; body: JsonObject }>({
  method: "put",
  path: "/_matrix/client/v3/user/:userId/rooms/:roomId/tags/:tag",
  auth: "user",
  rateLimit: "other",
  body: { type: "object", properties: { order: { type: "number" } } },
  async handle(edges, { requester, params, body }) {
    const { userId, roomId, tag } = params;
    assertOwn(userId, requester.userId);
    await setTag(edges, userId, roomId, tag, body);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3useruseridroomsroomidtagstag */
export const deleteTag = endpoint<{ params: OfTag }>({
  method: "delete",
  path: "/_matrix/client/v3/user/:userId/rooms/:roomId/tags/:tag",
  auth: "user",
  rateLimit: "other",
  async handle(edges, { requester, params }) {
    const { userId, roomId, tag } = params;
    assertOwn(userId, requester.userId);
    await setTag(edges, userId, roomId, tag, null);
    return {};
  },
});
