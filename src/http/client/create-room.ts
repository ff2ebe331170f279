import type { JsonObject } from "../../core/json.ts";
import {
  parseRoomRequest,
  type CreateRoomBody,
} from "../../domain/rooms/parse-room-request.ts";
import { createRoom } from "../../domain/rooms/create-room.ts";
import { findPretendedRoomId } from "../../domain/rooms/pretended-event.ts";
import { upgradeRoom } from "../../domain/rooms/upgrade-room.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
export const postCreateRoom = endpoint<{ body: CreateRoomBody & JsonObject }>({
  method: "post",
  path: "/_matrix/client/v3/createRoom",
  auth: "user",
  rateLimit: "createRoom",
  body: {
    type: "object",
    properties: {
      visibility: { type: "string", enum: ["public", "private"] },
      room_alias_name: { type: "string" },
      name: { type: "string" },
      topic: { type: "string" },
      invite: { type: "array", items: { type: "string" }, maxItems: 500 },
      invite_3pid: { type: "array", items: { type: "object" }, maxItems: 100 },
      room_version: { type: "string" },
      creation_content: { type: "object" },
      initial_state: {
        type: "array",
        maxItems: 500,
        items: {
          type: "object",
          properties: {
            type: { type: "string" },
            state_key: { type: "string" },
            content: { type: "object" },
          },
          required: ["type", "content"],
        },
      },
      preset: {
        type: "string",
        enum: ["private_chat", "public_chat", "trusted_private_chat"],
      },
      is_direct: { type: "boolean" },
      power_level_content_override: { type: "object" },
    },
  },
  async handle(edges, { requester, body }) {
    const { isShadowBanned } = requester;
    const asked = isShadowBanned ? { ...body, invite: [] } : body;
    const { request, isPublished } = parseRoomRequest(edges.settings, asked);
    const room = await createRoom(edges, requester, request, { isPublished });
    return { room_id: room.roomId };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidupgrade */
export const postUpgrade = endpoint<{
  params: { roomId: string };
  body: { new_version: string; additional_creators?: string[] };
}>({
  method: "post",
  path: "/_matrix/client/v3/rooms/:roomId/upgrade",
  auth: "user",
  rateLimit: "createRoom",
  body: {
    type: "object",
    properties: {
      new_version: { type: "string" },
      additional_creators: { type: "array", items: { type: "string" } },
    },
    required: ["new_version"],
  },
  pretend(edges, { body }) {
    const roomId = findPretendedRoomId(edges, body.new_version);
    return roomId === undefined ? undefined : { replacement_room: roomId };
  },
  async handle(edges, { requester, params, body }) {
    const { new_version: version, additional_creators: creators } = body;
    const replacement = await upgradeRoom(edges, requester, params.roomId, {
      version,
      ...(creators && { additionalCreators: creators }),
    });
    return { replacement_room: replacement };
  },
});
