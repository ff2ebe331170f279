import { isRoomId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  deleteOwnAccountData,
  getOwnAccountData,
  isManaged,
  setOwnAccountData,
} from "../../domain/accounts/own-account-data.ts";
import { endpoint } from "../endpoint.ts";
import { HttpError } from "../http-error.ts";
import { idParam } from "../params.ts";
import { reply } from "../reply.ts";

type Global = { params: { userId: string; type: string } };
type OfRoom = { params: { userId: string; roomId: string; type: string } };
const GLOBAL = "/_matrix/client/v3/user/:userId/account_data/:type";
const OF_ROOM =
  "/_matrix/client/v3/user/:userId/rooms/:roomId/account_data/:type";
const roomId = idParam(isRoomId, "a room ID");
const placeOf = (params: { userId: string; roomId?: string; type: string }) => {
  const { userId: ownerId, ...rest } = params;
  return { ownerId, ...rest };
};

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridaccount_datatype */
export const getGlobalAccountData = endpoint<Global>({
  method: "get",
  path: GLOBAL,
  auth: "user",
  async handle(edges, { requester, params }) {
    const place = placeOf(params);
    const text = await getOwnAccountData(edges, requester.userId, place);
    return reply({ body: text });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridaccount_datatype */
export const putGlobalAccountData = endpoint<Global & { body: JsonObject }>({
  method: "put",
  path: GLOBAL,
  auth: "user",
  suspended: true,
  rateLimit: "other",
  body: { type: "object" },
  async handle(edges, { requester, params, body }) {
    assertSettable(params.type);
    await setOwnAccountData(edges, requester.userId, placeOf(params), body);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidaccount_datatype */
export const getRoomAccountData = endpoint<OfRoom>({
  method: "get",
  path: OF_ROOM,
  params: { roomId },
  auth: "user",
  async handle(edges, { requester, params }) {
    const place = placeOf(params);
    const text = await getOwnAccountData(edges, requester.userId, place);
    return reply({ body: text });
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidaccount_datatype */
export const putRoomAccountData = endpoint<OfRoom & { body: JsonObject }>({
  method: "put",
  path: OF_ROOM,
  params: { roomId },
  auth: "user",
  suspended: true,
  rateLimit: "other",
  body: { type: "object" },
  async handle(edges, { requester, params, body }) {
    assertSettable(params.type);
    await setOwnAccountData(edges, requester.userId, placeOf(params), body);
    return {};
  },
});

const UNSTABLE = "/_matrix/client/unstable/org.matrix.msc3391/user/:userId";

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3391 */
export const deleteGlobalAccountData = endpoint<Global>({
  method: "delete",
  path: `${UNSTABLE}/account_data/:type`,
  auth: "user",
  suspended: true,
  rateLimit: "other",
  async handle(edges, { requester, params }) {
    assertSettable(params.type);
    await deleteOwnAccountData(edges, requester.userId, placeOf(params));
    return {};
  },
});

/** https://github.com/matrix-org/matrix-spec-proposals/pull/3391 */
export const deleteRoomAccountData = endpoint<OfRoom>({
  method: "delete",
  path: `${UNSTABLE}/rooms/:roomId/account_data/:type`,
  params: { roomId },
  auth: "user",
  suspended: true,
  rateLimit: "other",
  async handle(edges, { requester, params }) {
    assertSettable(params.type);
    await deleteOwnAccountData(edges, requester.userId, placeOf(params));
    return {};
  },
});

function assertSettable(type: string): void {
  if (!isManaged(type)) return;
  throw new HttpError(
    405,
    "M_BAD_JSON",
    `${type} cannot be set here: the server manages it.`,
  );
}
