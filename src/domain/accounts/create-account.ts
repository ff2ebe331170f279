import type { JsonObject } from "../../core/json.ts";
import type { WriteRows } from "../../storage/write.ts";
import { auditRecord } from "../admin/audit-record.ts";
import type { OpenedSession, SessionWish } from "./open-session.ts";
import { registerAccount, type RegisterEdges } from "./register.ts";

/** An account that somebody with power makes for another. */
export interface AccountOrder {
  localpart: string;
  /** Null for an account that cannot log in by password. */
  password: string | null;
  /** Whether it is to run the server. */
  isAdmin: boolean;
  displayName?: string;
  /** What it is, where it is no person's own. */
  userType?: string;
  /** Who makes it: a user id, `command line`, `shared secret`. */
  actor: string;
  requestId?: string;
  /** What its record says besides. */
  details?: JsonObject;
  /** What commits with it. */
  rows?: Partial<WriteRows>;
}

/** Makes an account as an act of power: recorded in the same commit. */
export function createAccount(
  edges: RegisterEdges,
  order: AccountOrder,
  wish: SessionWish | null,
): Promise<OpenedSession | { userId: string }> {
  const { actor, requestId, isAdmin, details, ...account } = order;
  const record = auditRecord(
    {
      act: "users.create",
      actor,
      target: `@${order.localpart}:${edges.settings.serverName}`,
      details: { is_admin: isAdmin, ...details },
      ...(requestId !== undefined && { requestId }),
    },
    edges.now(),
  );
  const made = {
    ...account,
    ...(isAdmin && { systemAdminBy: actor }),
    audit: [record],
  };
  return registerAccount(edges, made, wish);
}
