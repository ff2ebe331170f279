import {
  createAlias,
  deleteAlias,
  listRoomAliases,
} from "../../domain/directory/aliases.ts";
import {
  isRoomPublished,
  setRoomPublished,
} from "../../domain/directory/publication.ts";
import { resolveAlias } from "../../domain/directory/resolve-room.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directoryroomroomalias */
export const getAlias = endpoint<{ params: { roomAlias: string } }>({
  method: "get",
  path: "/_matrix/client/v3/directory/room/:roomAlias",
  auth: "optional",
  rateLimit: "other",
  async handle(edges, { params }) {
    const roomId = await resolveAlias(edges, params.roomAlias);
    return { room_id: roomId, servers: [edges.settings.serverName] };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias */
export const putAlias = endpoint<{
  params: { roomAlias: string };
  body: { room_id: string };
}>({
  method: "put",
  path: "/_matrix/client/v3/directory/room/:roomAlias",
  auth: "user",
  rateLimit: "other",
  statuses: { M_UNKNOWN: 409 },
  body: {
    type: "object",
    properties: { room_id: { type: "string" } },
    required: ["room_id"],
  },
  async handle(edges, { requester, params, body }) {
    await createAlias(edges, requester, params.roomAlias, body.room_id);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3directoryroomroomalias */
export const deleteRoomAlias = endpoint<{ params: { roomAlias: string } }>({
  method: "delete",
  path: "/_matrix/client/v3/directory/room/:roomAlias",
  auth: "user",
  rateLimit: "other",
  async handle(edges, { requester, params }) {
    await deleteAlias(edges, requester, params.roomAlias);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidaliases */
export const getRoomAliases = endpoint<{ params: { roomId: string } }>({
  method: "get",
  path: "/_matrix/client/v3/rooms/:roomId/aliases",
  auth: "user",
  audit: "rooms.read",
  auditsNoted: true,
  async handle(edges, { requester, params }) {
    return { aliases: await listRoomAliases(edges, requester, params.roomId) };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid */
export const getPublication = endpoint<{ params: { roomId: string } }>({
  method: "get",
  path: "/_matrix/client/v3/directory/list/room/:roomId",
  auth: "optional",
  rateLimit: "other",
  async handle(edges, { requester, params }) {
    const { roomId } = params;
    const isPublished = await isRoomPublished(edges, requester?.userId, roomId);
    return { visibility: isPublished ? "public" : "private" };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid */
export const putPublication = endpoint<{
  params: { roomId: string };
  body: { visibility?: "public" | "private" };
}>({
  method: "put",
  path: "/_matrix/client/v3/directory/list/room/:roomId",
  auth: "user",
  rateLimit: "other",
  body: {
    type: "object",
    properties: { visibility: { type: "string", enum: ["public", "private"] } },
  },
  async handle(edges, { requester, params, body }) {
    const isPublished = body.visibility !== "private";
    await setRoomPublished(edges, requester, params.roomId, isPublished);
    return {};
  },
});
