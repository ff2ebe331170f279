import { readRoomBlock, setRoomBlock } from "../../domain/admin/block-room.ts";
import {
  ROOM_ORDERS,
  searchRooms,
  type FoundRoom,
  type RoomOrder,
} from "../../domain/admin/list-rooms.ts";
import {
  listRoomMembers,
  readRoomDetails,
  readRoomState,
  searchRoomMembers,
} from "../../domain/admin/room-details.ts";
import { endpoint } from "../endpoint.ts";
import {
  BOOLEAN,
  COUNT,
  EVENT,
  arrayOf,
  named,
  object,
  orNull,
  ROOM_ID,
  TEXT,
  USER_ID,
} from "../json-schema.ts";
import { reply } from "../reply.ts";
import {
  atBoth,
  choiceOf,
  choiceProperty,
  directionOf,
  flagOf,
  listPageOf,
  listProperties,
  native,
  nextOf,
  synapse,
  type ListQuery,
} from "./tools.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";

/** Older names of two orders. */
const OLD_ORDERS = { alphabetical: "name", size: "joined_members" } as const;

/** Whose largest comes first, unless the direction is turned. */
const LARGEST_FIRST: ReadonlySet<string> = new Set([
  ...["joined_members", "joined_local_members", "version", "state_events"],
]);

interface RoomsQuery extends ListQuery {
  order_by?: string;
  search_term?: string;
  public_rooms?: string;
  empty_rooms?: string;
}

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#list-room-api */
export const getAdminRooms = endpoint<{ query: RoomsQuery }>({
  method: "get",
  path: synapse("/rooms"),
  auth: "admin",
  permission: "rooms.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...listProperties,
      order_by: choiceProperty,
      search_term: { type: "string", maxLength: 255 },
      public_rooms: choiceProperty,
      empty_rooms: choiceProperty,
    },
  },
  async handle(edges, { query, requester: { userId } }) {
    const { search_term: term = "" } = query;
    const order = orderOf(query.order_by);
    const page = listPageOf(query);
    const { rooms, total } = await searchRooms(edges, userId, {
      ...{ order, term, ...page },
      isDescending: LARGEST_FIRST.has(order) !== (directionOf(query) === "b"),
      isPublished: flagOf("public_rooms", query.public_rooms),
      isEmpty: flagOf("empty_rooms", query.empty_rooms),
    });
    const next = nextOf(query, rooms.length, total);
    const { offset, limit } = page;
    return {
      rooms: rooms.map(roomAnswer),
      offset,
      total_rooms: total,
      ...(next !== undefined && { next_batch: next }),
      ...(offset > 0 && { prev_batch: Math.max(0, offset - limit) }),
    };
  },
});

function orderOf(text: string | undefined): RoomOrder {
  const old = Object.keys(OLD_ORDERS) as (keyof typeof OLD_ORDERS)[];
  const asked = choiceOf("order_by", text, [...ROOM_ORDERS, ...old]) ?? "name";
  return asked === "alphabetical" || asked === "size"
    ? OLD_ORDERS[asked]
    : asked;
}

const roomAnswer = ({ facts, ...room }: FoundRoom) => ({
  room_id: room.roomId,
  name: facts.name,
  canonical_alias: facts.canonicalAlias,
  joined_members: room.joinedMembers,
  joined_local_members: room.joinedLocalMembers,
  version: room.roomVersion,
  creator: room.creator,
  encryption: facts.encryption,
  federatable: facts.isFederatable,
  public: room.isPublished,
  join_rules: facts.joinRule,
  guest_access: facts.guestAccess,
  history_visibility: facts.historyVisibility,
  state_events: room.stateEvents,
  room_type: facts.roomType,
});

const roomFacts = {
  room_id: ROOM_ID,
  name: orNull(TEXT),
  canonical_alias: orNull(TEXT),
  joined_members: COUNT,
  joined_local_members: COUNT,
  version: TEXT,
  creator: orNull(USER_ID),
  encryption: orNull(TEXT),
  federatable: BOOLEAN,
  public: BOOLEAN,
  join_rules: orNull(TEXT),
  guest_access: orNull(TEXT),
  history_visibility: orNull(TEXT),
  state_events: COUNT,
  room_type: orNull(TEXT),
};
const ROOM = named("Room", object(roomFacts));
const ROOM_DETAILS = named(
  "RoomDetails",
  object({
    ...roomFacts,
    avatar: orNull(TEXT),
    topic: orNull(TEXT),
    joined_local_devices: COUNT,
    forgotten: BOOLEAN,
    tombstoned: BOOLEAN,
    replacement_room: orNull(TEXT),
  }),
);

interface RoomsSearch extends PageQuery<RoomOrder> {
  search_term?: string;
  public_rooms?: boolean;
  empty_rooms?: boolean;
}

/** The same as a list like all others. */
export const listRooms = endpoint<{ query: RoomsSearch }>({
  method: "get",
  path: native("/rooms"),
  auth: "admin",
  permission: "rooms.read",
  rateLimit: "admin",
  query: listQuery(["name", ...ROOM_ORDERS.filter((each) => each !== "name")], {
    search_term: { type: "string", maxLength: 255 },
    public_rooms: { type: "boolean" },
    empty_rooms: { type: "boolean" },
  }),
  doc: {
    id: "listRooms",
    says: "Lists the rooms that this server is in.",
    answers: listAnswer("rooms", ROOM),
  },
  async handle(edges, { requester: { userId }, query }) {
    const { rooms, total } = await searchRooms(edges, userId, {
      ...pageOf(query),
      order: query.order_by ?? "name",
      term: query.search_term ?? "",
      isPublished: query.public_rooms ?? null,
      isEmpty: query.empty_rooms ?? null,
    });
    return {
      rooms: rooms.map(roomAnswer),
      ...pageAnswer(query, rooms.length, total),
    };
  },
});

type OneRoom = { params: { roomId: string } };

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#room-details-api */
export const getAdminRoom = endpoint<OneRoom>({
  method: "get",
  ...atBoth("/rooms/:roomId"),
  auth: "admin",
  permission: "rooms.read",
  rateLimit: "admin",
  doc: {
    id: "getRoom",
    says: "Reads what is known of a room.",
    answers: ROOM_DETAILS,
  },
  async handle(edges, { params }) {
    const room = await readRoomDetails(edges, params.roomId);
    const { facts } = room;
    return {
      ...roomAnswer(room),
      avatar: facts.avatar,
      topic: facts.topic,
      joined_local_devices: room.joinedLocalDevices,
      forgotten: room.isForgotten,
      tombstoned: facts.isTombstoned,
      replacement_room: facts.replacementRoom,
    };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#room-members-api */
export const getAdminRoomMembers = endpoint<OneRoom>({
  method: "get",
  path: synapse("/rooms/:roomId/members"),
  auth: "admin",
  permission: "rooms.read",
  rateLimit: "admin",
  async handle(edges, { params }) {
    const members = await listRoomMembers(edges, params.roomId);
    return { members, total: members.length };
  },
});

/** The same as a list like all others. */
export const listMembers = endpoint<OneRoom & { query: PageQuery }>({
  method: "get",
  path: native("/rooms/:roomId/members"),
  auth: "admin",
  permission: "rooms.read",
  rateLimit: "admin",
  query: listQuery(["user_id"]),
  doc: {
    id: "listRoomMembers",
    says: "Lists who is joined to a room.",
    answers: listAnswer("members", USER_ID),
  },
  async handle(edges, { params, query }) {
    const page = pageOf(query);
    const found = await searchRoomMembers(edges, params.roomId, page);
    const { members, total } = found;
    return { members, ...pageAnswer(query, members.length, total) };
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#room-state-api */
export const getAdminRoomState = endpoint<
  OneRoom & { query: { type?: string } }
>({
  method: "get",
  ...atBoth("/rooms/:roomId/state"),
  auth: "admin",
  permission: "rooms.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: { type: { type: "string", maxLength: 255 } },
  },
  doc: {
    id: "getRoomState",
    says: "Reads a room’s current state.",
    answers: object({ state: arrayOf(EVENT) }),
  },
  async handle(edges, { params, query, requester }) {
    const type = query.type === "" ? undefined : query.type;
    const by = { requester };
    const state = await readRoomState(edges, by, params.roomId, type);
    return reply({ body: `{"state":[${state.join(",")}]}` });
  },
});

/** https://element-hq.github.io/synapse/latest/admin_api/rooms.html#block-room-api */
export const getRoomBlock = endpoint<OneRoom>({
  method: "get",
  ...atBoth("/rooms/:roomId/block"),
  auth: "admin",
  permission: "rooms.block",
  rateLimit: "admin",
  doc: {
    id: "getRoomBlock",
    says: "Tells whether a room is closed to all who are not in it.",
    answers: object({ block: BOOLEAN }, { user_id: TEXT }),
  },
  async handle(edges, { params }) {
    const blockedBy = await readRoomBlock(edges, params.roomId);
    return blockedBy === null
      ? { block: false }
      : { block: true, user_id: blockedBy };
  },
});

export const putRoomBlock = endpoint<OneRoom & { body: { block: boolean } }>({
  method: "put",
  ...atBoth("/rooms/:roomId/block"),
  auth: "admin",
  permission: "rooms.block",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { block: { type: "boolean" } },
    required: ["block"],
  },
  doc: {
    id: "blockRoom",
    says: "Closes a room to all who are not in it, or opens it again.",
    answers: object({ block: BOOLEAN }),
  },
  async handle(edges, { params, body, ...by }) {
    await setRoomBlock(edges, by, params.roomId, body.block);
    return { block: body.block };
  },
});
