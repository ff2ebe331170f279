import {
  changeRole,
  createRole,
  deleteRole,
  listRoles,
} from "../../domain/admin/custom-roles.ts";
import { PERMISSIONS } from "../../domain/admin/permissions.ts";
import { endpoint } from "../endpoint.ts";
import { NAME, nameParam } from "./names.ts";

const ROLES = "/_myelin/admin/v1/roles";

/** Every permission there is, and what it is for. */
export const getPermissions = endpoint({
  method: "get",
  path: "/_myelin/admin/v1/permissions",
  auth: "admin",
  permission: "roles.read",
  rateLimit: "admin",
  async handle() {
    return {
      permissions: Object.entries(PERMISSIONS).map(([name, facts]) => ({
        name,
        class: facts.class,
        side: facts.side,
        on: facts.on,
        description: facts.says,
      })),
    };
  },
});

export const getRoles = endpoint({
  method: "get",
  path: ROLES,
  auth: "admin",
  permission: "roles.read",
  rateLimit: "admin",
  async handle(edges) {
    const roles = (await listRoles(edges)).map((role) => ({
      role_id: role.roleId,
      description: role.description,
      permissions: role.permissions,
      side: role.side,
      is_built_in: role.isBuiltIn,
    }));
    return { roles, total: roles.length };
  },
});

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
  validate: (edges, { params, ...by }) =>
    deleteRole.validate(edges, by, params.roleId),
  async handle(edges, { params, ...by }) {
    await deleteRole(edges, by, params.roleId);
    return {};
  },
});
