import { isDeviceId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { removeDevices } from "../../domain/accounts/close-session.ts";
import {
  getOwnDevice,
  listOwnDevices,
  renameDevice,
} from "../../domain/accounts/devices.ts";
import { reauthenticate } from "../../domain/accounts/reauthenticate.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

type OneDevice = { params: { deviceId: string } };
const PATH = "/_matrix/client/v3/devices/:deviceId";

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devices */
export const getDevices = endpoint({
  method: "get",
  path: "/_matrix/client/v3/devices",
  auth: "user",
  async handle(edges, { requester }) {
    return { devices: await listOwnDevices(edges, requester.userId) };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devicesdeviceid */
export const getDevice = endpoint<OneDevice>({
  method: "get",
  path: PATH,
  auth: "user",
  async handle(edges, { requester, params }) {
    return getOwnDevice(edges, requester.userId, params.deviceId);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3devicesdeviceid */
export const putDevice = endpoint<
  OneDevice & { body: { display_name?: string } }
>({
  method: "put",
  path: PATH,
  auth: "user",
  ownerOnly: true,
  rateLimit: "profile",
  body: {
    type: "object",
    properties: { display_name: { type: "string", maxLength: 1024 } },
  },
  async handle(edges, { requester, params, body }) {
    const { userId } = requester;
    const { deviceId } = params;
    if (body.display_name === undefined)
      await getOwnDevice(edges, userId, deviceId);
    else await renameDevice(edges, userId, deviceId, body.display_name);
    return {};
  },
});

const AUTH = { auth: { type: "object" } };

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3devicesdeviceid */
export const deleteDevice = endpoint<
  OneDevice & { body: { auth?: JsonObject } }
>({
  method: "delete",
  path: PATH,
  auth: "user",
  audit: "auth.devices",
  ownerOnly: true,
  suspended: true,
  rateLimit: "other",
  body: { type: "object", properties: AUTH },
  async handle(edges, { requester, params, body, request }) {
    const { deviceId } = params;
    const address = limitKeyOf(request.ip);
    const who = { requester, address, auth: body.auth };
    const operation = ["DELETE /devices", deviceId];
    const outcome = await reauthenticate(edges, who, operation);
    if (outcome.status === "challenged")
      return reply({ status: 401, body: outcome.body });
    await removeDevices(edges, requester.userId, [deviceId]);
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3delete_devices */
export const postDeleteDevices = endpoint<{
  body: { devices: string[]; auth?: JsonObject };
}>({
  method: "post",
  path: "/_matrix/client/v3/delete_devices",
  auth: "user",
  audit: "auth.devices",
  ownerOnly: true,
  suspended: true,
  rateLimit: "other",
  body: {
    type: "object",
    properties: {
      devices: { type: "array", items: { type: "string" }, maxItems: 1000 },
      ...AUTH,
    },
    required: ["devices"],
  },
  async handle(edges, { requester, body, request }) {
    const devices = [...new Set(body.devices.filter(isDeviceId))].sort();
    const address = limitKeyOf(request.ip);
    const who = { requester, address, auth: body.auth };
    const operation = ["POST /delete_devices", devices];
    const outcome = await reauthenticate(edges, who, operation);
    if (outcome.status === "challenged")
      return reply({ status: 401, body: outcome.body });
    await removeDevices(edges, requester.userId, devices);
    return {};
  },
});
