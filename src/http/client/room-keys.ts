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

type Version = { query: { version: string } };
type OneRoom = Version & { params: { roomId: RoomId } };
type OneSession = Version & { params: { roomId: RoomId; sessionId: string } };

const roomId = idParam(isRoomId, "a room ID");

const PATH = "/_matrix/client/v3/room_keys/keys";
/** What keys are of. */
const all = { path: PATH };
const ofRoom = { path: `${PATH}/:roomId`, params: { roomId } };
const ofSession = { path: `${PATH}/:roomId/:sessionId`, params: { roomId } };

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

const frame = { rateLimit: "keys", query: version } as const;

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomidsessionid */
export const putSessionKey = endpoint<OneSession & { body: KeyBackupData }>({
  method: "put",
  ...ofSession,
  auth: "user",
  ownerOnly: true,
  suspended: true,
  ...frame,
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
  ...ofSession,
  auth: "user",
  ...frame,
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
  ...ofSession,
  auth: "user",
  ownerOnly: true,
  ...frame,
  async handle(edges, { requester, params, query }) {
    return deleteKeys(edges, requester.userId, query.version, params);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeysroomid */
export const putRoomKeys = endpoint<OneRoom & { body: KeysByRoom[string] }>({
  method: "put",
  ...ofRoom,
  auth: "user",
  ownerOnly: true,
  suspended: true,
  ...frame,
  maxBodyBytes: MAX_BYTES,
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
  ...ofRoom,
  auth: "user",
  ...frame,
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
  ...ofRoom,
  auth: "user",
  ownerOnly: true,
  ...frame,
  async handle(edges, { requester, params, query }) {
    return deleteKeys(edges, requester.userId, query.version, params);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3room_keyskeys */
export const putAllKeys = endpoint<Version & { body: { rooms: KeysByRoom } }>({
  method: "put",
  ...all,
  auth: "user",
  ownerOnly: true,
  suspended: true,
  ...frame,
  maxBodyBytes: MAX_BYTES,
  body: rooms,
  async handle(edges, { requester, query, body }) {
    return backUpKeys(edges, requester.userId, query.version, body.rooms);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3room_keyskeys */
export const getAllKeys = endpoint<Version>({
  method: "get",
  ...all,
  auth: "user",
  ...frame,
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
  ...all,
  auth: "user",
  ownerOnly: true,
  ...frame,
  async handle(edges, { requester, query }) {
    return deleteKeys(edges, requester.userId, query.version, {});
  },
});
