import type { CustomRoleRow, PowerRow } from "../../storage/authority.ts";
import {
  isPermission,
  PERMISSIONS,
  sideOf,
  type Permission,
  type PermissionName,
  type Side,
} from "./permissions.ts";

export interface Role {
  roleId: string;
  description: string;
  permissions: readonly Permission[];
  side: Side;
}

/** What whoever has any role may do. */
const COMMON: readonly Permission[] = ["server.read", "me.tokens"];
const APPROVING: readonly Permission[] = ["approvals.read", "approvals.decide"];

/** Whose they are by themselves: what is held is destroyed by nobody who runs the server. */
const OF_OFFICERS = /^(?:holds|privacy)\./;

const HANDLING: readonly Permission[] = ["incidents.read", "incidents.write"];

const operating = (Object.keys(PERMISSIONS) as PermissionName[]).filter(
  (name) => PERMISSIONS[name].side === "operations" && !OF_OFFICERS.test(name),
);

const define = (
  roleId: string,
  description: string,
  ...permissions: readonly (readonly Permission[])[]
): Role => {
  const list = [...new Set([...COMMON, ...permissions.flat()])].sort();
  const side = sideOf(list);
  if (side === undefined) throw new TypeError(`${roleId} is of several sides.`);
  return { roleId, description, permissions: list, side };
};

const GRANTING: readonly Permission[] = [
  ...(["roles.read", "roles.grant", "roles.write"] as const),
  ...(["groups.read", "groups.write"] as const),
];

const list: readonly Role[] = [
  define(
    "owner",
    "Grants the first roles; made on the command line, gone when the set-up is.",
    GRANTING,
  ),
  define(
    "system-admin",
    "Runs the server: accounts, rooms, media, settings, backups.",
    operating,
    HANDLING,
    [...APPROVING, "jobs.read", "policies.read", "roles.read", "groups.read"],
  ),
  define(
    "security-admin",
    "Decides who may do what, and may do nothing of it.",
    GRANTING,
    HANDLING,
    [...APPROVING, "policies.read", "policies.write", "policies.activate"],
  ),
  define("auditor", "Reads what was done, and changes nothing.", [
    ...(["audit.read", "audit.export", "audit.review"] as const),
    ...(["roles.read", "groups.read", "policies.read"] as const),
    ...(["approvals.read", "jobs.read", "incidents.read"] as const),
  ]),
  define("user-manager", "Makes, changes and ends accounts.", APPROVING, [
    ...(["users.read", "users.create", "users.write"] as const),
    ...(["users.credentials", "users.suspend", "users.lock"] as const),
    ...(["users.deactivate", "users.limits", "groups.read"] as const),
    ...(["users.sessions.read", "users.sessions.write"] as const),
    ...(["tokens.read", "tokens.write"] as const),
  ]),
  define("helpdesk", "Helps people to log in.", [
    ...(["users.read", "users.credentials", "users.lock"] as const),
    ...(["users.sessions.read", "users.sessions.write"] as const),
  ]),
  define("room-moderator", "Keeps rooms in order.", [
    ...(["rooms.read", "rooms.block", "rooms.members.write"] as const),
    ...(["aliases.delete", "events.redact", "media.read"] as const),
    ...(["media.quarantine", "reports.read", "reports.write"] as const),
  ]),
  define("compliance-officer", "Holds and exports what may be needed.", [
    ...APPROVING,
    ...(["holds.read", "holds.write", "holds.release"] as const),
    ...(["holds.export", "users.read", "users.content.read"] as const),
    ...(["users.sessions.read", "rooms.read", "rooms.content.read"] as const),
    ...(["media.read", "reports.read", "jobs.read"] as const),
  ]),
  define("privacy-officer", "Answers what people ask of their own data.", [
    ...APPROVING,
    ...(["privacy.read", "privacy.export", "privacy.rectify"] as const),
    ...(["privacy.erase", "privacy.consent", "users.read"] as const),
    ...(["users.erase", "jobs.read", "settings.read"] as const),
    ...HANDLING,
  ]),
  define("federation-manager", "Sees to the ways to other servers.", [
    ...(["federation.read", "federation.write"] as const),
  ]),
  define("backup-operator", "Has backups made, and reads none.", [
    ...(["backups.read", "backups.run", "jobs.read"] as const),
  ]),
];

/** The roles that every server has. */
export const BUILT_IN_ROLES: ReadonlyMap<string, Role> = new Map(
  list.map((role) => [role.roleId, role]),
);

export const OWNER = "owner";
export const SYSTEM_ADMIN = "system-admin";
export const SECURITY_ADMIN = "security-admin";

/** A custom role as it counts: a permission that this program does not know is none. */
export const customRole = (row: CustomRoleRow): Role => ({
  roleId: row.roleId,
  description: row.description,
  permissions: row.permissions.filter(isPermission),
  side: row.side,
});

/** What a binding gives at this moment. */
export const permissionsOf = ({
  roleId,
  permissions,
}: Pick<PowerRow, "roleId" | "permissions">): readonly Permission[] =>
  BUILT_IN_ROLES.get(roleId)?.permissions ??
  permissions?.filter(isPermission) ??
  [];
