import type { UserId } from "../../core/ids.ts";
import type { PolicyDecision } from "../../core/policy/decide.ts";
import type { ClientOrigin, Requester } from "../accounts/requester.ts";
import type { Permission } from "./permissions.ts";

/** Whom an audit record names: an administrator acting by one permission. */
export interface Actor extends ClientOrigin {
  userId: UserId;
  deviceId: string;
  /** The token of the admin API that was used in place of a session. */
  adminTokenId?: number;
  permission: Permission;
  requestId: string;
}

/** What an act touches; empty means the whole server. */
export interface Resource {
  userId?: string;
  roomId?: string;
}

export type Can = (
  requester: Requester,
  permission: Permission,
  resource: Resource,
) => Promise<Verdict>;

/** What stands against it: no role gives it, whom it is about has more power, or a policy. */
export type RefusedBy =
  { by: "role" | "target" } | { by: "policy"; decision: PolicyDecision };

export type Verdict = {
  /** What who asks holds at this moment, of use here or not. */
  roles: readonly string[];
} & ({ isAllowed: true } | ({ isAllowed: false } & RefusedBy));
