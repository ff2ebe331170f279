import {
  pruneExtremities,
  readExtremities,
  type ExtremityOfRoom,
} from "../../domain/admin/extremities.ts";
import { joinUserToRoom } from "../../domain/admin/join-user.ts";
import {
  makeRoomAdmin,
  validateRoomAdmin,
} from "../../domain/admin/take-over-room.ts";
import { endpoint } from "../endpoint.ts";
import {
  COUNT,
  EMPTY,
  EVENT_ID,
  INTEGER,
  named,
  object,
  orNull,
  ROOM_ID,
  TIME,
} from "../json-schema.ts";
import { native, synapse } from "./tools.ts";
import {
  cutPage,
  listAnswer,
  listQuery,
  pageAnswer,
  type PageQuery,
} from "./paging.ts";

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
  doc: {
    id: "joinUser",
    says: "Brings a user of this server into a room.",
    answers: object({ room_id: ROOM_ID }),
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
  doc: {
    id: "makeRoomAdmin",
    says: "Gives somebody the highest power in a room.",
    answers: EMPTY,
  },
  validate: (edges, { params, body, requester }) =>
    validateRoomAdmin(
      edges,
      params.roomIdOrAlias,
      body.user_id ?? requester.userId,
    ),
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
  auth: "admin",
  permission: "rooms.repair",
  rateLimit: "admin",
  async handle(edges, { params }) {
    const found = await readExtremities(edges, params.roomIdOrAlias);
    return { count: found.length, results: found.map(extremityAnswer) };
  },
});

const extremityAnswer = (row: ExtremityOfRoom) => ({
  event_id: row.eventId,
  state_group: row.snapshotId,
  depth: row.depth,
  received_ts: row.receivedTs,
});
const EXTREMITY = named(
  "ForwardExtremity",
  object({
    event_id: EVENT_ID,
    state_group: orNull(INTEGER),
    depth: INTEGER,
    received_ts: TIME,
  }),
);

/** The same as a list like all others. */
export const listForwardExtremities = endpoint<OneRoom & { query: PageQuery }>({
  method: "get",
  path: native(EXTREMITIES),
  auth: "admin",
  permission: "rooms.repair",
  rateLimit: "admin",
  query: listQuery(["depth"]),
  doc: {
    id: "listForwardExtremities",
    says: "Lists the ends of a room’s graph.",
    answers: listAnswer("forward_extremities", EXTREMITY),
  },
  async handle(edges, { params, query }) {
    const all = (
      await readExtremities(edges, params.roomIdOrAlias)
    ).toReversed();
    const shown = cutPage(query, all);
    return {
      forward_extremities: shown.map(extremityAnswer),
      ...pageAnswer(query, shown.length, all.length),
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
  doc: {
    id: "pruneForwardExtremities",
    says: "Leaves the newest end of a room’s graph alone.",
    answers: object({ deleted: COUNT }),
  },
  async handle(edges, { params, ...by }) {
    const deleted = await pruneExtremities(edges, by, params.roomIdOrAlias);
    return { deleted };
  },
});
