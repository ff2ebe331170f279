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
import { userId, V1 } from "./common.ts";

type OneUser = { params: { userId: UserId } };
const USER = `${V1}/users/:userId`;
const params = { userId };

/**
 * Where and by what somebody came; of themselves anybody may know it.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3adminwhoisuserid
 */
export const getWhois = endpoint<OneUser>({
  method: "get",
  path: "/_matrix/client/v3/admin/whois/:userId",
  also: [`${V1}/whois/:userId`],
  params,
  auth: "admin",
  permission: "users.sessions.read",
  ownToo: true,
  rateLimit: "admin",
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
  params,
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  query: since,
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
  params,
  auth: "admin",
  permission: "users.read",
  rateLimit: "admin",
  query: since,
  async handle(edges, { params: { userId: id }, query }) {
    const { from_ts = 0 } = query;
    const count = await countEnteredRooms(edges, id, from_ts);
    return { cumulative_joined_room_count: count };
  },
});

export const getUserAccountData = endpoint<OneUser>({
  method: "get",
  path: `${USER}/accountdata`,
  params,
  auth: "admin",
  permission: "users.content.read",
  rateLimit: "admin",
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
