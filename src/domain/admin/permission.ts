import type { UserId } from "../../core/ids.ts";
import type { ClientOrigin, Requester } from "../accounts/requester.ts";

/** What an administrator may be allowed to do. */
export type Permission =
  | "aliases.delete"
  | "users.create"
  | "users.read"
  | "users.suspend"
  | "users.lock";

/** Whom an audit record names: an administrator acting by one permission. */
export interface Actor extends ClientOrigin {
  userId: UserId;
  deviceId: string;
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
) => Promise<boolean>;

/** Administrators may do everything, others nothing. */
export const canByFlag: Can = async ({ isAdmin }) => isAdmin;
