import type { JsonObject } from "../../core/json.ts";
import { assertAvailable } from "../../domain/accounts/register.ts";
import { registerByForm } from "../../domain/accounts/register-by-form.ts";
import { assertRegistrationOpen } from "../../domain/accounts/registration-mode.ts";
import { isRegistrationToken } from "../../domain/accounts/registration-token.ts";
import { limitKeyOf } from "../../util/limit-key.ts";
import { endpoint } from "../endpoint.ts";
import { reply } from "../reply.ts";
import { sessionAnswer, sessionProperties, wishOf } from "../session.ts";
import type { SessionBody } from "../session.ts";

interface RegisterBody extends SessionBody {
  auth?: JsonObject;
  username?: string;
  password?: string;
  inhibit_login?: boolean;
}

/** https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3register */
export const postRegister = endpoint<{
  query: { kind?: "user" | "guest" };
  body: RegisterBody;
}>({
  method: "post",
  path: "/_matrix/client/v3/register",
  auth: "none",
  audit: "auth.register",
  rateLimit: "other",
  query: {
    type: "object",
    properties: { kind: { type: "string", enum: ["user", "guest"] } },
  },
  body: {
    type: "object",
    properties: {
      auth: { type: "object" },
      username: { type: "string" },
      password: { type: "string" },
      inhibit_login: { type: "boolean" },
      ...sessionProperties,
    },
  },
  async handle(edges, { body, query, request }) {
    const { username, password, auth } = body;
    const outcome = await registerByForm(edges, {
      kind: query.kind ?? "user",
      ...(username !== undefined && { localpart: username.toLowerCase() }),
      ...(password !== undefined && { password }),
      wish: body.inhibit_login === true ? null : wishOf(body),
      address: limitKeyOf(request.ip),
      auth,
    });
    if (outcome.status === "challenged")
      return reply({ status: 401, body: outcome.body });
    const { account } = outcome;
    if (!("accessToken" in account)) return { user_id: account.userId };
    return sessionAnswer(account);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3registeravailable */
export const getUsernameAvailable = endpoint<{ query: { username: string } }>({
  method: "get",
  path: "/_matrix/client/v3/register/available",
  auth: "none",
  rateLimit: "other",
  query: {
    type: "object",
    properties: { username: { type: "string" } },
    required: ["username"],
  },
  async handle(edges, { query }) {
    assertRegistrationOpen(edges.settings);
    await assertAvailable(edges, query.username.toLowerCase());
    return { available: true };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1registermloginregistration_tokenvalidity */
export const getRegistrationTokenValidity = endpoint<{
  query: { token: string };
}>({
  method: "get",
  path: "/_matrix/client/v1/register/m.login.registration_token/validity",
  auth: "none",
  query: {
    type: "object",
    properties: { token: { type: "string" } },
    required: ["token"],
  },
  async handle(edges, { query, request }) {
    assertRegistrationOpen(edges.settings);
    const address = limitKeyOf(request.ip);
    return { valid: await isRegistrationToken(edges, query.token, address) };
  },
});
