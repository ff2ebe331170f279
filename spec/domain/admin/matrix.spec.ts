import { expect } from "chai";
import { judge, type Power } from "../../../src/domain/admin/judge.ts";
import {
  factsOf,
  PERMISSIONS,
  type Permission,
  type PermissionName,
} from "../../../src/domain/admin/permissions.ts";
import { BUILT_IN_ROLES } from "../../../src/domain/admin/roles.ts";

const names = Object.keys(PERMISSIONS) as PermissionName[];

/** What each role may do, named one by one: what changes in the program changes here. */
const DECLARED: Readonly<Record<string, string>> = {
  owner:
    "groups.read groups.write me.tokens roles.grant roles.read roles.write server.read",
  "system-admin":
    "aliases.delete approvals.decide approvals.read backups.read backups.restore backups.run events.redact federation.read federation.write groups.read incidents.read incidents.write jobs.read jobs.write me.tokens media.delete media.quarantine media.read notices.send policies.read reports.read reports.write retention.purge roles.read rooms.block rooms.content.read rooms.delete rooms.members.write rooms.read rooms.repair rooms.takeover server.read settings.* settings.read stats.read tokens.read tokens.write users.content.read users.create users.credentials users.deactivate users.erase users.impersonate users.limits users.lock users.read users.sessions.read users.sessions.write users.suspend users.write",
  "security-admin":
    "approvals.decide approvals.read groups.read groups.write incidents.read incidents.write me.tokens policies.activate policies.read policies.write roles.grant roles.read roles.write server.read",
  auditor:
    "approvals.read audit.export audit.read audit.review groups.read incidents.read jobs.read me.tokens policies.read roles.read server.read",
  "user-manager":
    "approvals.decide approvals.read groups.read me.tokens server.read tokens.read tokens.write users.create users.credentials users.deactivate users.limits users.lock users.read users.sessions.read users.sessions.write users.suspend users.write",
  helpdesk:
    "me.tokens server.read users.credentials users.lock users.read users.sessions.read users.sessions.write",
  "room-moderator":
    "aliases.delete events.redact me.tokens media.quarantine media.read reports.read reports.write rooms.block rooms.members.write rooms.read server.read",
  "compliance-officer":
    "approvals.decide approvals.read holds.export holds.read holds.release holds.write jobs.read me.tokens media.read reports.read rooms.content.read rooms.read server.read users.content.read users.read users.sessions.read",
  "privacy-officer":
    "approvals.decide approvals.read incidents.read incidents.write jobs.read me.tokens privacy.consent privacy.erase privacy.export privacy.read privacy.rectify server.read settings.read users.erase users.read",
  "federation-manager":
    "federation.read federation.write me.tokens server.read",
  "backup-operator": "backups.read backups.run jobs.read me.tokens server.read",
};

/** Where a permission counts within a scope that holds what is asked for. */
const COUNTS: Readonly<Record<string, readonly string[]>> = {
  server: ["server", "user", "room"],
  group: ["user"],
  users: ["user"],
  room: ["room"],
  space: ["room"],
};

const power = (
  permissions: readonly Permission[],
  scopeKind: string,
  isWithin: boolean,
): Power => ({
  bindingId: 1,
  permissions,
  scopeKind: scopeKind as Power["scopeKind"],
  scopeId: scopeKind === "server" || scopeKind === "users" ? "" : "x",
  isWithin: scopeKind === "server" || isWithin,
});

const resourceOf = (permission: Permission) => {
  const { on } = factsOf(permission);
  if (on === "server") return {};
  return on === "user" ? { userId: "@bob:test" } : { roomId: "!room" };
};

describe("the matrix of roles, permissions and scopes", () => {
  it("has the declared roles, and every permission in one of them", () => {
    expect([...BUILT_IN_ROLES.keys()]).to.deep.equal(Object.keys(DECLARED));
    const all = new Set(Object.values(DECLARED).flatMap((s) => s.split(" ")));
    expect(names.filter((name) => !all.has(name))).to.deep.equal([]);
  });

  for (const [roleId, declared] of Object.entries(DECLARED)) {
    it(`G2: ${roleId} may what is declared, within its scope, and nothing else`, () => {
      const { permissions } = BUILT_IN_ROLES.get(roleId)!;
      const may = new Set(declared.split(" "));
      for (const permission of names)
        for (const kind of Object.keys(COUNTS))
          for (const isWithin of [true, false]) {
            const own = [power(permissions, kind, isWithin)];
            const resource = resourceOf(permission);
            const verdict = judge({ permission, resource, own, theirs: [] });
            const counts = COUNTS[kind]!.includes(factsOf(permission).on);
            const expected = may.has(permission) && counts && own[0]!.isWithin;
            const label = `${permission} within ${kind}, ${String(isWithin)}`;
            expect(verdict === "allowed", label).to.equal(expected);
            // Whether a room is in a space is asked of the space and the room.
            if (kind !== "space" && !expected)
              expect(verdict, label).to.equal("refused");
          }
    });
  }

  it("G2: who grants holds nothing of what is granted", () => {
    const ofGranter = BUILT_IN_ROLES.get("security-admin")!.permissions;
    for (const [roleId, { permissions, side }] of BUILT_IN_ROLES) {
      if (side === "security") continue;
      const both = permissions.filter((each) => ofGranter.includes(each));
      const sides = new Set(both.map((each) => factsOf(each).side));
      expect([...sides], roleId).to.deep.equal(["shared"]);
    }
  });

  it("G2: one who has no binding may nothing", () => {
    for (const permission of names)
      for (const resource of [{}, { userId: "@b:test" }, { roomId: "!r" }]) {
        const question = { permission, resource, own: [], theirs: [] };
        expect(judge(question)).to.equal("refused");
      }
  });

  it("G2: nobody has a hold over an account with powers that they have not", () => {
    const holds = names.filter((name) => factsOf(name).isHold);
    expect(holds).to.include.members([
      ...["users.credentials", "users.impersonate", "users.write"],
      ...["users.sessions.write", "users.deactivate", "privacy.rectify"],
    ]);
    for (const [roleId, { permissions }] of BUILT_IN_ROLES)
      for (const [otherId, other] of BUILT_IN_ROLES) {
        const isLess = other.permissions.every((each) =>
          permissions.includes(each),
        );
        for (const permission of permissions.filter((each) =>
          (holds as Permission[]).includes(each),
        )) {
          const verdict = judge({
            permission,
            resource: { userId: "@bob:test" },
            own: [power(permissions, "server", true)],
            theirs: [power(other.permissions, "server", true)],
          });
          const label = `${roleId} ${permission} ${otherId}`;
          expect(verdict, label).to.equal(isLess ? "allowed" : "outranked");
          const scoped = judge({
            permission,
            resource: { userId: "@bob:test" },
            own: [power(permissions, "group", true)],
            theirs: [power(other.permissions, "server", true)],
          });
          expect(scoped, label).to.equal("outranked");
        }
      }
  });
});
