import { endpoint } from "../endpoint.ts";

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
