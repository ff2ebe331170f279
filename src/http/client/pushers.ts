import { endpoint } from "../endpoint.ts";

/**
 * None can be set yet, and Element shows no push rules before it has the list.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushers
 */
export const getPushers = endpoint({
  method: "get",
  path: "/_matrix/client/v3/pushers",
  auth: "user",
  async handle() {
    return { pushers: [] };
  },
});
