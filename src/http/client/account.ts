import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { changePassword } from "../../domain/accounts/change-password.ts";
import { deactivateAccount } from "../../domain/accounts/deactivate.ts";
import { assertStrongPassword } from "../../domain/accounts/password.ts";
import { reauthenticate } from "../../domain/accounts/reauthenticate.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3accountwhoami */
export const getWhoami = endpoint({
  method: "get",
  path: "/_matrix/client/v3/account/whoami",
  auth: "user",
  guest: true,
  async handle(_edges, { requester }) {
    const { userId, deviceId, isGuest } = requester;
    return { user_id: userId, device_id: deviceId, is_guest: isGuest };
  },
});

/**
 * Without a token it would be authorised by mail, which is not offered.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountpassword
 */
export const postPassword = endpoint<{
  body: { new_password?: string; logout_devices?: boolean; auth?: JsonObject };
}>({
  method: "post",
  path: "/_matrix/client/v3/account/password",
  auth: "user",
  audit: "auth.password",
  ownerOnly: true,
  rateLimit: "other",
  body: {
    type: "object",
    properties: {
      new_password: { type: "string" },
      logout_devices: { type: "boolean" },
      auth: { type: "object" },
    },
  },
  async handle(edges, { requester, body, request }) {
    const { new_password, logout_devices = true, auth } = body;
    if (new_password !== undefined)
      assertStrongPassword(edges.settings, new_password);
    const who = { requester, address: limitKeyOf(request.ip), auth };
    const outcome = await reauthenticate(edges, who, [
      "POST /account/password",
    ]);
    if (outcome.status === "challenged")
      return reply({ status: 401, body: outcome.body });
    if (new_password === undefined)
      throw new MatrixError("M_MISSING_PARAM", '"new_password" is missing.');
    await changePassword(edges, requester, new_password, logout_devices);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate */
export const postDeactivate = endpoint<{
  body: { auth?: JsonObject; erase?: boolean };
}>({
  method: "post",
  path: "/_matrix/client/v3/account/deactivate",
  auth: "user",
  audit: "auth.deactivate",
  ownerOnly: true,
  suspended: true,
  rateLimit: "other",
  body: {
    type: "object",
    properties: { auth: { type: "object" }, erase: { type: "boolean" } },
  },
  async handle(edges, { requester, body, request }) {
    const address = limitKeyOf(request.ip);
    const who = { requester, address, auth: body.auth };
    const operation = ["POST /account/deactivate"];
    const outcome = await reauthenticate(edges, who, operation);
    if (outcome.status === "challenged")
      return reply({ status: 401, body: outcome.body });
    await deactivateAccount(edges, requester, body.erase ?? false);
    // There is no third-party identifier that an identity server could know.
    return { id_server_unbind_result: "success" };
  },
});
