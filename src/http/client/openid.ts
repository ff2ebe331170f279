import {
  getOpenidUser,
  makeOpenidToken,
} from "../../domain/accounts/openid.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridopenidrequest_token */
export const postOpenidToken = endpoint<{
  params: { userId: string };
  body: object;
}>({
  method: "post",
  path: "/_matrix/client/v3/user/:userId/openid/request_token",
  auth: "user",
  ownerOnly: true,
  rateLimit: "other",
  // "An empty object. Reserved for future expansion."
  body: { type: "object" },
  async handle(edges, { requester, params }) {
    const token = await makeOpenidToken(edges, requester, params.userId);
    return {
      access_token: token.accessToken,
      token_type: "Bearer",
      matrix_server_name: edges.settings.serverName,
      expires_in: token.expiresInSeconds,
    };
  },
});

/**
 * Of the server-server API, but asked by widgets' servers where clients ask.
 * https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1openiduserinfo
 */
export const getOpenidUserinfo = endpoint<{ query: { access_token: string } }>({
  method: "get",
  path: "/_matrix/federation/v1/openid/userinfo",
  auth: "none",
  rateLimit: "other",
  query: {
    type: "object",
    required: ["access_token"],
    properties: { access_token: { type: "string", maxLength: 255 } },
  },
  async handle(edges, { query }) {
    return { sub: await getOpenidUser(edges, query.access_token) };
  },
});
