import type { UserId } from "../../../core/ids.ts";
import { readDevices } from "../../../domain/admin/users/devices.ts";
import {
  countEnteredRooms,
  countSentInvites,
  readAccountData,
  readJoinedRooms,
  readMemberships,
  readPushers,
} from "../../../domain/admin/users/what-is-kept.ts";
import { endpoint } from "../../endpoint.ts";
import {
  BOOLEAN,
  COUNT,
  named,
  object,
  oneOf,
  open,
  ROOM_ID,
  TEXT,
  USER_ID,
} from "../../json-schema.ts";
import {
  cutPage,
  listAnswer,
  listQuery,
  pageAnswer,
  type PageQuery as ListQuery,
} from "../paging.ts";
import { native } from "../tools.ts";
import { userId, V1 } from "./common.ts";

type OneUser = { params: { userId: UserId } };
const USER = `${V1}/users/:userId`;
const params = { userId };

const DEVICES_SEEN = open(
  "By device ID, in the form of the client-server API.",
);
const PUSHER = named(
  "Pusher",
  object(
    {
      ...{ kind: TEXT, app_id: TEXT, pushkey: TEXT, lang: TEXT },
      ...{ app_display_name: TEXT, device_display_name: TEXT },
      data: open("As the client set it."),
      "org.matrix.msc3881.enabled": BOOLEAN,
      "org.matrix.msc3881.device_id": TEXT,
    },
    { profile_tag: TEXT },
  ),
);
const KEPT = object({
  global: open("Contents by type."),
  rooms: open("The same by room ID."),
});

/**
 * Where and by what somebody came; of themselves anybody may know it.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid
 */
export const getWhois = endpoint<OneUser>({
  method: "get",
  path: "/_matrix/client/v3/admin/whois/:userId",
  also: [`${V1}/whois/:userId`, native("/users/:userId/whois")],
  params,
  auth: "admin",
  permission: "users.sessions.read",
  ownToo: true,
  rateLimit: "admin",
  doc: {
    id: "whois",
    says: "Tells from where and by what a user came, device by device.",
    answers: object({ user_id: USER_ID, devices: DEVICES_SEEN }),
  },
  async handle(edges, { params: { userId: id } }) {
    const devices = await readDevices(edges, id);
    return {
      user_id: id,
      devices: Object.fromEntries(
        devices.map((device) => [
          device.deviceId,
          { sessions: [{ connections: connectionsOf(device) }] },
        ]),
      ),
    };
  },
});

type Seen = Awaited<ReturnType<typeof readDevices>>[number];

function connectionsOf({
  last_seen_ip: ip,
  last_seen_user_agent: userAgent,
  lastSeenTs,
}: Seen): object[] {
  if (lastSeenTs === null) return [];
  return [
    {
      last_seen: lastSeenTs,
      ...(ip !== undefined && { ip }),
      ...(userAgent !== undefined && { user_agent: userAgent }),
    },
  ];
}

export const getUserJoinedRooms = endpoint<OneUser>({
  method: "get",
  path: `${USER}/joined_rooms`,
  params,
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  async handle(edges, { params: { userId: id } }) {
    const rooms = await readJoinedRooms(edges, id);
    return { joined_rooms: rooms, total: rooms.length };
  },
});

const OF_USER = native("/users/:userId/memberships");
const MEMBERSHIPS = ["join", "invite", "knock", "leave", "ban"] as const;

/** What somebody is in each room, as a list like all others. */
export const listUserMemberships = endpoint<
  OneUser & { query: ListQuery & { membership?: string } }
>({
  method: "get",
  path: OF_USER,
  params,
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  query: listQuery(["room_id"], { membership: oneOf(MEMBERSHIPS) }),
  doc: {
    id: "listMemberships",
    says: "Lists the rooms that a user has to do with, and what they are there.",
    answers: listAnswer(
      "memberships",
      named("MembershipOf", object({ room_id: ROOM_ID, membership: TEXT })),
    ),
  },
  async handle(edges, { params: { userId: id }, query }) {
    const { membership: wanted } = query;
    const all = [...(await readMemberships(edges, id))]
      .filter(([, is]) => wanted === undefined || is === wanted)
      .map(([roomId, membership]) => ({ room_id: roomId, membership }))
      .sort((a, b) => (a.room_id < b.room_id ? -1 : 1));
    const memberships = cutPage(query, all);
    return {
      memberships,
      ...pageAnswer(query, memberships.length, all.length),
    };
  },
});

export const getUserMemberships = endpoint<OneUser>({
  method: "get",
  path: `${USER}/memberships`,
  params,
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  async handle(edges, { params: { userId: id } }) {
    const memberships = await readMemberships(edges, id);
    return { memberships: Object.fromEntries(memberships) };
  },
});

const since = {
  type: "object",
  properties: {
    from_ts: { type: "integer", minimum: 0, maximum: 8_640_000_000_000_000 },
  },
};

export const getSentInviteCount = endpoint<
  OneUser & { query: { from_ts?: number } }
>({
  method: "get",
  path: `${USER}/sent_invite_count`,
  also: [native("/users/:userId/sent-invite-count")],
  params,
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  query: since,
  doc: {
    id: "countSentInvites",
    says: "Counts the invites that a user has sent, since a time or ever.",
    answers: object({ invite_count: COUNT }),
  },
  async handle(edges, { params: { userId: id }, query }) {
    const { from_ts = 0 } = query;
    return { invite_count: await countSentInvites(edges, id, from_ts) };
  },
});

export const getEnteredRoomCount = endpoint<
  OneUser & { query: { from_ts?: number } }
>({
  method: "get",
  path: `${USER}/cumulative_joined_room_count`,
  also: [native("/users/:userId/entered-room-count")],
  params,
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  query: since,
  doc: {
    id: "countEnteredRooms",
    says: "Counts the rooms that a user has come into, since a time or ever.",
    answers: object({ cumulative_joined_room_count: COUNT }),
  },
  async handle(edges, { params: { userId: id }, query }) {
    const { from_ts = 0 } = query;
    const count = await countEnteredRooms(edges, id, from_ts);
    return { cumulative_joined_room_count: count };
  },
});

export const getUserAccountData = endpoint<OneUser>({
  method: "get",
  path: `${USER}/accountdata`,
  also: [native("/users/:userId/account-data")],
  params,
  auth: "admin",
  permission: "users.content.read",
  rateLimit: "admin",
  doc: {
    id: "getAccountData",
    says: "Reads what a user’s clients keep here, for all rooms and for each.",
    answers: object({ account_data: KEPT }),
  },
  async handle(edges, { params: { userId: id } }) {
    return { account_data: await readAccountData(edges, id) };
  },
});

export const getUserPushers = endpoint<OneUser>({
  method: "get",
  path: `${USER}/pushers`,
  params,
  auth: "admin",
  permission: "users.sessions.read",
  rateLimit: "admin",
  async handle(edges, { params: { userId: id } }) {
    const pushers = await readPushers(edges, id);
    return { pushers, total: pushers.length };
  },
});

/** The same as a list like all others. */
export const listUserPushers = endpoint<OneUser & { query: ListQuery }>({
  method: "get",
  path: native("/users/:userId/pushers"),
  params,
  auth: "admin",
  permission: "users.sessions.read",
  rateLimit: "admin",
  query: listQuery(["pushkey"]),
  doc: {
    id: "listPushers",
    says: "Lists where a user’s notifications are sent to.",
    answers: listAnswer("pushers", PUSHER),
  },
  async handle(edges, { params: { userId: id }, query }) {
    const all = (await readPushers(edges, id)).toSorted((a, b) =>
      a.pushkey < b.pushkey ? -1 : 1,
    );
    const pushers = cutPage(query, all);
    return { pushers, ...pageAnswer(query, pushers.length, all.length) };
  },
});
