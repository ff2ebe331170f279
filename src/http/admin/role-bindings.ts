import {
  grantRole,
  revokeRole,
  searchBindings,
  type GrantOrder,
  type Scope,
} from "../../domain/admin/bindings.ts";
import { endpoint } from "../endpoint.ts";
import {
  BOOLEAN,
  EMPTY,
  INTEGER,
  named,
  object,
  orNull,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import { NAME, numberParam } from "./names.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { SCOPE, SCOPE_KINDS, scopeAnswer } from "./scope.ts";

const BINDINGS = "/_myelin/admin/v1/role-bindings";
/** The last time that there is. */
const LATEST_TS = 8_640_000_000_000_000;
const ORDERS = ["granted_ts", "expires_ts", "user_id", "role_id"] as const;

const BINDING = named(
  "RoleBinding",
  object({
    binding_id: INTEGER,
    user_id: USER_ID,
    role: TEXT,
    scope: SCOPE,
    expires_ts: orNull(TIME),
    is_expired: BOOLEAN,
    reason: orNull(TEXT),
    granted_by: TEXT,
    granted_ts: TIME,
  }),
);

interface Search extends PageQuery<(typeof ORDERS)[number]> {
  user_id?: string;
  role?: string;
  scope_kind?: string;
  scope_id?: string;
}

export const getRoleBindings = endpoint<{ query: Search }>({
  method: "get",
  path: BINDINGS,
  auth: "admin",
  permission: "roles.read",
  rateLimit: "admin",
  query: listQuery(ORDERS, {
    user_id: { type: "string" },
    role: { type: "string" },
    scope_kind: { type: "string", enum: SCOPE_KINDS },
    scope_id: { type: "string" },
  }),
  doc: {
    id: "listRoleBindings",
    says: "Lists who holds which role, within which scope and until when.",
    answers: listAnswer("role_bindings", BINDING),
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
          kind: { type: "string", enum: SCOPE_KINDS },
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
  doc: {
    id: "grantRole",
    says: "Gives a role to a user, within a scope and until a time.",
    answers: object({ binding_id: INTEGER }),
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
  doc: {
    id: "revokeRole",
    says: "Takes a role from a user, with the next request.",
    answers: EMPTY,
  },
  validate: (edges, { params, ...by }) =>
    revokeRole.validate(edges, by, params.bindingId),
  async handle(edges, { params, ...by }) {
    await revokeRole(edges, by, params.bindingId);
    return {};
  },
});
