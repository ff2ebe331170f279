import { MatrixError } from "../../../core/errors.ts";
import { isUserId, type UserId } from "../../../core/ids.ts";
import { getAccountRow } from "../../../domain/admin/users/account.ts";
import { actAs, validateActingAs } from "../../../domain/admin/users/act-as.ts";
import { assertMay } from "../../../domain/admin/users/act.ts";
import {
  endAccount,
  validateEnd,
} from "../../../domain/admin/users/end-account.ts";
import { assertKeys, openKeys } from "../../../domain/admin/users/open-keys.ts";
import {
  resetPassword,
  validateReset,
} from "../../../domain/admin/users/reset-password.ts";
import {
  setAccountEnd,
  setLocked,
  setMessageLimit,
  setShadowBanned,
  setSuspended,
} from "../../../domain/admin/users/restrain.ts";
import {
  setAdmin,
  validateAdmin,
} from "../../../domain/admin/users/set-admin.ts";
import { endpoint } from "../../endpoint.ts";
import {
  BOOLEAN,
  COUNT,
  EMPTY,
  object,
  TEXT,
  TIME as TIME_OF_END,
} from "../../json-schema.ts";
import { native } from "../tools.ts";
import { DONE, userId, V1 } from "./common.ts";

type OneUser = { params: { userId: UserId } };
const params = { userId };
const TIME = { type: "integer", minimum: 0, maximum: 8_640_000_000_000_000 };

export const getAdmin = endpoint<OneUser>({
  auth: "admin",
  rateLimit: "admin",
  method: "get",
  path: `${V1}/users/:userId/admin`,
  params,
  permission: "roles.read",
  async handle(edges, { params: { userId: id } }) {
    return { admin: (await getAccountRow(edges, id)).isAdmin };
  },
});

export const putAdmin = endpoint<OneUser & { body: { admin: boolean } }>({
  auth: "admin",
  rateLimit: "admin",
  method: "put",
  path: `${V1}/users/:userId/admin`,
  params,
  permission: "roles.grant",
  body: {
    type: "object",
    properties: { admin: { type: "boolean" } },
    required: ["admin"],
  },
  validate: (edges, { params: { userId: id }, body, ...by }) =>
    validateAdmin(edges, by, id, body.admin),
  async handle(edges, { params: { userId: id }, body, ...by }) {
    await setAdmin(edges, by, id, body.admin);
    return DONE;
  },
});

export const postResetPassword = endpoint<
  OneUser & { body: { new_password: string; logout_devices?: boolean } }
>({
  auth: "admin",
  rateLimit: "admin",
  method: "post",
  path: `${V1}/reset_password/:userId`,
  also: [native("/users/:userId/reset-password")],
  params,
  permission: "users.credentials",
  body: {
    type: "object",
    properties: {
      new_password: { type: "string" },
      logout_devices: { type: "boolean" },
    },
    required: ["new_password"],
  },
  doc: {
    id: "resetPassword",
    says: "Gives a user a new password, and ends their sessions unless told not to.",
    answers: EMPTY,
  },
  validate: (edges, { params: { userId: id }, body }) =>
    validateReset(edges, id, body.new_password),
  async handle(edges, { params: { userId: id }, body, ...by }) {
    const { new_password: password, logout_devices: logsOut = true } = body;
    await resetPassword(edges, by, id, { password, logsOut });
    return DONE;
  },
});

export const postDeactivateUser = endpoint<
  OneUser & { body: { erase?: boolean } }
>({
  auth: "admin",
  rateLimit: "admin",
  method: "post",
  path: `${V1}/deactivate/:userId`,
  also: [native("/users/:userId/deactivate")],
  params,
  permission: "users.deactivate",
  alsoTakes: ({ erase }) => ({
    permissions: erase === true ? ["users.erase"] : [],
  }),
  body: { type: "object", properties: { erase: { type: "boolean" } } },
  validate: (edges, { params: { userId: id }, body }) =>
    validateEnd(edges, id, body.erase ?? false),
  doc: {
    id: "deactivateUser",
    says: "Deactivates an account; with `erase` what they wrote is destroyed too, when the time to take it back is over.",
    answers: object({ id_server_unbind_result: TEXT }),
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    await endAccount(edges, by, id, body.erase ?? false);
    return { id_server_unbind_result: "success" };
  },
});

export const putSuspend = endpoint<OneUser & { body: { suspend: boolean } }>({
  auth: "admin",
  rateLimit: "admin",
  method: "put",
  path: `${V1}/suspend/:userId`,
  params,
  permission: "users.suspend",
  body: {
    type: "object",
    properties: { suspend: { type: "boolean" } },
    required: ["suspend"],
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    await setSuspended(edges, by, id, body.suspend);
    return { [`user_${id}_suspended`]: body.suspend };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1adminsuspenduserid */
export const getSuspended = endpoint<OneUser>({
  auth: "admin",
  rateLimit: "admin",
  method: "get",
  path: "/_matrix/client/v1/admin/suspend/:userId",
  also: [native("/users/:userId/suspend")],
  params,
  permission: "users.read",
  doc: {
    id: "getSuspended",
    says: "Tells whether an account is suspended.",
    answers: object({ suspended: BOOLEAN }),
  },
  async handle(edges, { params: { userId: id } }) {
    return { suspended: (await getAccountRow(edges, id)).isSuspended };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminsuspenduserid */
export const putSuspended = endpoint<
  OneUser & { body: { suspended: boolean } }
>({
  auth: "admin",
  rateLimit: "admin",
  method: "put",
  path: "/_matrix/client/v1/admin/suspend/:userId",
  also: [native("/users/:userId/suspend")],
  params,
  permission: "users.suspend",
  body: {
    type: "object",
    properties: { suspended: { type: "boolean" } },
    required: ["suspended"],
  },
  doc: {
    id: "setSuspended",
    says: "Suspends an account, or lets it go on: who is suspended reads, and writes nothing.",
    answers: object({ suspended: BOOLEAN }),
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    await setSuspended(edges, by, id, body.suspended);
    return { suspended: body.suspended };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1adminlockuserid */
export const getLocked = endpoint<OneUser>({
  auth: "admin",
  rateLimit: "admin",
  method: "get",
  path: "/_matrix/client/v1/admin/lock/:userId",
  also: [native("/users/:userId/lock")],
  params,
  permission: "users.read",
  doc: {
    id: "getLocked",
    says: "Tells whether an account is locked.",
    answers: object({ locked: BOOLEAN }),
  },
  async handle(edges, { params: { userId: id } }) {
    return { locked: (await getAccountRow(edges, id)).isLocked };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminlockuserid */
export const putLocked = endpoint<OneUser & { body: { locked: boolean } }>({
  auth: "admin",
  rateLimit: "admin",
  method: "put",
  path: "/_matrix/client/v1/admin/lock/:userId",
  also: [native("/users/:userId/lock")],
  params,
  permission: "users.lock",
  body: {
    type: "object",
    properties: { locked: { type: "boolean" } },
    required: ["locked"],
  },
  doc: {
    id: "setLocked",
    says: "Locks an account, or opens it: who is locked keeps their sessions, and can do nothing.",
    answers: object({ locked: BOOLEAN }),
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    await setLocked(edges, by, id, body.locked);
    return { locked: body.locked };
  },
});

export const postAccountValidity = endpoint<{
  body: {
    user_id: string;
    expiration_ts?: number;
    enable_renewal_emails?: boolean;
  };
}>({
  auth: "admin",
  rateLimit: "admin",
  method: "post",
  path: `${V1}/account_validity/validity`,
  permission: "users.write",
  body: {
    type: "object",
    properties: {
      user_id: { type: "string", maxLength: 255 },
      expiration_ts: TIME,
      enable_renewal_emails: { type: "boolean" },
    },
    required: ["user_id"],
  },
  async handle(edges, { body, ...by }) {
    const { user_id: id, expiration_ts } = body;
    if (!isUserId(id))
      throw new MatrixError("M_INVALID_PARAM", '"user_id" is no user ID.');
    // The path names nobody: what the body names is asked for by itself.
    await assertMay(edges, by, "users.write", { userId: id });
    const expiresTs = expiration_ts ?? edges.now() + YEAR_MS;
    await setAccountEnd(edges, by, id, expiresTs);
    return { expiration_ts: expiresTs };
  },
});

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

export const postLoginAs = endpoint<
  OneUser & { body: { valid_until_ms?: number | null } }
>({
  auth: "admin",
  rateLimit: "admin",
  method: "post",
  path: `${V1}/users/:userId/login`,
  also: [native("/users/:userId/login")],
  params,
  permission: "users.impersonate",
  body: {
    type: "object",
    properties: { valid_until_ms: { ...TIME, type: ["integer", "null"] } },
  },
  validate: (edges, { params: { userId: id }, body, ...by }) =>
    validateActingAs(edges, by, id, body.valid_until_ms ?? null),
  doc: {
    id: "actAsUser",
    says: "Opens a session that acts as a user, for an hour at most; what it sends says on whose behalf.",
    answers: object({ access_token: TEXT, valid_until_ms: TIME_OF_END }),
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    const untilTs = body.valid_until_ms ?? null;
    const { accessToken, expiresTs } = await actAs(edges, by, id, untilTs);
    return { access_token: accessToken, valid_until_ms: expiresTs };
  },
});

const shadowBan = (
  method: "post" | "delete",
  isBanned: boolean,
  said: { id: string; says: string },
) =>
  endpoint<OneUser>({
    auth: "admin",
    rateLimit: "admin",
    method,
    path: `${V1}/users/:userId/shadow_ban`,
    also: [native("/users/:userId/shadow-ban")],
    params,
    permission: "users.suspend",
    doc: { ...said, answers: EMPTY },
    async handle(edges, { params: { userId: id }, ...by }) {
      await setShadowBanned(edges, by, id, isBanned);
      return DONE;
    },
  });

export const postShadowBan = shadowBan("post", true, {
  id: "shadowBan",
  says: "Keeps what a user sends from all others, without telling them.",
});
export const deleteShadowBan = shadowBan("delete", false, {
  id: "endShadowBan",
  says: "Lets others see again what a user sends.",
});

const LIMIT = `${V1}/users/:userId/override_ratelimit`;
const NATIVE_LIMIT = native("/users/:userId/rate-limit");
const LIMITS = { messages_per_second: COUNT, burst_count: COUNT };

export const getMessageLimit = endpoint<OneUser>({
  auth: "admin",
  rateLimit: "admin",
  method: "get",
  path: LIMIT,
  also: [NATIVE_LIMIT],
  params,
  permission: "users.read",
  doc: {
    id: "getRateLimit",
    says: "Reads how many messages a user may send, where that was set for them.",
    answers: object({}, LIMITS),
  },
  async handle(edges, { params: { userId: id } }) {
    const { messagesPerSecond, burstCount } = await getAccountRow(edges, id);
    if (messagesPerSecond === null) return {};
    return {
      messages_per_second: messagesPerSecond,
      burst_count: burstCount ?? 0,
    };
  },
});

const RATE = { type: "integer", minimum: 0, maximum: 1_000_000 };

export const postMessageLimit = endpoint<
  OneUser & { body: { messages_per_second?: number; burst_count?: number } }
>({
  auth: "admin",
  rateLimit: "admin",
  method: "post",
  path: LIMIT,
  also: [NATIVE_LIMIT],
  params,
  permission: "users.limits",
  body: {
    type: "object",
    properties: { messages_per_second: RATE, burst_count: RATE },
  },
  doc: {
    id: "setRateLimit",
    says: "Sets how many messages a user may send; 0 takes the limit away.",
    answers: object(LIMITS),
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    const { messages_per_second: perSecond = 0, burst_count: burst = 0 } = body;
    await setMessageLimit(edges, by, id, { perSecond, burst });
    return { messages_per_second: perSecond, burst_count: burst };
  },
});

export const deleteMessageLimit = endpoint<OneUser>({
  auth: "admin",
  rateLimit: "admin",
  method: "delete",
  path: LIMIT,
  also: [NATIVE_LIMIT],
  params,
  permission: "users.limits",
  doc: {
    id: "unsetRateLimit",
    says: "Lets the server’s own limit hold for a user again.",
    answers: EMPTY,
  },
  async handle(edges, { params: { userId: id }, ...by }) {
    await setMessageLimit(edges, by, id, null);
    return DONE;
  },
});

export const postOpenKeys = endpoint<OneUser>({
  auth: "admin",
  rateLimit: "admin",
  method: "post",
  path: `${V1}/users/:userId/_allow_cross_signing_replacement_without_uia`,
  also: [native("/users/:userId/allow-cross-signing-reset")],
  params,
  permission: "users.credentials",
  doc: {
    id: "allowCrossSigningReset",
    says: "Lets a user replace their cross-signing keys for ten minutes without proving who they are again.",
    answers: object({ updatable_without_uia_before_ms: TIME_OF_END }),
  },
  validate: (edges, { params: { userId: id } }) => assertKeys(edges, id),
  async handle(edges, { params: { userId: id }, ...by }) {
    return { updatable_without_uia_before_ms: await openKeys(edges, by, id) };
  },
});
