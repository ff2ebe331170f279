import { MatrixError } from "../../core/errors.ts";
import { isRoomId, isUserId, serverNameOf } from "../../core/ids.ts";
import type { Edges } from "../../edges.ts";
import {
  findBinding,
  findCustomRole,
  listBindings,
  listPowers,
  type AuthorityRow,
  type BindingRow,
  type BindingSearch,
} from "../../storage/authority.ts";
import { hasGroup } from "../../storage/user-groups.ts";
import { findUser } from "../../storage/users.ts";
import type { ScopeKind } from "../../storage/write.ts";
import { findRoomIdentity } from "../rooms/room-identity.ts";
import {
  authorityAct,
  changeAuthority,
  noAccount,
  type AuthorityEdges,
} from "./change-authority.ts";
import { notAllowed } from "./refusal.ts";
import { checkGrant } from "./grant-rules.ts";
import { isName } from "./names.ts";
import {
  BUILT_IN_ROLES,
  customRole,
  OWNER,
  permissionsOf,
  SECURITY_ADMIN,
  type Role,
} from "./roles.ts";
import { sideOf } from "./permissions.ts";

export interface Scope {
  kind: ScopeKind;
  /** A group, a space or a room. */
  id?: string;
  /** Of the scope `users`. */
  users?: readonly string[];
}

export interface GrantOrder {
  userId: string;
  roleId: string;
  scope: Scope;
  expiresTs: number | null;
  reason: string;
}

type GrantEdges = AuthorityEdges & Pick<Edges, "settings">;

/** Gives somebody a role within a scope; answers the binding's number. */
export const grantRole = authorityAct(
  (at, edges: GrantEdges, by, order: GrantOrder) =>
    decideGrant(edges, by.requester.userId, order, at),
);

/** Makes an owner, who grants the first roles, as long as none were granted. */
export function makeOwner(edges: GrantEdges, userId: string): Promise<number> {
  return changeAuthority(edges, "command line", async (at) => {
    if (at.isSealed) {
      throw new MatrixError(
        "M_FORBIDDEN",
        "The set-up is over: a security-admin and a system-admin have been granted, and they alone grant and run now.",
      );
    }
    const reason = "made on the command line";
    const scope: Scope = { kind: "server" };
    const order = { userId, roleId: OWNER, scope, expiresTs: null, reason };
    return decideGrant(edges, undefined, order, at);
  });
}

async function decideGrant(
  edges: GrantEdges,
  granter: string | undefined,
  order: GrantOrder,
  { nowTs }: AuthorityRow,
) {
  const { userId, roleId, scope, expiresTs, reason } = order;
  if (expiresTs !== null && expiresTs <= nowTs)
    throw new MatrixError("M_INVALID_PARAM", "That time is over.");
  const user = isUserId(userId) ? await findUser(edges.db, userId) : undefined;
  if (!user || user.isDeactivated || user.isGuest) throw noAccount();
  const role = await getRole(edges, roleId);
  const target = await checkScope(edges, scope);
  const verdict = checkGrant({
    granter,
    userId,
    role,
    scopeKind: scope.kind,
    held: await listHeld(edges, userId),
  });
  if (verdict !== "allowed") throw notAllowed("roles.grant", verdict.refused);
  const [bindingId] = await edges.nids.take(1);
  const row = {
    bindingId: bindingId!,
    userId,
    roleId,
    ...target,
    expiresTs,
    reason,
    grantedBy: granter ?? "command line",
    grantedTs: edges.now(),
  };
  return {
    rows: { roleBindings: [row] },
    users: [userId],
    act: {
      act: "roles.grant" as const,
      target: userId,
      reason,
      details: {
        binding: bindingId!,
        role: roleId,
        // The others of its scope are named by the binding; each name has a key of its own.
        scope: {
          kind: scope.kind,
          id: target.scopeId,
          users: target.users.length,
        },
        expires_ts: expiresTs,
      },
    },
    answer: bindingId!,
  };
}

/** Which roles somebody holds, each with the side that it is on. */
async function listHeld(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<Pick<Role, "roleId" | "side">[]> {
  const rows = await listPowers(db, [userId]);
  return rows.map((row) => ({
    roleId: row.roleId,
    side: sideOf(permissionsOf(row)) ?? "shared",
  }));
}

/** @throws MatrixError M_NOT_FOUND */
async function getRole(
  { db }: Pick<Edges, "db">,
  roleId: string,
): Promise<Role> {
  const builtIn = BUILT_IN_ROLES.get(roleId);
  if (builtIn) return builtIn;
  const row = await findCustomRole(db, roleId);
  if (row) return customRole(row);
  throw new MatrixError("M_NOT_FOUND", "There is no such role.");
}

const needs = (what: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", `A scope of this kind needs ${what}.`);

/** The scope as it is stored; what it names must be there. */
async function checkScope(
  edges: GrantEdges,
  { kind, id = "", users = [] }: Scope,
): Promise<{ scopeKind: ScopeKind; scopeId: string; users: string[] }> {
  const named = [...new Set(users)];
  if (kind !== "users" && named.length > 0) throw needs("no users");
  switch (kind) {
    case "server":
      if (id !== "") throw needs("no id");
      break;
    case "group":
      if (!isName(id) || !(await hasGroup(edges.db, id)))
        throw needs("a group that is there");
      break;
    case "room":
    case "space":
      // An alias may lead to another room tomorrow.
      if (!isRoomId(id) || !(await findRoomIdentity(edges, id)))
        throw needs("the id of a room that is known here");
      break;
    case "users": {
      const { serverName } = edges.settings;
      const areOurs = named.every(
        (each) => isUserId(each) && serverNameOf(each) === serverName,
      );
      if (id !== "" || named.length === 0 || !areOurs)
        throw needs("user ids of this server");
    }
  }
  return { scopeKind: kind, scopeId: id, users: named };
}

/** Takes a role away from somebody. */
export const revokeRole = authorityAct<AuthorityEdges, [number], undefined>(
  async ({ isSealed }, edges, _by, bindingId) => {
    const binding = await findBinding(edges.db, bindingId);
    if (!binding)
      throw new MatrixError("M_NOT_FOUND", "There is no such binding.");
    const { userId, roleId, scopeKind, scopeId } = binding;
    if (isSealed) await assertGranterStays(edges, [binding]);
    return {
      rows: { removedRoleBindings: [{ bindingId }] },
      act: {
        act: "roles.grant" as const,
        target: userId,
        before: {
          binding: bindingId,
          role: roleId,
          scope: { kind: scopeKind, id: scopeId },
        },
      },
      answer: undefined,
    };
  },
);

/** Takes every role away that somebody holds, in one commit. */
export const revokeAllRoles = authorityAct<AuthorityEdges, [string], undefined>(
  async ({ isSealed }, edges, _by, userId) => {
    const held = await listPowers(edges.db, [userId]);
    if (isSealed) await assertGranterStays(edges, held);
    return {
      rows: {
        removedRoleBindings: held.map(({ bindingId }) => ({ bindingId })),
      },
      act: {
        act: "roles.grant" as const,
        target: userId,
        before: {
          bindings: held.map(({ bindingId, roleId, scopeKind, scopeId }) => ({
            binding: bindingId,
            role: roleId,
            scope: { kind: scopeKind, id: scopeId },
          })),
        },
      },
      answer: undefined,
    };
  },
);

/** @throws MatrixError M_FORBIDDEN where without these bindings nobody could grant any more */
async function assertGranterStays(
  { db }: Pick<Edges, "db">,
  gone: readonly Pick<BindingRow, "bindingId" | "roleId" | "expiresTs">[],
): Promise<void> {
  const isLasting = ({ roleId, expiresTs }: (typeof gone)[number]) =>
    roleId === SECURITY_ADMIN && expiresTs === null;
  if (!gone.some(isLasting)) return;
  const { bindings } = await listBindings(db, {
    userId: null,
    roleId: SECURITY_ADMIN,
    scopeKind: null,
    scopeId: null,
    orderBy: "granted_ts",
    isDescending: false,
    limit: 1000,
    offset: 0,
  });
  const ids = new Set(gone.map(({ bindingId }) => bindingId));
  if (bindings.some((each) => !ids.has(each.bindingId) && isLasting(each)))
    return;
  throw notAllowed(
    "roles.grant",
    "This is the last security-admin: nobody could grant anything any more.",
  );
}

/** A page of the bindings, and how many there are in all. */
export const searchBindings = (
  { db }: Pick<Edges, "db">,
  search: BindingSearch,
): Promise<{ bindings: BindingRow[]; total: number }> =>
  listBindings(db, search);
