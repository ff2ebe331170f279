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
import {
  BOOLEAN,
  EMPTY,
  named,
  object,
  orNull,
  TEXT,
  TIME,
  USER_ID,
} from "../../json-schema.ts";
import { reply } from "../../reply.ts";
import { DONE, NATIVE, userId, V2 } from "./common.ts";
import {
  cutPage,
  listAnswer,
  listQuery,
  pageAnswer,
  type PageQuery as ListQuery,
} from "../paging.ts";

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

const SEEN_DEVICE = named(
  "Device",
  object({
    device_id: TEXT,
    user_id: USER_ID,
    display_name: orNull(TEXT),
    last_seen_ip: orNull(TEXT),
    last_seen_user_agent: orNull(TEXT),
    last_seen_ts: orNull(TIME),
    dehydrated: BOOLEAN,
  }),
);

export const getUserDevices = endpoint<OneUser>({
  method: "get",
  path: DEVICES,
  params,
  auth: "admin",
  permission: "users.sessions.read",
  rateLimit: "admin",
  async handle(edges, { params: { userId: id } }) {
    const devices = (await readDevices(edges, id)).map(shown);
    return { devices, total: devices.length };
  },
});

/** The same as a list like all others. */
export const listUserDevices = endpoint<OneUser & { query: ListQuery }>({
  method: "get",
  path: NATIVE_DEVICES,
  params,
  auth: "admin",
  permission: "users.sessions.read",
  rateLimit: "admin",
  query: listQuery(["device_id"]),
  doc: {
    id: "listDevices",
    says: "Lists a user’s devices, and from where and when they came.",
    answers: listAnswer("devices", SEEN_DEVICE),
  },
  async handle(edges, { params: { userId: id }, query }) {
    const all = (await readDevices(edges, id)).toSorted((a, b) =>
      a.deviceId < b.deviceId ? -1 : 1,
    );
    const devices = cutPage(query, all).map(shown);
    return { devices, ...pageAnswer(query, devices.length, all.length) };
  },
});

export const postUserDevice = endpoint<
  OneUser & { body: { device_id: string } }
>({
  method: "post",
  path: DEVICES,
  also: [NATIVE_DEVICES],
  params,
  auth: "admin",
  permission: "users.sessions.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { device_id: { type: "string" } },
    required: ["device_id"],
  },
  doc: {
    id: "makeDevice",
    says: "Makes a device that has no session yet.",
    answers: EMPTY,
    also: [201],
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
  doc: {
    id: "getDevice",
    says: "Reads one of a user’s devices.",
    answers: SEEN_DEVICE,
  },
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
  doc: { id: "renameDevice", says: "Renames a device.", answers: EMPTY },
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
  doc: {
    id: "endDevice",
    says: "Ends the session of a device.",
    answers: EMPTY,
  },
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
  also: [`${NATIVE_DEVICES}/delete`],
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
  doc: {
    id: "endDevices",
    says: "Ends the sessions of several devices.",
    answers: EMPTY,
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    const devices = [...new Set(body.devices.filter(isDeviceId))];
    await endDevices(edges, by, id, devices);
    return DONE;
  },
});
