import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { resolveRoom } from "../../domain/directory/resolve-room.ts";
import { forgetRoom } from "../../domain/rooms/forget.ts";
import {
  inviteUser,
  joinRoom,
  knockOnRoom,
  leaveRoom,
} from "../../domain/rooms/membership.ts";
import { inviteThirdParty } from "../../domain/rooms/third-party-invite.ts";
import { endpoint } from "../endpoint.ts";

interface Entering {
  body: JsonObject & { reason?: string };
}
type ToRoom = Entering & { params: { roomId: string } };
type ToRoomOrAlias = Entering & { params: { roomIdOrAlias: string } };

const REASON = {
  type: "object",
  properties: { reason: { type: "string" } },
};

/** What clients add to a join's body goes into their member event, as in other servers. */
const contentOf = ({ third_party_signed: _, ...content }: JsonObject) =>
  content;

const reasonOf = ({ reason }: { reason?: string }) =>
  reason === undefined ? {} : { reason };

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin */
export const postJoin = endpoint<ToRoom>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/join",
  auth: "user",
  guest: true,
  rateLimit: "join",
  body: REASON,
  async handle(edges, { requester, params, body }) {
    const content = contentOf(body);
    const room = await joinRoom(edges, requester, params.roomId, content);
    return { room_id: room.roomId };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias */
export const postJoinByAlias = endpoint<ToRoomOrAlias>({
  method: "post",
  path: "/_matrix/client/v3/join/:roomIdOrAlias",
  auth: "user",
  guest: true,
  rateLimit: "join",
  body: REASON,
  async handle(edges, { requester, params, body }) {
    const roomId = await resolveRoom(edges, params.roomIdOrAlias);
    const room = await joinRoom(edges, requester, roomId, contentOf(body));
    return { room_id: room.roomId };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3knockroomidoralias */
export const postKnock = endpoint<ToRoomOrAlias>({
  method: "post",
  path: "/_matrix/client/v3/knock/:roomIdOrAlias",
  auth: "user",
  rateLimit: "join",
  body: REASON,
  async handle(edges, { requester, params, body }) {
    const roomId = await resolveRoom(edges, params.roomIdOrAlias);
    if (requester.isShadowBanned) return { room_id: roomId };
    const room = await knockOnRoom(edges, requester, roomId, reasonOf(body));
    return { room_id: room.roomId };
  },
});

/**
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite-1
 */
export const postInvite = endpoint<{
  params: { roomId: string };
  body: {
    user_id?: string;
    medium?: string;
    address?: string;
    reason?: string;
  };
}>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/invite",
  auth: "user",
  rateLimit: "invite",
  body: {
    type: "object",
    properties: {
      user_id: { type: "string" },
      id_server: { type: "string" },
      id_access_token: { type: "string" },
      medium: { type: "string" },
      address: { type: "string" },
      ...REASON.properties,
    },
  },
  pretend: () => ({}),
  async handle(edges, { requester, params, body }) {
    const { user_id, medium, address } = body;
    if (user_id !== undefined) {
      const content = reasonOf(body);
      await inviteUser(edges, requester, params.roomId, user_id, content);
    } else if (medium !== undefined && address !== undefined) {
      await inviteThirdParty(edges, requester, params.roomId);
    } else {
      throw new MatrixError("M_MISSING_PARAM", '"user_id" is missing.');
    }
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidleave */
export const postLeave = endpoint<ToRoom>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/leave",
  auth: "user",
  suspended: true,
  guest: true,
  rateLimit: "other",
  body: REASON,
  async handle(edges, { requester, params, body }) {
    await leaveRoom(edges, requester, params.roomId, reasonOf(body));
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget */
export const postForget = endpoint<{ params: { roomId: string } }>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/forget",
  auth: "user",
  suspended: true,
  guest: true,
  rateLimit: "other",
  async handle(edges, { requester, params }) {
    await forgetRoom(edges, requester.userId, params.roomId);
    return {};
  },
});
