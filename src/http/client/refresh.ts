import { refreshSession } from "../../domain/accounts/refresh.ts";
import { endpoint } from "../endpoint.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3refresh */
export const postRefresh = endpoint<{ body: { refresh_token: string } }>({
  method: "post",
  path: "/_matrix/client/v3/refresh",
  auth: "none",
  audit: "auth.refresh_reused",
  auditsNoted: true,
  rateLimit: "other",
  body: {
    type: "object",
    properties: { refresh_token: { type: "string" } },
    required: ["refresh_token"],
  },
  async handle(edges, { body }) {
    const given = await refreshSession(edges, body.refresh_token);
    return {
      access_token: given.accessToken,
      refresh_token: given.refreshToken,
      expires_in_ms: given.expiresInMs,
    };
  },
});
