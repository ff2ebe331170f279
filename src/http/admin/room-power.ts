import {
  pruneExtremities,
  readExtremities,
} from "../../domain/admin/extremities.ts";
import { joinUserToRoom } from "../../domain/admin/join-user.ts";
import { makeRoomAdmin } from "../../domain/admin/take-over-room.ts";
import { endpoint } from "../endpoint.ts";
import { native, synapse } from "./tools.ts";

type OneRoom = { params: { roomIdOrAlias: string } };
const USER_ID = { type: "string", maxLength: 255 };

/** https://element-hq.github.io/synapse/latest/admin_api/room_membership.html */
export const postAdminJoin = endpoint<OneRoom & { body: { user_id: string } }>({
  method: "post",
  path: synapse("/join/:roomIdOrAlias"),
  also: [native("/rooms/:roomIdOrAlias/join")],
  auth: "admin",
  permission: "rooms.members.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { user_id: USER_ID },
    required: ["user_id"],
  },
  async handle(edges, { params, body, ...by }) {
    const { roomIdOrAlias } = params;
    const room = await joinUserToRoom(edges, by, roomIdOrAlias, body.user_id);
    return { room_id: room };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#make-room-admin-api */
export const postMakeRoomAdmin = endpoint<
  OneRoom & { body: { user_id?: string | null } }
>({
  method: "post",
  path: synapse("/rooms/:roomIdOrAlias/make_room_admin"),
  also: [native("/rooms/:roomIdOrAlias/make_room_admin")],
  auth: "admin",
  permission: "rooms.takeover",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { user_id: { type: ["string", "null"], maxLength: 255 } },
  },
  async handle(edges, { params, body, ...by }) {
    const userId = body.user_id ?? by.requester.userId;
    await makeRoomAdmin(edges, by, params.roomIdOrAlias, userId);
    return {};
  },
});

const EXTREMITIES = "/rooms/:roomIdOrAlias/forward_extremities";

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#check-for-forward-extremities */
export const getForwardExtremities = endpoint<OneRoom>({
  method: "get",
  path: synapse(EXTREMITIES),
  also: [native(EXTREMITIES)],
  auth: "admin",
  permission: "rooms.repair",
  rateLimit: "admin",
  async handle(edges, { params }) {
    const found = await readExtremities(edges, params.roomIdOrAlias);
    return {
      count: found.length,
      results: found.map((row) => ({
        event_id: row.eventId,
        state_group: row.snapshotId,
        depth: row.depth,
        received_ts: row.receivedTs,
      })),
    };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#deleting-forward-extremities */
export const deleteForwardExtremities = endpoint<OneRoom>({
  method: "delete",
  path: synapse(EXTREMITIES),
  also: [native(EXTREMITIES)],
  auth: "admin",
  permission: "rooms.repair",
  rateLimit: "admin",
  async handle(edges, { params, ...by }) {
    const deleted = await pruneExtremities(edges, by, params.roomIdOrAlias);
    return { deleted };
  },
});
