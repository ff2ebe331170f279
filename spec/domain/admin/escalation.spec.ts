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
  factsOf,
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
/**
 * All that a side has. What else could be granted is a part of one of these, and leads
 * nowhere that the whole does not.
 */
const STRONGEST = (["shared", "operations", "security", "audit"] as const).map(
  (side): Role => ({
    roleId: `whole-${side}`,
    description: "",
    permissions: names.filter((name) =>
      ["shared", side].includes(PERMISSIONS[name].side),
    ),
    side,
  }),
);

/** What all sides share is in each of the others. */
const GRANTED = STRONGEST.filter(({ side }) => side !== "shared");

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

/** By a session, or by a token that names all that there is. */
function may(
  world: World,
  who: string,
  permission: Permission,
  resource: { userId?: string } = {},
): boolean {
  const powers = powersOf(world, who, resource.userId ?? "");
  const adminToken = { permissions: names };
  const byToken = powers.map((power) =>
    narrow(power, { userId: who as never, adminToken }),
  );
  const theirs =
    resource.userId === undefined || resource.userId === who
      ? []
      : powersOf(world, resource.userId, "");
  return [powers, byToken].some(
    (own) => judge({ permission, resource, own, theirs }) === "allowed",
  );
}

/** All that a person has by the accounts that they have the use of. */
const held = (world: World): Set<Permission> =>
  new Set(
    world.own.flatMap((who) =>
      (world.bindings[who] ?? []).flatMap(({ role }) => [...role.permissions]),
    ),
  );

/** Whoever has any hold over an account is taken to have the use of it. */
const SEIZING = names.filter((name) => factsOf(name).isHold);

/**
 * Every world that one allowed act leads to. No act waits for a second person here: who
 * approves can do nothing that is not possible without.
 */
function* nextWorlds(world: World): Generator<World> {
  for (const who of world.own) {
    yield* byAccounts(world, who);
    if (may(world, who, "roles.grant")) yield* byGrants(world, who);
    if (may(world, who, "roles.write")) yield* byRoles(world, who);
    if (may(world, who, "groups.write")) yield* byGroups(world);
  }
}

const everybodyIn = (world: World): string[] => [
  ...new Set([...Object.keys(world.bindings), ...world.own]),
];

function* byAccounts(world: World, who: string): Generator<World> {
  const { own } = world;
  const everybody = everybodyIn(world);
  if (may(world, who, "users.create") && !everybody.includes("@made:test"))
    yield { ...world, own: [...own, "@made:test"] };
  for (const userId of everybody) {
    const isSeized =
      !own.includes(userId) &&
      SEIZING.some((each) => may(world, who, each, { userId }));
    if (isSeized) yield { ...world, own: [...own, userId] };
  }
}

function* byGrants(world: World, who: string): Generator<World> {
  for (const userId of everybodyIn(world)) {
    const standing = world.bindings[userId] ?? [];
    const become = (list: readonly Binding[]): World => ({
      ...world,
      bindings: { ...world.bindings, [userId]: list },
    });
    // Who holds less is easier to seize.
    if (userId !== who)
      for (const revoked of standing)
        yield become(standing.filter((each) => each !== revoked));
    const roles = standing.map(({ role }) => role);
    for (const role of GRANTED) {
      if (roles.includes(role)) continue;
      const verdict = checkGrant({
        ...{ granter: who, userId, role, scopeKind: "server" },
        held: roles,
      });
      if (verdict === "allowed")
        yield become([...standing, { role, scopeKind: "server" }]);
    }
  }
}

/** Roles that somebody made up are made as strong as their side lets them be. */
function* byRoles(world: World, who: string): Generator<World> {
  const bound = Object.entries(world.bindings);
  const roles = new Set(bound.flatMap(([, list]) => list.map((b) => b.role)));
  for (const role of roles) {
    const widest = STRONGEST.find(({ side }) => side === role.side)!;
    if (BUILT_IN_ROLES.has(role.roleId) || role === widest) continue;
    const holders = bound.flatMap(([userId, list]) =>
      list.some((each) => each.role === role) ? userId : [],
    );
    if (checkRoleChange(who, role, widest, holders) !== "allowed") continue;
    const changed = bound.map(([userId, list]) => [
      userId,
      list.map((each) =>
        each.role === role ? { ...each, role: widest } : each,
      ),
    ]);
    yield { ...world, bindings: Object.fromEntries(changed) };
  }
}

/** With a group go the bindings that it is the scope of; who is in one counts for nothing here. */
function* byGroups(world: World): Generator<World> {
  const left = Object.entries(world.bindings).map(([userId, list]) => [
    userId,
    list.filter(({ scopeKind }) => scopeKind !== "group"),
  ]);
  yield { ...world, bindings: Object.fromEntries(left) };
}

const keyOf = ({ bindings, own }: World): string =>
  JSON.stringify([
    [...own].sort(),
    Object.entries(bindings)
      .map(([who, list]) => [
        who,
        list.map(({ role, scopeKind }) => `${role.roleId} ${scopeKind}`).sort(),
      ])
      .filter(([, list]) => list!.length > 0)
      .sort(),
  ]);

const MOST_WORLDS = 20_000;

/** Every world that some sequence of allowed acts leads to, however long it is. */
function* reachableFrom(start: World): Generator<World> {
  const seen = new Set([keyOf(start)]);
  const open = [start];
  for (const world of open)
    for (const reached of nextWorlds(world)) {
      const key = keyOf(reached);
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > MOST_WORLDS)
        throw new RangeError("There are too many worlds to look at all.");
      yield reached;
      open.push(reached);
    }
}

/** Permissions beyond the first ones that one of them has. */
function findEscalation(start: World): string | undefined {
  const first = [...held(start)];
  for (const world of reachableFrom(start)) {
    const gained = [...held(world)].find(
      (each) => !first.some((had) => covers(had, each)),
    );
    if (gained !== undefined) return `${gained} by ${keyOf(world)}`;
  }
  return undefined;
}

const bindingOf = (
  roleId: string,
  scopeKind: Binding["scopeKind"] = "server",
): Binding => ({ role: BUILT_IN_ROLES.get(roleId)!, scopeKind });

/** Others who hold what there is to be had. */
const OTHERS: World["bindings"] = {
  "@system-admin:test": [bindingOf("system-admin")],
  "@security-admin:test": [bindingOf("security-admin")],
  "@auditor:test": [bindingOf("auditor")],
  "@of-a-group:test": [bindingOf("user-manager", "group")],
};

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

  const inventRole = (
    roleId: string,
    side: Role["side"],
    ...permissions: Permission[]
  ): Role => ({ roleId, description: "", permissions, side });
  const ofServer = (role: Role): Binding[] => [{ role, scopeKind: "server" }];
  const maker = inventRole("maker", "security", "roles.write");
  const opener = inventRole("opener", "operations", "users.write");
  const looker = inventRole("looker", "operations", "rooms.read");
  const grouper = inventRole("grouper", "security", "groups.write");
  const revoker = inventRole("revoker", "security", "roles.grant");
  const { "@of-a-group:test": ofGroup = [] } = OTHERS;

  /** What no one person can be by these rules. */
  const ways: Readonly<Record<string, World["bindings"]>> = {
    "who grants to an account that they make": {
      "@me:test": ofServer(
        inventRole("both", "operations", "roles.grant", "users.create"),
      ),
    },
    "who makes a role stronger that their other account holds": {
      "@me:test": ofServer(maker),
      "@too:test": ofServer(looker),
    },
  };
  for (const [name, bindings] of Object.entries(ways))
    it(`finds one for ${name}`, () => {
      const own = ["@me:test", "@too:test"];
      expect(findEscalation({ own, bindings })).to.be.a("string");
    });

  for (const [name, first, bob] of [
    ["takes away the group that its power is within", grouper, ofGroup],
    ["revokes the role that it has", revoker, [bindingOf("auditor")]],
  ] as const)
    it(`finds the way to an account for who ${name}`, () => {
      const world = (bindings: World["bindings"]): World => ({
        own: ["@me:test", "@too:test"],
        bindings: { ...bindings, "@bob:test": bob },
      });
      const seizes = (start: World) => {
        for (const { own } of reachableFrom(start))
          if (own.includes("@bob:test")) return true;
        return false;
      };
      const opens = { "@too:test": ofServer(opener) };
      expect(seizes(world(opens))).to.equal(false);
      expect(seizes(world({ ...opens, "@me:test": ofServer(first) }))).to.equal(
        true,
      );
    });

  it("looks at every hold over an account, and at all worlds or fails", () => {
    expect(SEIZING).to.include.members([
      ...["privacy.rectify", "users.lock", "users.credentials"],
    ]);
    for (const permission of SEIZING) {
      const role = inventRole("one", "operations", permission);
      const world: World = {
        own: ["@me:test"],
        bindings: { "@me:test": ofServer(role), "@bob:test": [] },
      };
      const reached = [...nextWorlds(world)].map(({ own }) => own);
      expect(reached, permission).to.deep.include(["@me:test", "@bob:test"]);
    }
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
