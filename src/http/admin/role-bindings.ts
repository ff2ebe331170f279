import {
  grantRole,
  revokeRole,
  searchBindings,
  type GrantOrder,
  type Scope,
} from "../../domain/admin/bindings.ts";
import { endpoint } from "../endpoint.ts";
import { NAME, numberParam } from "./names.ts";
import {
  pageAnswer,
  pageOf,
  pageProperties,
  type PageQuery,
} from "./paging.ts";
import { scopeAnswer } from "./scope.ts";

const BINDINGS = "/_myelin/admin/v1/role-bindings";
/** The last time that there is. */
const LATEST_TS = 8_640_000_000_000_000;
const KINDS = ["server", "group", "space", "room", "users"] as const;
const ORDERS = ["granted_ts", "expires_ts", "user_id", "role_id"] as const;

interface Search extends PageQuery {
  user_id?: string;
  role?: string;
  scope_kind?: string;
  scope_id?: string;
  order_by?: (typeof ORDERS)[number];
}

export const getRoleBindings = endpoint<{ query: Search }>({
  method: "get",
  path: BINDINGS,
  auth: "admin",
  permission: "roles.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...pageProperties,
      user_id: { type: "string" },
      role: { type: "string" },
      scope_kind: { type: "string", enum: KINDS },
      scope_id: { type: "string" },
      order_by: { type: "string", enum: ORDERS },
    },
  },
  async handle(edges, { query }) {
    const { bindings, total } = await searchBindings(edges, {
      ...pageOf(query),
      userId: query.user_id ?? null,
      roleId: query.role ?? null,
      scopeKind: query.scope_kind ?? null,
      scopeId: query.scope_id ?? null,
      orderBy: query.order_by ?? "granted_ts",
    });
    return {
      role_bindings: bindings.map((row) => ({
        binding_id: row.bindingId,
        user_id: row.userId,
        role: row.roleId,
        scope: scopeAnswer(row),
        expires_ts: row.expiresTs,
        is_expired: row.isExpired,
        reason: row.reason,
        granted_by: row.grantedBy,
        granted_ts: row.grantedTs,
      })),
      ...pageAnswer(query, bindings.length, total),
    };
  },
});

interface Grant {
  user_id: string;
  role: string;
  scope: Scope;
  expires_ts?: number | null;
  reason: string;
}

const orderOf = (body: Grant): GrantOrder => ({
  userId: body.user_id,
  roleId: body.role,
  scope: body.scope,
  expiresTs: body.expires_ts ?? null,
  reason: body.reason,
});

export const postRoleBinding = endpoint<{ body: Grant }>({
  method: "post",
  path: BINDINGS,
  auth: "admin",
  permission: "roles.grant",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      user_id: { type: "string", maxLength: 255 },
      role: NAME,
      scope: {
        type: "object",
        properties: {
          kind: { type: "string", enum: KINDS },
          id: { type: "string", maxLength: 255 },
          users: {
            type: "array",
            maxItems: 1000,
            items: { type: "string", maxLength: 255 },
          },
        },
        required: ["kind"],
      },
      expires_ts: { type: ["integer", "null"], maximum: LATEST_TS },
      reason: { type: "string", minLength: 1, maxLength: 1024 },
    },
    required: ["user_id", "role", "scope", "reason"],
  },
  validate: (edges, { body, ...by }) =>
    grantRole.validate(edges, by, orderOf(body)),
  async handle(edges, { body, ...by }) {
    return { binding_id: await grantRole(edges, by, orderOf(body)) };
  },
});

export const deleteRoleBinding = endpoint<{ params: { bindingId: number } }>({
  method: "delete",
  path: `${BINDINGS}/:bindingId`,
  params: { bindingId: numberParam },
  auth: "admin",
  permission: "roles.grant",
  rateLimit: "admin",
  validate: (edges, { params, ...by }) =>
    revokeRole.validate(edges, by, params.bindingId),
  async handle(edges, { params, ...by }) {
    await revokeRole(edges, by, params.bindingId);
    return {};
  },
});
