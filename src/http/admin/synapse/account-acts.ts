import { MatrixError } from "../../../core/errors.ts";
import { isUserId, type UserId } from "../../../core/ids.ts";
import { getAccountRow } from "../../../domain/admin/users/account.ts";
import { actAs, validateActingAs } from "../../../domain/admin/users/act-as.ts";
import { assertMay } from "../../../domain/admin/users/act.ts";
import {
  endAccount,
  validateEnd,
} from "../../../domain/admin/users/end-account.ts";
import { openKeys } from "../../../domain/admin/users/open-keys.ts";
import { resetPassword } from "../../../domain/admin/users/reset-password.ts";
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
  params,
  permission: "users.deactivate",
  alsoTakes: ({ erase }) => ({
    permissions: erase === true ? ["users.erase"] : [],
  }),
  body: { type: "object", properties: { erase: { type: "boolean" } } },
  validate: (edges, { params: { userId: id }, body }) =>
    validateEnd(edges, id, body.erase ?? false),
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
  params,
  permission: "users.read",
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
  params,
  permission: "users.suspend",
  body: {
    type: "object",
    properties: { suspended: { type: "boolean" } },
    required: ["suspended"],
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
  params,
  permission: "users.read",
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
  params,
  permission: "users.lock",
  body: {
    type: "object",
    properties: { locked: { type: "boolean" } },
    required: ["locked"],
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
  params,
  permission: "users.impersonate",
  body: {
    type: "object",
    properties: { valid_until_ms: { ...TIME, type: ["integer", "null"] } },
  },
  validate: (edges, { params: { userId: id }, body, ...by }) =>
    validateActingAs(edges, by, id, body.valid_until_ms ?? null),
  async handle(edges, { params: { userId: id }, body, ...by }) {
    const untilTs = body.valid_until_ms ?? null;
    const { accessToken, expiresTs } = await actAs(edges, by, id, untilTs);
    return { access_token: accessToken, valid_until_ms: expiresTs };
  },
});

const shadowBan = (method: "post" | "delete", isBanned: boolean) =>
  endpoint<OneUser>({
    auth: "admin",
    rateLimit: "admin",
    method,
    path: `${V1}/users/:userId/shadow_ban`,
    params,
    permission: "users.suspend",
    async handle(edges, { params: { userId: id }, ...by }) {
      await setShadowBanned(edges, by, id, isBanned);
      return DONE;
    },
  });

export const postShadowBan = shadowBan("post", true);
export const deleteShadowBan = shadowBan("delete", false);

const LIMIT = `${V1}/users/:userId/override_ratelimit`;

export const getMessageLimit = endpoint<OneUser>({
  auth: "admin",
  rateLimit: "admin",
  method: "get",
  path: LIMIT,
  params,
  permission: "users.read",
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
  params,
  permission: "users.limits",
  body: {
    type: "object",
    properties: { messages_per_second: RATE, burst_count: RATE },
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
  params,
  permission: "users.limits",
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
  params,
  permission: "users.credentials",
  async handle(edges, { params: { userId: id }, ...by }) {
    return { updatable_without_uia_before_ms: await openKeys(edges, by, id) };
  },
});
