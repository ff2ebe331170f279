import {
  createAlias,
  deleteAlias,
  listRoomAliases,
} from "../../domain/directory/aliases.ts";
import { isPublished, publishRoom } from "../../domain/directory/publication.ts";
import { resolveAlias } from "../../domain/directory/resolve-room.ts";
import { endpoint } from "../endpoint.ts";

const ALIAS = "/_matrix/client/v3/directory/room/:roomAlias";
const LISTING = "/_matrix/client/v3/directory/list/room/:roomId";

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directoryroomroomalias */
export const getAlias = endpoint<{ params: { roomAlias: string } }>({
  method: "get",
  path: ALIAS,
  auth: "none",
  rateLimit: "other",
  async handle(edges, { params }) {
    const room_id = await resolveAlias(edges, params.roomAlias);
    return { room_id, servers: [edges.settings.serverName] };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias */
export const putAlias = endpoint<{
  params: { roomAlias: string };
  body: { room_id: string };
}>({
  method: "put",
  path: ALIAS,
  auth: "user",
  rateLimit: "other",
  body: {
    type: "object",
    properties: { room_id: { type: "string" } },
    required: ["room_id"],
  },
  statuses: { M_UNKNOWN: 409 },
  async handle(edges, { requester, params, body }) {
    await createAlias(edges, requester, params.roomAlias, body.room_id);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3directoryroomroomalias */
export const removeAlias = endpoint<{ params: { roomAlias: string } }>({
  method: "delete",
  path: ALIAS,
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
  async handle(edges, { requester, params }) {
    return { aliases: await listRoomAliases(edges, requester, params.roomId) };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid */
export const getListing = endpoint<{ params: { roomId: string } }>({
  method: "get",
  path: LISTING,
  auth: "optional",
  rateLimit: "other",
  async handle(edges, { requester, params }) {
    const isListed = await isPublished(edges, requester, params.roomId);
    return { visibility: isListed ? "public" : "private" };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid */
export const putListing = endpoint<{
  params: { roomId: string };
  body: { visibility?: "public" | "private" };
}>({
  method: "put",
  path: LISTING,
  auth: "user",
  rateLimit: "other",
  body: {
    type: "object",
    properties: { visibility: { type: "string", enum: ["public", "private"] } },
  },
  async handle(edges, { requester, params, body }) {
    const isListed = body.visibility !== "private";
    await publishRoom(edges, requester, params.roomId, isListed);
    return {};
  },
});
