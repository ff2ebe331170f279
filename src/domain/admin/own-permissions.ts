import type { Edges } from "../../edges.ts";
import { listPowers, type PowerRow } from "../../storage/authority.ts";
import type { Requester } from "../accounts/requester.ts";
import { narrow } from "./can.ts";
import { powerOf } from "./judge.ts";
import type { Permission } from "./permissions.ts";

export interface OwnPower extends Pick<
  PowerRow,
  "roleId" | "scopeKind" | "scopeId" | "expiresTs"
> {
  permissions: readonly Permission[];
}

/** What who asks may do at this moment, and within which scope. */
export async function listOwnPowers(
  { db }: Pick<Edges, "db">,
  requester: Requester,
): Promise<OwnPower[]> {
  const rows = await listPowers(db, [requester.userId]);
  return rows.map(({ roleId, scopeKind, scopeId, expiresTs, ...row }) => {
    const power = powerOf({ roleId, scopeKind, scopeId, expiresTs, ...row });
    const { permissions } = narrow(power, requester);
    return { roleId, scopeKind, scopeId, expiresTs, permissions };
  });
}
