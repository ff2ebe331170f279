import {
  changeRole,
  createRole,
  deleteRole,
  listRoles,
} from "../../domain/admin/custom-roles.ts";
import { PERMISSIONS } from "../../domain/admin/permissions.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  EMPTY,
  named,
  object,
  oneOf,
  TEXT,
} from "../json-schema.ts";
import { NAME, nameParam } from "./names.ts";
import {
  cutPage,
  listAnswer,
  listQuery,
  pageAnswer,
  type PageQuery,
} from "./paging.ts";

const ROLES = "/_myelin/admin/v1/roles";

const SIDE = oneOf(["shared", "operations", "security", "audit"]);
const PERMISSION = named(
  "Permission",
  object({
    name: TEXT,
    class: oneOf(["plain", "D", "P", "DP"]),
    side: SIDE,
    on: oneOf(["server", "user", "room"]),
    description: TEXT,
  }),
);
const ROLE_FACTS = named(
  "Role",
  object({
    role_id: TEXT,
    description: TEXT,
    permissions: arrayOf(TEXT),
    side: SIDE,
    is_built_in: BOOLEAN,
  }),
);

/** Every permission there is, and what it is for. */
export const getPermissions = endpoint<{ query: PageQuery }>({
  method: "get",
  path: "/_myelin/admin/v1/permissions",
  auth: "admin",
  permission: "roles.read",
  rateLimit: "admin",
  query: listQuery(["name"]),
  doc: {
    id: "listPermissions",
    says: "Lists all that an administrator may be allowed to do.",
    answers: listAnswer("permissions", PERMISSION),
  },
  async handle(_edges, { query }) {
    const all = Object.entries(PERMISSIONS).toSorted(byFirst);
    const permissions = cutPage(query, all).map(([name, facts]) => ({
      name,
      class: facts.class,
      side: facts.side,
      on: facts.on,
      description: facts.says,
    }));
    return {
      permissions,
      ...pageAnswer(query, permissions.length, all.length),
    };
  },
});

export const getRoles = endpoint<{ query: PageQuery }>({
  method: "get",
  path: ROLES,
  auth: "admin",
  permission: "roles.read",
  rateLimit: "admin",
  query: listQuery(["role_id"]),
  doc: {
    id: "listRoles",
    says: "Lists all roles, built in and of your own.",
    answers: listAnswer("roles", ROLE_FACTS),
  },
  async handle(edges, { query }) {
    const all = (await listRoles(edges)).toSorted(byRole);
    const roles = cutPage(query, all).map((role) => ({
      role_id: role.roleId,
      description: role.description,
      permissions: role.permissions,
      side: role.side,
      is_built_in: role.isBuiltIn,
    }));
    return { roles, ...pageAnswer(query, roles.length, all.length) };
  },
});

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byFirst = ([a]: [string, unknown], [b]: [string, unknown]) =>
  compare(a, b);
const byRole = (a: { roleId: string }, b: { roleId: string }) =>
  compare(a.roleId, b.roleId);

interface RoleBody {
  description: string;
  permissions: string[];
}

const roleProperties = {
  description: { type: "string", maxLength: 512 },
  permissions: {
    type: "array",
    minItems: 1,
    maxItems: 200,
    items: { type: "string", maxLength: 128 },
  },
};

export const postRole = endpoint<{ body: RoleBody & { role_id: string } }>({
  method: "post",
  path: ROLES,
  auth: "admin",
  permission: "roles.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { role_id: NAME, ...roleProperties },
    required: ["role_id", "description", "permissions"],
  },
  doc: {
    id: "createRole",
    says: "Makes a role of your own.",
    answers: object({ role_id: NAME }),
  },
  validate(edges, { body, ...by }) {
    const { role_id: roleId, ...order } = body;
    return createRole.validate(edges, by, { roleId, ...order });
  },
  async handle(edges, { body, ...by }) {
    const { role_id: roleId, ...order } = body;
    await createRole(edges, by, { roleId, ...order });
    return { role_id: roleId };
  },
});

type OneRole = { params: { roleId: string } };
const ROLE = `${ROLES}/:roleId`;

export const putRole = endpoint<OneRole & { body: RoleBody }>({
  method: "put",
  path: ROLE,
  params: { roleId: nameParam },
  auth: "admin",
  permission: "roles.write",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: roleProperties,
    required: ["description", "permissions"],
  },
  doc: {
    id: "changeRole",
    says: "Changes a role for all who hold it.",
    answers: EMPTY,
  },
  validate: (edges, { params, body, ...by }) =>
    changeRole.validate(edges, by, { ...params, ...body }),
  async handle(edges, { params, body, ...by }) {
    await changeRole(edges, by, { ...params, ...body });
    return {};
  },
});

export const deleteOneRole = endpoint<OneRole>({
  method: "delete",
  path: ROLE,
  params: { roleId: nameParam },
  auth: "admin",
  permission: "roles.write",
  rateLimit: "admin",
  doc: {
    id: "deleteRole",
    says: "Takes away a role that nobody holds.",
    answers: EMPTY,
  },
  validate: (edges, { params, ...by }) =>
    deleteRole.validate(edges, by, params.roleId),
  async handle(edges, { params, ...by }) {
    await deleteRole(edges, by, params.roleId);
    return {};
  },
});
