import { isRoomId } from "../../core/ids.ts";
import type { RoomId } from "../../core/ids.ts";
import {
  backUpKeys,
  deleteKeys,
  type KeyBackupData,
  type KeysByRoom,
} from "../../domain/encryption/back-up-keys.ts";
import {
  getBackedUpKey,
  readAllKeys,
  readRoomKeys,
} from "../../domain/encryption/read-backed-up-keys.ts";
import { endpoint } from "../endpoint.ts";
import { idParam } from "../params.ts";
import { reply } from "../reply.ts";

const ALL = "/_matrix/client/v3/room_keys/keys";
const ROOM = `${ALL}/:roomId`;
const SESSION = `${ROOM}/:sessionId`;

type Version = { query: { version: string } };
type OneRoom = Version & { params: { roomId: RoomId } };
type OneSession = Version & { params: { roomId: RoomId; sessionId: string } };

const roomId = idParam(isRoomId, "a room ID");

/** Enough for some thousand keys. */
const MAX_BYTES = 4 * 1024 * 1024;

const version = {
  type: "object",
  required: ["version"],
  properties: { version: { type: "string" } },
};

const count = {
  type: "integer",
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
};

const keyData = {
  type: "object",
  required: [
    "first_message_index",
    "forwarded_count",
    "is_verified",
    "session_data",
  ],
  properties: {
    first_message_index: count,
    forwarded_count: count,
    is_verified: { type: "boolean" },
    session_data: { type: "object" },
  },
};

const sessions = {
  type: "object",
  required: ["sessions"],
  properties: {
    sessions: { type: "object", additionalProperties: keyData },
  },
};

const rooms = {
  type: "object",
  required: ["rooms"],
  properties: { rooms: { type: "object", additionalProperties: sessions } },
};

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomidsessionid */
export const putSessionKey = endpoint<OneSession & { body: KeyBackupData }>({
  method: "put",
  path: SESSION,
  params: { roomId },
  auth: "user",
  suspended: true,
  rateLimit: "keys",
  query: version,
  body: keyData,
  async handle(edges, { requester, params, query, body }) {
    const sessions = { [params.sessionId]: body };
    return backUpKeys(edges, requester.userId, query.version, {
      [params.roomId]: { sessions },
    });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomidsessionid */
export const getSessionKey = endpoint<OneSession>({
  method: "get",
  path: SESSION,
  params: { roomId },
  auth: "user",
  rateLimit: "keys",
  query: version,
  async handle(edges, { requester, params, query }) {
    const body = await getBackedUpKey(
      edges,
      requester.userId,
      query.version,
      params.roomId,
      params.sessionId,
    );
    return reply({ body });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeysroomidsessionid */
export const deleteSessionKey = endpoint<OneSession>({
  method: "delete",
  path: SESSION,
  params: { roomId },
  auth: "user",
  rateLimit: "keys",
  query: version,
  async handle(edges, { requester, params, query }) {
    return deleteKeys(edges, requester.userId, query.version, params);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomid */
export const putRoomKeys = endpoint<OneRoom & { body: KeysByRoom[string] }>({
  method: "put",
  path: ROOM,
  params: { roomId },
  auth: "user",
  suspended: true,
  rateLimit: "keys",
  maxBodyBytes: MAX_BYTES,
  query: version,
  body: sessions,
  async handle(edges, { requester, params, query, body }) {
    return backUpKeys(edges, requester.userId, query.version, {
      [params.roomId]: body,
    });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeysroomid */
export const getRoomKeys = endpoint<OneRoom>({
  method: "get",
  path: ROOM,
  params: { roomId },
  auth: "user",
  rateLimit: "keys",
  query: version,
  async handle(edges, { requester, params, query }) {
    const { text, rest } = await readRoomKeys(
      edges,
      requester.userId,
      query.version,
      params.roomId,
    );
    return reply({ body: text, rest });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeysroomid */
export const deleteRoomKeys = endpoint<OneRoom>({
  method: "delete",
  path: ROOM,
  params: { roomId },
  auth: "user",
  rateLimit: "keys",
  query: version,
  async handle(edges, { requester, params, query }) {
    return deleteKeys(edges, requester.userId, query.version, params);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys */
export const putAllKeys = endpoint<Version & { body: { rooms: KeysByRoom } }>({
  method: "put",
  path: ALL,
  auth: "user",
  suspended: true,
  rateLimit: "keys",
  maxBodyBytes: MAX_BYTES,
  query: version,
  body: rooms,
  async handle(edges, { requester, query, body }) {
    return backUpKeys(edges, requester.userId, query.version, body.rooms);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeys */
export const getAllKeys = endpoint<Version>({
  method: "get",
  path: ALL,
  auth: "user",
  rateLimit: "keys",
  query: version,
  async handle(edges, { requester, query }) {
    const { text, rest } = await readAllKeys(
      edges,
      requester.userId,
      query.version,
    );
    return reply({ body: text, rest });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3room_keyskeys */
export const deleteAllKeys = endpoint<Version>({
  method: "delete",
  path: ALL,
  auth: "user",
  rateLimit: "keys",
  query: version,
  async handle(edges, { requester, query }) {
    return deleteKeys(edges, requester.userId, query.version, {});
  },
});
