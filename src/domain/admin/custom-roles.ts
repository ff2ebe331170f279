import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  findCustomRole,
  listCustomRoles,
  listHolders,
} from "../../storage/authority.ts";
import {
  authorityAct,
  type Administrator,
  type AuthorityEdges,
} from "./change-authority.ts";
import { notAllowed } from "./refusal.ts";
import { checkCustomRole, checkRoleChange } from "./grant-rules.ts";
import { isPermission, type Permission } from "./permissions.ts";
import { BUILT_IN_ROLES, customRole, type Role } from "./roles.ts";

export interface RoleOrder {
  roleId: string;
  description: string;
  permissions: readonly string[];
}

/** All roles, the built-in ones first. */
export async function listRoles({
  db,
}: Pick<Edges, "db">): Promise<(Role & { isBuiltIn: boolean })[]> {
  const custom = (await listCustomRoles(db)).map(customRole);
  return [
    ...[...BUILT_IN_ROLES.values()].map((role) => ({
      ...role,
      isBuiltIn: true,
    })),
    ...custom.map((role) => ({ ...role, isBuiltIn: false })),
  ];
}

/** Makes a role. */
export const createRole = authorityAct<AuthorityEdges, [RoleOrder], undefined>(
  async (_at, edges, by, order) => {
    const row = readOrder(edges, by, order);
    if (await findCustomRole(edges.db, order.roleId))
      throw new MatrixError("M_INVALID_PARAM", "There is a role of this name.");
    return {
      rows: { customRoles: [row] },
      act: {
        act: "roles.write" as const,
        target: order.roleId,
        details: { permissions: row.permissions },
      },
      answer: undefined,
    };
  },
);

/** Changes a role for all who hold it. */
export const changeRole = authorityAct<AuthorityEdges, [RoleOrder], undefined>(
  async (_at, edges, by, order) => {
    const row = readOrder(edges, by, order);
    const before = await getCustomRole(edges, order.roleId);
    const holders = await listHolders(edges.db, order.roleId);
    const { userId } = by.requester;
    const verdict = checkRoleChange(userId, before, row, holders);
    if (verdict !== "allowed") throw notAllowed("roles.write", verdict.refused);
    return {
      rows: { customRoles: [row] },
      act: {
        act: "roles.write" as const,
        target: order.roleId,
        before: { permissions: [...before.permissions] },
        details: { permissions: row.permissions },
      },
      answer: undefined,
    };
  },
);

/** Takes a role away that nobody holds. */
export const deleteRole = authorityAct<AuthorityEdges, [string], undefined>(
  async (_at, edges, _by, roleId) => {
    const before = await getCustomRole(edges, roleId);
    if ((await listHolders(edges.db, roleId)).length > 0) {
      throw new MatrixError(
        "M_INVALID_PARAM",
        "Somebody holds this role: revoke it first.",
      );
    }
    return {
      rows: { removedCustomRoles: [{ roleId }] },
      act: {
        act: "roles.write" as const,
        target: roleId,
        before: { permissions: [...before.permissions] },
      },
      answer: undefined,
    };
  },
);

function readOrder(
  { now }: Pick<Edges, "now">,
  { requester }: Administrator,
  { roleId, description, permissions }: RoleOrder,
) {
  const known = readPermissions(permissions);
  const verdict = checkCustomRole(roleId, known);
  if ("refused" in verdict) throw notAllowed("roles.write", verdict.refused);
  return {
    roleId,
    description,
    permissions: known,
    side: verdict.side,
    createdBy: requester.userId,
    changedTs: now(),
  };
}

/** @throws MatrixError naming one that is none. */
export function readPermissions(names: readonly string[]): Permission[] {
  return [...new Set(names)].sort().map((name) => {
    if (isPermission(name)) return name;
    throw new MatrixError(
      "M_INVALID_PARAM",
      `There is no permission ${JSON.stringify(name)}.`,
    );
  });
}

async function getCustomRole(
  { db }: Pick<Edges, "db">,
  roleId: string,
): Promise<Role> {
  if (BUILT_IN_ROLES.has(roleId))
    throw notAllowed("roles.write", "Built-in roles stay as they are.");
  const row = await findCustomRole(db, roleId);
  if (row) return customRole(row);
  throw new MatrixError("M_NOT_FOUND", "There is no such role.");
}
