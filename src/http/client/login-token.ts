import { MatrixError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { makeLoginToken } from "../../domain/accounts/login-token.ts";
import { reauthenticate } from "../../domain/accounts/reauthenticate.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token */
export const postLoginToken = endpoint<{ body: { auth?: JsonObject } }>({
  method: "post",
  path: "/_matrix/client/v1/login/get_token",
  auth: "user",
  audit: "auth.login_token",
  ownerOnly: true,
  suspended: true,
  rateLimit: "other",
  body: { type: "object", properties: { auth: { type: "object" } } },
  async handle(edges, { requester, body, request }) {
    if (!edges.settings.loginTokensEnabled) {
      throw new MatrixError(
        "M_UNRECOGNIZED",
        "This server gives out no login tokens.",
      );
    }
    const address = limitKeyOf(request.ip);
    const who = { requester, address, auth: body.auth };
    const operation = ["POST /login/get_token"];
    const outcome = await reauthenticate(edges, who, operation);
    return outcome.status === "challenged"
      ? reply({ status: 401, body: outcome.body })
      : makeLoginToken(edges, requester);
  },
});
