import { factsOf, sideOf, type Permission, type Side } from "./permissions.ts";
import { BUILT_IN_ROLES, OWNER, type Role } from "./roles.ts";
import type { ScopeKind } from "../../storage/write.ts";

/** Why something is refused, for who asked for it. */
export type Refusal = { refused: string };

export interface Grant {
  /** Who grants; undefined for the command line. */
  granter: string | undefined;
  userId: string;
  role: Role;
  scopeKind: ScopeKind;
  /** What the user holds by now. */
  held: readonly Pick<Role, "roleId" | "side">[];
}

/** Holds a grant against the separation of duties. */
export function checkGrant(grant: Grant): "allowed" | Refusal {
  const { granter, userId, role, scopeKind, held } = grant;
  if (granter === userId) return refuse("Nobody grants themselves anything.");
  if (granter !== undefined && role.roleId === OWNER)
    return refuse("An owner is made on the command line alone.");
  if (!isOfUse(role.permissions, scopeKind))
    return refuse("This role gives nothing within a scope of this kind.");
  const other = held.find(({ side }) => areApart(side, role.side));
  return other
    ? refuse(
        `Whoever is ${other.roleId} cannot be ${role.roleId}: running the server, deciding who may, and reading what was done are for different people.`,
      )
    : "allowed";
}

/** Holds a role that somebody makes up against the same. */
export function checkCustomRole(
  roleId: string,
  permissions: readonly Permission[],
): Refusal | { side: Side } {
  if (BUILT_IN_ROLES.has(roleId))
    return refuse("There is a built-in role of this name.");
  const side = sideOf(permissions);
  return side === undefined
    ? refuse(
        "One role cannot hold permissions to run the server, to decide who may, and to read what was done.",
      )
    : { side };
}

/** Holds a change of a role against who holds it. */
export function checkRoleChange(
  changer: string,
  before: Pick<Role, "side">,
  after: Pick<Role, "side">,
  holders: readonly string[],
): "allowed" | Refusal {
  if (holders.includes(changer))
    return refuse("Nobody changes a role that they hold.");
  if (holders.length > 0 && before.side !== after.side)
    return refuse("While somebody holds this role, it stays on its side.");
  return "allowed";
}

const refuse = (refused: string): Refusal => ({ refused });

/** What all sides share keeps nobody from any of them. */
const areApart = (one: Side, other: Side): boolean =>
  one !== other && one !== "shared" && other !== "shared";

/** Whether some of the permissions count within such a scope. */
function isOfUse(
  permissions: readonly Permission[],
  scopeKind: ScopeKind,
): boolean {
  if (scopeKind === "server") return true;
  const on = scopeKind === "room" || scopeKind === "space" ? "room" : "user";
  return permissions.some((each) => factsOf(each).on === on);
}
