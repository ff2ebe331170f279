import type { JsonObject } from "../../core/json.ts";
import { resolveRoom } from "../../domain/directory/resolve-room.ts";
import {
  inviteUser,
  joinRoom,
  knockOnRoom,
  leaveRoom,
  moderateMember,
} from "../../domain/rooms/membership.ts";
import { endpoint } from "../endpoint.ts";

const REASON = { reason: { type: "string" } };
const TARGET = {
  type: "object",
  properties: { user_id: { type: "string" }, ...REASON },
  required: ["user_id"],
};

interface Targeted {
  params: { roomId: string };
  body: { user_id: string; reason?: string };
}

const reasonIn = ({ reason }: { reason?: string }) =>
  reason === undefined ? {} : { reason };

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin */
export const postJoin = endpoint<{
  params: { roomId: string };
  body: JsonObject & { reason?: string };
}>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/join",
  auth: "user",
  guest: true,
  rateLimit: "join",
  body: { type: "object", properties: REASON },
  async handle(edges, { requester, params, body }) {
    const room = await joinRoom(edges, requester, params.roomId, reasonIn(body));
    return { room_id: room.roomId };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias */
export const postJoinByAlias = endpoint<{
  params: { roomIdOrAlias: string };
  body: JsonObject & { reason?: string };
}>({
  method: "post",
  path: "/_matrix/client/v3/join/:roomIdOrAlias",
  auth: "user",
  guest: true,
  rateLimit: "join",
  body: { type: "object", properties: REASON },
  async handle(edges, { requester, params, body }) {
    const roomId = await resolveRoom(edges, params.roomIdOrAlias);
    const room = await joinRoom(edges, requester, roomId, reasonIn(body));
    return { room_id: room.roomId };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3knockroomidoralias */
export const postKnock = endpoint<{
  params: { roomIdOrAlias: string };
  body: JsonObject & { reason?: string };
}>({
  method: "post",
  path: "/_matrix/client/v3/knock/:roomIdOrAlias",
  auth: "user",
  rateLimit: "join",
  body: { type: "object", properties: REASON },
  async handle(edges, { requester, params, body }) {
    const roomId = await resolveRoom(edges, params.roomIdOrAlias);
    const room = await knockOnRoom(edges, requester, roomId, reasonIn(body));
    return { room_id: room.roomId };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite */
export const postInvite = endpoint<Targeted>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/invite",
  auth: "user",
  rateLimit: "invite",
  body: TARGET,
  async handle(edges, { requester, params, body }) {
    await inviteUser(edges, requester, params.roomId, body.user_id, reasonIn(body));
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidleave */
export const postLeave = endpoint<{
  params: { roomId: string };
  body: { reason?: string };
}>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/leave",
  auth: "user",
  guest: true,
  body: { type: "object", properties: REASON },
  async handle(edges, { requester, params, body }) {
    await leaveRoom(edges, requester, params.roomId, reasonIn(body));
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidkick */
export const postKick = endpoint<Targeted>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/kick",
  auth: "user",
  body: TARGET,
  async handle(edges, { requester, params, body }) {
    await moderateMember(edges, requester, params.roomId, body.user_id, {
      membership: "leave",
      from: ["join", "invite", "knock"],
      refusal: "This user is not in the room.",
      ...reasonIn(body),
    });
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidban */
export const postBan = endpoint<Targeted>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/ban",
  auth: "user",
  body: TARGET,
  async handle(edges, { requester, params, body }) {
    await moderateMember(edges, requester, params.roomId, body.user_id, {
      membership: "ban",
      from: ["join", "invite", "knock", "leave", "ban", "none"],
      refusal: "",
      ...reasonIn(body),
    });
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidunban */
export const postUnban = endpoint<Targeted>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/unban",
  auth: "user",
  body: TARGET,
  async handle(edges, { requester, params, body }) {
    await moderateMember(edges, requester, params.roomId, body.user_id, {
      membership: "leave",
      from: ["ban"],
      refusal: "This user is not banned from the room.",
      ...reasonIn(body),
    });
    return {};
  },
});
