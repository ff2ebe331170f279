import { isDeviceId, type UserId } from "../../../core/ids.ts";
import {
  endDevices,
  makeDevice,
  nameDevice,
  readDevice,
  readDevices,
  type SeenDevice,
} from "../../../domain/admin/users/devices.ts";
import { endpoint } from "../../endpoint.ts";
import { reply } from "../../reply.ts";
import { DONE, NATIVE, userId, V2 } from "./common.ts";

type OneUser = { params: { userId: UserId } };
type OneDevice = { params: { userId: UserId; deviceId: string } };
const DEVICES = `${V2}/users/:userId/devices`;
const DEVICE = `${DEVICES}/:deviceId`;
const NATIVE_DEVICES = `${NATIVE}/users/:userId/devices`;
const params = { userId };

const shown = (device: SeenDevice) => ({
  device_id: device.deviceId,
  user_id: device.userId,
  display_name: device.display_name ?? null,
  last_seen_ip: device.last_seen_ip ?? null,
  last_seen_user_agent: device.last_seen_user_agent ?? null,
  last_seen_ts: device.lastSeenTs,
  dehydrated: device.isDehydrated,
});

export const getUserDevices = endpoint<OneUser>({
  method: "get",
  path: DEVICES,
  also: [NATIVE_DEVICES],
  params,
  auth: "admin",
  permission: "users.sessions.read",
  rateLimit: "admin",
  async handle(edges, { params: { userId: id } }) {
    const devices = (await readDevices(edges, id)).map(shown);
    return { devices, total: devices.length };
  },
});

export const postUserDevice = endpoint<
  OneUser & { body: { device_id: string } }
>({
  method: "post",
  path: DEVICES,
  params,
  auth: "admin",
  permission: "users.sessions.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { device_id: { type: "string" } },
    required: ["device_id"],
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    await makeDevice(edges, by, id, body.device_id);
    return reply({ status: 201, body: {} });
  },
});

export const getUserDevice = endpoint<OneDevice>({
  method: "get",
  path: DEVICE,
  also: [`${NATIVE_DEVICES}/:deviceId`],
  params,
  auth: "admin",
  permission: "users.sessions.read",
  rateLimit: "admin",
  async handle(edges, { params: { userId: id, deviceId } }) {
    return shown(await readDevice(edges, id, deviceId));
  },
});

export const putUserDevice = endpoint<
  OneDevice & { body: { display_name?: string | null } }
>({
  method: "put",
  path: DEVICE,
  also: [`${NATIVE_DEVICES}/:deviceId`],
  params,
  auth: "admin",
  permission: "users.sessions.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { display_name: { type: ["string", "null"], maxLength: 1024 } },
  },
  async handle(edges, { params: { userId: id, deviceId }, body, ...by }) {
    const name = body.display_name;
    if (typeof name !== "string") await readDevice(edges, id, deviceId);
    else await nameDevice(edges, by, id, deviceId, name);
    return DONE;
  },
});

export const deleteUserDevice = endpoint<OneDevice>({
  method: "delete",
  path: DEVICE,
  also: [`${NATIVE_DEVICES}/:deviceId`],
  params,
  auth: "admin",
  permission: "users.sessions.write",
  rateLimit: "admin",
  async handle(edges, { params: { userId: id, deviceId }, ...by }) {
    await endDevices(edges, by, id, [deviceId]);
    return DONE;
  },
});

export const postDeleteUserDevices = endpoint<
  OneUser & { body: { devices: string[] } }
>({
  method: "post",
  path: `${V2}/users/:userId/delete_devices`,
  params,
  auth: "admin",
  permission: "users.sessions.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      devices: { type: "array", items: { type: "string" }, maxItems: 1000 },
    },
    required: ["devices"],
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    const devices = [...new Set(body.devices.filter(isDeviceId))];
    await endDevices(edges, by, id, devices);
    return DONE;
  },
});
