import {
  isRoomId,
  isUserId,
  type RoomId,
  type UserId,
} from "../../core/ids.ts";
import type { Attributes } from "../../core/policy/document.ts";
import {
  getRoomAttributes,
  getUserAttributes,
  setRoomAttributes,
  setUserAttributes,
  validateRoomAttributes,
  validateUserAttributes,
} from "../../domain/policies/set-attributes.ts";
import { endpoint } from "../endpoint.ts";
import { EMPTY, object } from "../json-schema.ts";
import { idParam } from "../params.ts";
import { attributesSchema } from "./policy-schema.ts";

type Body = { body: { attributes: Attributes } };
const body = {
  type: "object",
  properties: { attributes: attributesSchema },
  required: ["attributes"],
};

const OF_USER = "/_myelin/admin/v1/users/:userId/attributes";
type OneUser = { params: { userId: UserId } };
const userParams = { userId: idParam(isUserId, "a user ID") };

/** What administrators say of a user, for policies to go by. */
export const getAttributesOfUser = endpoint<OneUser>({
  method: "get",
  path: OF_USER,
  params: userParams,
  auth: "admin",
  permission: "groups.read",
  rateLimit: "admin",
  doc: {
    id: "getAttributesOfUser",
    says: "Reads what administrators say of a user, for policies to go by.",
    answers: object({ attributes: attributesSchema }),
  },
  async handle(edges, { params }) {
    return { attributes: await getUserAttributes(edges, params.userId) };
  },
});

export const putAttributesOfUser = endpoint<OneUser & Body>({
  method: "put",
  path: OF_USER,
  params: userParams,
  auth: "admin",
  permission: "groups.write",
  rateLimit: "admin",
  body,
  doc: {
    id: "setAttributesOfUser",
    says: "Says all that policies may know of a user.",
    answers: EMPTY,
  },
  validate: (edges, { params, body: { attributes }, ...by }) =>
    validateUserAttributes(edges, by, params.userId, attributes),
  async handle(edges, { params, body: { attributes }, ...by }) {
    await setUserAttributes(edges, by, params.userId, attributes);
    return {};
  },
});

const OF_ROOM = "/_myelin/admin/v1/rooms/:roomId/attributes";
type OneRoom = { params: { roomId: RoomId } };
const roomParams = { roomId: idParam(isRoomId, "a room ID") };

/** What administrators say of a room: a label, a classification. */
export const getAttributesOfRoom = endpoint<OneRoom>({
  method: "get",
  path: OF_ROOM,
  params: roomParams,
  auth: "admin",
  permission: "groups.read",
  rateLimit: "admin",
  doc: {
    id: "getAttributesOfRoom",
    says: "Reads what administrators say of a room.",
    answers: object({ attributes: attributesSchema }),
  },
  async handle(edges, { params }) {
    return { attributes: await getRoomAttributes(edges, params.roomId) };
  },
});

export const putAttributesOfRoom = endpoint<OneRoom & Body>({
  method: "put",
  path: OF_ROOM,
  params: roomParams,
  auth: "admin",
  permission: "groups.write",
  rateLimit: "admin",
  body,
  doc: {
    id: "setAttributesOfRoom",
    says: "Says all that policies may know of a room.",
    answers: EMPTY,
  },
  validate: (edges, { params, body: { attributes } }) =>
    validateRoomAttributes(edges, params.roomId, attributes),
  async handle(edges, { params, body: { attributes }, ...by }) {
    await setRoomAttributes(edges, by, params.roomId, attributes);
    return {};
  },
});
