import { expect } from "chai";
import { narrow } from "../../../src/domain/admin/can.ts";
import {
  checkCustomRole,
  checkGrant,
  checkRoleChange,
} from "../../../src/domain/admin/grant-rules.ts";
import { judge, type Power } from "../../../src/domain/admin/judge.ts";
import {
  covers,
  PERMISSIONS,
  sideOf,
  type Permission,
  type PermissionName,
} from "../../../src/domain/admin/permissions.ts";
import { BUILT_IN_ROLES, type Role } from "../../../src/domain/admin/roles.ts";

const names = Object.keys(PERMISSIONS) as PermissionName[];

/** The strongest roles that can be made up: each side's all, and each permission alone. */
const CUSTOM: readonly Role[] = [
  ...(["operations", "security", "audit"] as const).map((side) => ({
    roleId: `all-${side}`,
    permissions: names.filter((name) =>
      ["shared", side].includes(PERMISSIONS[name].side),
    ),
  })),
  ...names.map((name) => ({
    roleId: `only-${name.replaceAll(/[.*]/g, "-")}`,
    permissions: [name],
  })),
].map((role) => ({
  ...role,
  description: "",
  side: sideOf(role.permissions)!,
}));

const ROLES = [...BUILT_IN_ROLES.values(), ...CUSTOM];
const KINDS = ["server", "group", "room", "users"] as const;
/** What can be granted that leads as far as anything else would. */
const STRONGEST = [...BUILT_IN_ROLES.values(), ...CUSTOM.slice(0, 3)];

interface Binding {
  role: Role;
  scopeKind: (typeof KINDS)[number];
}

/** Who there is, and what each holds. One person has the use of the accounts in `own`. */
interface World {
  bindings: Readonly<Record<string, readonly Binding[]>>;
  own: readonly string[];
}

const powersOf = (world: World, who: string, of: string): Power[] =>
  (world.bindings[who] ?? []).map(({ role, scopeKind }, i) => ({
    bindingId: i,
    permissions: role.permissions,
    scopeKind,
    scopeId: scopeKind === "server" || scopeKind === "users" ? "" : "x",
    // The scopes of this world hold everybody and every room: nothing is refused by luck.
    isWithin: of !== who || scopeKind === "server",
  }));

const may = (
  world: World,
  who: string,
  permission: Permission,
  resource: { userId?: string } = {},
): boolean =>
  judge({
    permission,
    resource,
    own: powersOf(world, who, resource.userId ?? ""),
    theirs:
      resource.userId === undefined || resource.userId === who
        ? []
        : powersOf(world, resource.userId, ""),
  }) === "allowed";

/** All that a person has by the accounts that they have the use of. */
const held = (world: World): Set<Permission> =>
  new Set(
    world.own.flatMap((who) =>
      (world.bindings[who] ?? []).flatMap(({ role }) => [...role.permissions]),
    ),
  );

const SEIZING: readonly Permission[] = [
  ...(["users.credentials", "users.impersonate", "users.write"] as const),
  ...(["users.sessions.write"] as const),
];

/** Every world that one allowed act leads to. */
function* nextWorlds(world: World): Generator<World> {
  const everybody = [
    ...new Set([...Object.keys(world.bindings), ...world.own]),
  ];
  for (const who of world.own) {
    if (may(world, who, "users.create") && !everybody.includes("@made:test"))
      yield { ...world, own: [...world.own, "@made:test"] };
    for (const userId of everybody) {
      const isSeized =
        !world.own.includes(userId) &&
        SEIZING.some((each) => may(world, who, each, { userId }));
      if (isSeized) yield { ...world, own: [...world.own, userId] };
      if (!may(world, who, "roles.grant")) continue;
      for (const role of STRONGEST) {
        const standing = (world.bindings[userId] ?? []).map((b) => b.role);
        if (standing.includes(role)) continue;
        const verdict = checkGrant({
          ...{ granter: who, userId, role, scopeKind: "server" },
          held: standing,
        });
        if (verdict !== "allowed") continue;
        const binding: Binding = { role, scopeKind: "server" };
        const bindings = {
          ...world.bindings,
          [userId]: [...(world.bindings[userId] ?? []), binding],
        };
        yield { ...world, bindings };
      }
    }
  }
}

const keyOf = ({ bindings, own }: World): string =>
  JSON.stringify([
    [...own].sort(),
    Object.entries(bindings)
      .map(([who, list]) => [
        who,
        list.map(({ role, scopeKind }) => `${role.roleId} ${scopeKind}`).sort(),
      ])
      .sort(),
  ]);

const STEPS = 3;
const MOST_WORLDS = 4000;

/** Permissions beyond the first ones that some sequence of allowed acts leads to. */
function findEscalation(start: World): string | undefined {
  const first = held(start);
  const seen = new Set([keyOf(start)]);
  let level = [start];
  for (let step = 0; step < STEPS && seen.size < MOST_WORLDS; step += 1) {
    const next: World[] = [];
    for (const world of level)
      for (const reached of nextWorlds(world)) {
        const key = keyOf(reached);
        if (seen.has(key)) continue;
        seen.add(key);
        const gained = [...held(reached)].find(
          (each) => ![...first].some((had) => covers(had, each)),
        );
        if (gained !== undefined) return `${gained} by ${key}`;
        if (seen.size < MOST_WORLDS) next.push(reached);
      }
    level = next;
  }
  return undefined;
}

/** Others who hold what there is to be had. */
const OTHERS: World["bindings"] = Object.fromEntries(
  ["system-admin", "security-admin", "auditor", "helpdesk"].map((roleId) => [
    `@${roleId}:test`,
    [{ role: BUILT_IN_ROLES.get(roleId)!, scopeKind: "server" as const }],
  ]),
);

describe("ways from a role to a permission outside of it", () => {
  for (const role of ROLES)
    it(`G2: there are none from ${role.roleId}, within any scope`, () => {
      for (const scopeKind of KINDS) {
        const allowed = checkGrant({
          ...{ granter: "@x:test", userId: "@me:test", held: [] },
          role:
            role.roleId === "owner" ? { ...role, roleId: "an-owner" } : role,
          scopeKind,
        });
        if (allowed !== "allowed") continue;
        const way = findEscalation({
          bindings: { ...OTHERS, "@me:test": [{ role, scopeKind }] },
          own: ["@me:test"],
        });
        expect(way, scopeKind).to.equal(undefined);
      }
    });

  it("G2: there are none from two roles that one person may hold", () => {
    const roles = [...BUILT_IN_ROLES.values()];
    for (const one of roles)
      for (const other of roles.filter((each) => each !== one)) {
        const verdict = checkGrant({
          ...{ granter: "@x:test", userId: "@me:test", role: other },
          ...{ scopeKind: "server", held: [one] },
        });
        if (verdict !== "allowed") continue;
        const list = [one, other].map((role) => ({
          role,
          scopeKind: "server" as const,
        }));
        const way = findEscalation({
          bindings: { ...OTHERS, "@me:test": list },
          own: ["@me:test"],
        });
        expect(way, `${one.roleId} ${other.roleId}`).to.equal(undefined);
      }
  });

  it("finds one where there is one", () => {
    const both: Role = {
      roleId: "both",
      description: "",
      permissions: ["roles.grant", "users.create"],
      side: "operations",
    };
    const way = findEscalation({
      bindings: { "@me:test": [{ role: both, scopeKind: "server" }] },
      own: ["@me:test"],
    });
    expect(way).to.be.a("string");
    expect(checkCustomRole("both", both.permissions)).to.have.property(
      "refused",
    );
  });

  it("G2: nobody makes a role over the sides, or changes one that they hold", () => {
    for (const one of names)
      for (const other of names) {
        const [a, b] = [PERMISSIONS[one].side, PERMISSIONS[other].side];
        const isOne = a === b || a === "shared" || b === "shared";
        const verdict = checkCustomRole("x", [one, other]);
        expect("side" in verdict, `${one} ${other}`).to.equal(isOne);
      }
    const security = { side: "security" } as const;
    const operations = { side: "operations" } as const;
    const change = (holders: string[], after: { side: Role["side"] }) =>
      checkRoleChange("@me:test", security, after, holders);
    expect(change([], operations)).to.equal("allowed");
    expect(change(["@bob:test"], security)).to.equal("allowed");
    expect(change(["@bob:test"], operations)).to.have.property("refused");
    expect(change(["@me:test"], security)).to.have.property("refused");
  });

  it("G2: a token carries no more than its maker has, whatever it names", () => {
    for (const { permissions } of ROLES) {
      const power: Power = {
        bindingId: 1,
        permissions,
        scopeKind: "server",
        scopeId: "",
        isWithin: true,
      };
      const adminToken = { permissions: [...names, "settings.x"] as const };
      const left = narrow(power, { userId: "@a:test" as never, adminToken });
      for (const each of left.permissions)
        expect(permissions.some((had) => covers(had, each))).to.equal(true);
      const one = permissions[0]!;
      const little = narrow(power, {
        userId: "@a:test" as never,
        adminToken: { permissions: [one] },
      });
      expect(little.permissions).to.deep.equal([one]);
    }
  });
});
