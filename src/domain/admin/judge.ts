import type { PowerRow } from "../../storage/authority.ts";
import type { Resource } from "./permission.ts";
import { covers, factsOf, type Permission } from "./permissions.ts";
import { permissionsOf } from "./roles.ts";

/** A binding and what it gives to who asks. */
export type Power = Pick<
  PowerRow,
  "bindingId" | "scopeKind" | "scopeId" | "isWithin"
> & { permissions: readonly Permission[] };

export const powerOf = (row: PowerRow): Power => ({
  bindingId: row.bindingId,
  scopeKind: row.scopeKind,
  scopeId: row.scopeId,
  isWithin: row.isWithin,
  permissions: permissionsOf(row),
});

export interface Question {
  permission: Permission;
  resource: Resource;
  /** What who asks holds. */
  own: readonly Power[];
  /** What the user holds whom it is about, where that is another one. */
  theirs: readonly Power[];
}

/**
 * What the bindings say by themselves: `outranked` where whom it is about has powers that
 * who asks lacks. Where spaces are named, it depends on whether the room is in one of them.
 */
export type Judgement =
  "allowed" | "refused" | "outranked" | { spaces: readonly string[] };

export function judge(question: Question): Judgement {
  const { permission, own, theirs } = question;
  const { on, isHold } = factsOf(permission);
  const held = own.filter(({ permissions }) =>
    permissions.some((each) => covers(each, permission)),
  );
  if (held.some((power) => isInScope(power, on))) {
    const isOutranked =
      isHold && !theirs.every((power) => isCovered(power, own));
    return isOutranked ? "outranked" : "allowed";
  }
  const spaces = held.flatMap(({ scopeKind, scopeId }) =>
    on === "room" && scopeKind === "space" ? [scopeId] : [],
  );
  const isOfRoom = question.resource.roomId !== undefined;
  return isOfRoom && spaces.length > 0 ? { spaces } : "refused";
}

/** A scope counts for what it is of: a room says nothing of the users in it. */
function isInScope(
  { scopeKind, isWithin }: Power,
  on: "server" | "user" | "room",
): boolean {
  switch (scopeKind) {
    case "server":
      return true;
    case "group":
    case "users":
      return on === "user" && isWithin;
    case "room":
    case "space":
      return on === "room" && isWithin;
  }
}

/** Whether all that a binding gives is held here too, within that scope at least. */
const isCovered = (power: Power, own: readonly Power[]): boolean =>
  power.permissions.every((permission) =>
    own.some(
      ({ permissions, scopeKind, scopeId }) =>
        permissions.some((each) => covers(each, permission)) &&
        (scopeKind === "server" ||
          (scopeKind !== "users" &&
            scopeKind === power.scopeKind &&
            scopeId === power.scopeId)),
    ),
  );
