import { MatrixError } from "../../../core/errors.ts";
import { listPowers } from "../../../storage/authority.ts";
import { grantRole, revokeRole } from "../bindings.ts";
import type { Administrator } from "../change-authority.ts";
import { SYSTEM_ADMIN } from "../roles.ts";
import { getAccountRow } from "./account.ts";
import { assertMay } from "./act.ts";

type Needs = Parameters<typeof grantRole>[0];

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
    await grantRole(edges, granter, {
      userId,
      roleId: SYSTEM_ADMIN,
      scope: { kind: "server" },
      expiresTs: null,
      reason: "made an administrator by the admin API",
    });
    return;
  }
  if (userId === by.requester.userId)
    throw new MatrixError("M_UNKNOWN", "Nobody takes their own roles away.");
  // One after the other: each is decided on what the one before left.
  for (const { bindingId } of await listPowers(edges.db, [userId]))
    await revokeRole(edges, granter, bindingId);
}
