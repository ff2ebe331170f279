import { MatrixError } from "../../../core/errors.ts";
import { grantRole, revokeAllRoles, type GrantOrder } from "../bindings.ts";
import type { Administrator } from "../change-authority.ts";
import { SYSTEM_ADMIN } from "../roles.ts";
import { getAccountRow } from "./account.ts";
import { assertMay } from "./act.ts";

type Needs = Parameters<typeof grantRole>[0];

const orderOf = (userId: string): GrantOrder => ({
  userId,
  roleId: SYSTEM_ADMIN,
  scope: { kind: "server" },
  expiresTs: null,
  reason: "made an administrator by the admin API",
});

function assertAnother(by: Administrator, userId: string): void {
  if (userId !== by.requester.userId) return;
  throw new MatrixError("M_UNKNOWN", "Nobody takes their own roles away.");
}

/** Throws what keeps somebody from being made an administrator, or none, as things are. */
export async function validateAdmin(
  edges: Needs,
  by: Administrator,
  userId: string,
  isAdmin: boolean,
): Promise<void> {
  const account = await getAccountRow(edges, userId);
  if (account.isAdmin === isAdmin) return;
  if (isAdmin) await grantRole.validate(edges, by, orderOf(userId));
  else assertAnother(by, userId);
}

/**
 * Makes somebody a system-admin, or takes every role away: what tools that know but one
 * kind of administrator mean by it. Takes the permission to grant, whatever the route's is.
 */
export async function setAdmin(
  edges: Needs,
  by: Administrator,
  userId: string,
  isAdmin: boolean,
): Promise<void> {
  const account = await getAccountRow(edges, userId);
  if (account.isAdmin === isAdmin) return;
  await assertMay(edges, by, "roles.grant");
  const granter: Administrator = {
    ...by,
    actor: { ...by.actor, permission: "roles.grant" },
  };
  if (isAdmin) {
    await grantRole(edges, granter, orderOf(userId));
    return;
  }
  assertAnother(by, userId);
  await revokeAllRoles(edges, granter, userId);
}
