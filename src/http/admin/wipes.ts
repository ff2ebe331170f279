import { isUserId, type UserId } from "../../core/ids.ts";
import {
  listWipes,
  wipeDevices,
} from "../../domain/admin/users/wipe-devices.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  named,
  object,
  oneOf,
  orNull,
  TEXT,
  TIME,
} from "../json-schema.ts";
import { idParam } from "../params.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { native } from "./tools.ts";

type OneUser = { params: { userId: UserId } };
type OneDevice = { params: { userId: UserId; deviceId: string } };
const params = { userId: idParam(isUserId, "a user ID") };

const WIPES = object({
  wipes: arrayOf(object({ wipe_id: TEXT, device_id: TEXT })),
});
const WIPE = named(
  "Wipe",
  object({
    ...{ wipe_id: TEXT, device_id: TEXT, state: oneOf(["pending", "told"]) },
    ...{ ordered_by: TEXT, ordered_ts: TIME, told_ts: orNull(TIME) },
  }),
);

type Wipes = Awaited<ReturnType<typeof wipeDevices>>;
const wipesAnswer = (wipes: Wipes) => ({
  wipes: wipes.map(({ wipeId, deviceId }) => ({
    wipe_id: wipeId,
    device_id: deviceId,
  })),
});

const postWipeDevice = endpoint<OneDevice>({
  method: "post",
  path: native("/users/:userId/devices/:deviceId/wipe"),
  params,
  auth: "admin",
  permission: "users.sessions.write",
  rateLimit: "admin",
  doc: {
    id: "wipeDevice",
    says: "Ends a device's session so that its client forgets what it holds.",
    answers: WIPES,
  },
  async handle(edges, { params: { userId, deviceId }, ...by }) {
    return wipesAnswer(await wipeDevices(edges, by, userId, deviceId));
  },
});

const postWipeUser = endpoint<OneUser>({
  method: "post",
  path: native("/users/:userId/wipe"),
  params,
  auth: "admin",
  permission: "users.sessions.write",
  rateLimit: "admin",
  doc: {
    id: "wipeUser",
    says: "Ends all sessions of a user so that their clients forget what they hold.",
    answers: WIPES,
  },
  async handle(edges, { params: { userId }, ...by }) {
    return wipesAnswer(await wipeDevices(edges, by, userId));
  },
});

/** `told` are those that came back, and were refused. */
const getWipes = endpoint<OneUser & { query: PageQuery }>({
  method: "get",
  path: native("/users/:userId/wipes"),
  params,
  auth: "admin",
  permission: "users.sessions.read",
  rateLimit: "admin",
  query: listQuery(["ordered_ts"]),
  doc: {
    id: "listWipes",
    says: "Lists the devices of a user that were wiped, and which of them came back and were told.",
    answers: listAnswer("wipes", WIPE),
  },
  async handle(edges, { params: { userId }, query }) {
    const { wipes, total } = await listWipes(edges, userId, pageOf(query));
    return {
      wipes: wipes.map((wipe) => ({
        wipe_id: wipe.wipeId,
        device_id: wipe.deviceId,
        state: wipe.toldTs === null ? "pending" : "told",
        ordered_by: wipe.orderedBy,
        ordered_ts: wipe.orderedTs,
        told_ts: wipe.toldTs,
      })),
      ...pageAnswer(query, wipes.length, total),
    };
  },
});

export const wipeEndpoints = [postWipeDevice, postWipeUser, getWipes];
