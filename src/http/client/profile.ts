import { MatrixError } from "../../core/errors.ts";
import { isUserId, type UserId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  getProfile,
  getProfileField,
  removeProfileField,
  setProfileField,
} from "../../domain/accounts/profile.ts";
import { endpoint } from "../endpoint.ts";
import { idParam } from "../params.ts";

const userId = idParam(isUserId, "a user ID");
const PATH = "/_matrix/client/v3/profile/:userId/:keyName";
type Field = { params: { userId: UserId; keyName: string } };

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuserid */
export const getWholeProfile = endpoint<{ params: { userId: UserId } }>({
  method: "get",
  path: "/_matrix/client/v3/profile/:userId",
  params: { userId },
  auth: "none",
  rateLimit: "other",
  async handle(edges, { params }) {
    return getProfile(edges, params.userId);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuseridkeyname */
export const getField = endpoint<Field>({
  method: "get",
  path: PATH,
  params: { userId },
  auth: "none",
  rateLimit: "other",
  async handle(edges, { params }) {
    return getProfileField(edges, params.userId, params.keyName);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname */
export const putField = endpoint<Field & { body: JsonObject }>({
  method: "put",
  path: PATH,
  params: { userId },
  auth: "user",
  rateLimit: "profile",
  body: { type: "object" },
  async handle(edges, { requester, params, body }) {
    assertOwn(requester.userId, params.userId);
    const { keyName } = params;
    const value = Object.hasOwn(body, keyName) ? body[keyName] : undefined;
    if (value === undefined)
      throw new MatrixError("M_MISSING_PARAM", "The field's value is missing.");
    const isTold = !requester.isShadowBanned;
    await setProfileField(edges, requester.userId, keyName, value, isTold);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3profileuseridkeyname */
export const deleteField = endpoint<Field>({
  method: "delete",
  path: PATH,
  params: { userId },
  auth: "user",
  rateLimit: "profile",
  async handle(edges, { requester, params }) {
    assertOwn(requester.userId, params.userId);
    const isTold = !requester.isShadowBanned;
    const { keyName } = params;
    await removeProfileField(edges, requester.userId, keyName, isTold);
    return {};
  },
});

function assertOwn(requesterId: string, ownerId: string): void {
  if (requesterId === ownerId) return;
  throw new MatrixError(
    "M_FORBIDDEN",
    "The profile of another user cannot be changed.",
  );
}
