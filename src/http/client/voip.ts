import { findTurnCredentials } from "../../domain/voip/turn-credentials.ts";
import { endpoint } from "../endpoint.ts";

/**
 * Without a TURN server it is empty, which clients take for none.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3voipturnserver
 */
export const getTurnServer = endpoint({
  method: "get",
  path: "/_matrix/client/v3/voip/turnServer",
  auth: "user",
  rateLimit: "other",
  async handle(edges, { requester }) {
    const found = await findTurnCredentials(edges, requester.userId);
    if (!found) return {};
    const { username, password, uris, ttlSeconds } = found;
    return { username, password, uris, ttl: ttlSeconds };
  },
});
