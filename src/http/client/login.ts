import { MatrixError } from "../../core/errors.ts";
import { logInByToken } from "../../domain/accounts/login-token.ts";
import { logIn, userIdFrom } from "../../domain/accounts/login.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { endpoint } from "../endpoint.ts";
import { sessionAnswer, sessionProperties, wishOf } from "../session.ts";
import type { SessionBody } from "../session.ts";

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3login */
export const getLoginFlows = endpoint({
  method: "get",
  path: "/_matrix/client/v3/login",
  auth: "none",
  async handle({ settings }) {
    const byToken = { type: "m.login.token", get_login_token: true };
    return {
      flows: [
        { type: "m.login.password" },
        ...(settings.loginTokensEnabled ? [byToken] : []),
      ],
    };
  },
});

interface LoginBody extends SessionBody {
  type: string;
  identifier?: { type: string; user?: string };
  user?: string;
  password?: string;
  token?: string;
}

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login */
export const postLogin = endpoint<{ body: LoginBody }>({
  method: "post",
  path: "/_matrix/client/v3/login",
  auth: "none",
  audit: "auth.login",
  body: {
    type: "object",
    properties: {
      type: { type: "string" },
      identifier: {
        type: "object",
        properties: { type: { type: "string" }, user: { type: "string" } },
        required: ["type"],
      },
      user: { type: "string" },
      password: { type: "string" },
      token: { type: "string" },
      ...sessionProperties,
    },
    required: ["type"],
  },
  async handle(edges, { body, request }) {
    const address = limitKeyOf(request.ip);
    if (body.type === "m.login.token" && edges.settings.loginTokensEnabled) {
      const credentials = { token: tokenIn(body), address };
      return sessionAnswer(
        await logInByToken(edges, credentials, wishOf(body)),
      );
    }
    const { user, password } = credentialsIn(body);
    const id = userIdFrom(edges.settings, user);
    edges.trail?.note({ resource: { type: "user", id } });
    const credentials = { user, password, address };
    return sessionAnswer(await logIn(edges, credentials, wishOf(body)));
  },
});

function tokenIn({ token }: LoginBody): string {
  if (token !== undefined) return token;
  throw new MatrixError("M_MISSING_PARAM", "A login token is needed.");
}

function credentialsIn({ type, identifier, user, password }: LoginBody) {
  if (type !== "m.login.password") {
    throw new MatrixError("M_UNKNOWN", "This way to log in is not offered.");
  }
  if (identifier && identifier.type !== "m.id.user") {
    throw new MatrixError(
      "M_UNKNOWN",
      "Accounts are known here by their user id alone.",
    );
  }
  const name = identifier?.user ?? user;
  if (name === undefined || password === undefined) {
    throw new MatrixError(
      "M_MISSING_PARAM",
      "A user name and a password are needed.",
    );
  }
  return { user: name, password };
}
