/**
 * What a permission is for. A person holds permissions of one side only, besides those
 * that all sides share: who gives power has none to use, and neither writes the log
 * that the third one reads.
 */
export type Side = "shared" | "operations" | "security" | "audit";

/**
 * `D` destroys, or cannot be undone: it may need a second person. `P` reads what people
 * wrote or did: it needs a case and a reason.
 */
export type PermissionClass = "plain" | "D" | "P" | "DP";

export interface PermissionFacts {
  class: PermissionClass;
  side: Side;
  /** What a scope is held against; what is of the server needs the scope of the whole server. */
  on: "server" | "user" | "room";
  /**
   * Gives a hold over an account. Over one that has powers of its own, only who has all
   * of those too may have it.
   */
  isHold?: true;
  says: string;
}

const shared = (says: string): PermissionFacts => ({
  class: "plain",
  side: "shared",
  on: "server",
  says,
});
const security = (
  says: string,
  of: PermissionClass = "plain",
): PermissionFacts => ({ class: of, side: "security", on: "server", says });
const audit = (
  says: string,
  of: PermissionClass = "plain",
): PermissionFacts => ({ class: of, side: "audit", on: "server", says });
const server = (
  says: string,
  of: PermissionClass = "plain",
): PermissionFacts => ({ class: of, side: "operations", on: "server", says });
const room = (
  says: string,
  of: PermissionClass = "plain",
): PermissionFacts => ({ class: of, side: "operations", on: "room", says });
const user = (
  says: string,
  of: PermissionClass = "plain",
): PermissionFacts => ({ class: of, side: "operations", on: "user", says });
const hold = (
  says: string,
  of: PermissionClass = "plain",
): PermissionFacts => ({ ...user(says, of), isHold: true });

/** All that an administrator may be allowed to do. */
export const PERMISSIONS = {
  "server.read": shared("Read the server's version and health."),
  "jobs.read": shared("Read how long tasks get on."),
  "jobs.write": server("Pause, begin and cancel long tasks."),
  "stats.read": server("Read statistics of users, rooms and media."),

  "users.read": user("Read accounts, and which rooms they are in."),
  "users.create": server("Make accounts."),
  "users.write": hold("Change what an account says of itself."),
  "users.credentials": hold("Reset how somebody logs in.", "D"),
  "users.suspend": hold("Suspend an account."),
  "users.lock": hold("Lock an account."),
  "users.deactivate": hold("End an account for good.", "D"),
  "users.erase": hold("End an account and erase what it wrote.", "D"),
  "users.impersonate": hold("Act as another user.", "DP"),
  "users.limits": user("Change somebody's rate limits."),
  "users.content.read": user("Read what an account keeps here.", "P"),
  "users.sessions.read": user("Read from where and when somebody came.", "P"),
  "users.sessions.write": hold("Rename and end sessions."),

  "rooms.read": room("Read a room's state and members."),
  "rooms.content.read": room("Read what is said in a room.", "P"),
  "rooms.block": room("Let nobody join a room."),
  "rooms.delete": room("Delete a room.", "D"),
  "rooms.members.write": room("Bring a user of this server into a room."),
  "rooms.takeover": room("Give somebody the highest power in a room.", "D"),
  "rooms.repair": room("Repair the ends of a room's graph."),
  "aliases.delete": room("Take away a room's alias."),
  "events.redact": room("Redact events.", "D"),
  "retention.purge": room("Purge a room's history.", "D"),

  "media.read": room("List media and what is known of them."),
  "media.quarantine": room("Quarantine and protect media."),
  "media.delete": room("Delete media.", "D"),

  "reports.read": server("Read what was reported.", "P"),
  "reports.write": server("Settle reports."),
  "tokens.read": server("Read registration tokens."),
  "tokens.write": server("Make and change registration tokens."),
  "notices.send": server("Send server notices."),
  "federation.read": server("Read how other servers are reached."),
  "federation.write": server("Have other servers tried anew."),
  "backups.read": server("Read when backups were made."),
  "backups.run": server("Have backups made and proved."),
  "backups.restore": server("Restore a backup.", "D"),
  "settings.read": server("Read the settings."),
  /** Stands for `settings.<key>` with any key. */
  "settings.*": server("Change any setting."),

  "holds.read": server("Read what is held."),
  "holds.write": server("Hold what users and rooms have from destruction."),
  "holds.release": server("Release a hold.", "D"),
  "holds.export": server("Export what is held.", "P"),
  "privacy.read": server("Read requests of persons about their data."),
  "privacy.export": user("Export all data of a person.", "P"),
  "privacy.rectify": hold("Correct a person's data."),
  "privacy.erase": hold("Erase a person's data.", "D"),
  "privacy.consent": server("Read and note consents."),

  "incidents.read": shared("Read incidents, and how long there is to tell."),
  "incidents.write": shared("Open incidents, change and close them."),

  "approvals.read": shared("Read what waits for approval."),
  "approvals.decide": shared("Approve or refuse what another one asks for."),
  "policies.read": shared("Read policies."),
  "policies.write": security("Draft policies and try them."),
  "policies.activate": security("Put policies in force.", "D"),
  "roles.read": shared("Read roles, and who holds them."),
  "roles.write": security("Make and change roles.", "D"),
  "roles.grant": security("Grant and revoke roles.", "D"),
  "groups.read": shared("Read groups, their members, and attributes."),
  "groups.write": security(
    "Change groups, which are scopes of roles, and attributes.",
    "D",
  ),
  "audit.read": audit("Read the audit log.", "P"),
  "audit.export": audit("Export the audit log.", "P"),
  "audit.review": audit("Sign that the audit log was reviewed."),
  "me.tokens": shared("Make tokens for the admin API of one's own rights."),
} as const satisfies Record<string, PermissionFacts>;

export type PermissionName = keyof typeof PERMISSIONS;
export type Permission = PermissionName | `settings.${string}`;

const ANY_SETTING = "settings.*";
const SETTING = /^settings\.[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*$/;

export const isPermission = (name: string): name is Permission =>
  Object.hasOwn(PERMISSIONS, name) || SETTING.test(name);

export const factsOf = (permission: Permission): PermissionFacts =>
  Object.hasOwn(PERMISSIONS, permission)
    ? PERMISSIONS[permission as PermissionName]
    : PERMISSIONS[ANY_SETTING];

/** Whether who holds the one may do what the other one names. */
export const covers = (held: string, wanted: Permission): boolean =>
  held === wanted || (held === ANY_SETTING && SETTING.test(wanted));

/** The one side that these permissions are of; undefined where they are of several. */
export function sideOf(permissions: readonly Permission[]): Side | undefined {
  const sides = new Set(permissions.map((each) => factsOf(each).side));
  sides.delete("shared");
  const [side = "shared", ...others] = sides;
  return others.length === 0 ? side : undefined;
}
