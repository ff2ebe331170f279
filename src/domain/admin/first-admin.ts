import type { Edges } from "../../edges.ts";
import type { WriteRows } from "../../storage/write.ts";
import { SYSTEM_ADMIN } from "./roles.ts";

/** What an account holds that was made to run the server. */
export async function systemAdminRow(
  { nids, now }: Pick<Edges, "nids" | "now">,
  userId: string,
  grantedBy: string,
): Promise<WriteRows["roleBindings"][number]> {
  const [bindingId] = await nids.take(1);
  return {
    bindingId: bindingId!,
    userId,
    roleId: SYSTEM_ADMIN,
    scopeKind: "server",
    scopeId: "",
    users: [],
    expiresTs: null,
    reason: "made as an administrator's account",
    grantedBy,
    grantedTs: now(),
  };
}
