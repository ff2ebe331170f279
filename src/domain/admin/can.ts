import type { Edges } from "../../edges.ts";
import { listPowers } from "../../storage/authority.ts";
import type { Requester } from "../accounts/requester.ts";
import { judge, powerOf, type Power } from "./judge.ts";
import type { Can, Resource } from "./permission.ts";
import { covers, type Permission } from "./permissions.ts";
import { isInSpaces } from "./space-scope.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;
type Who = Pick<Requester, "userId" | "adminToken">;

/** The one place where it is decided what an administrator may do. */
export const createCan =
  (edges: Needs): Can =>
  (requester, permission, resource) =>
    isAllowed(edges, requester, permission, resource);

/**
 * Asks the database for each request, in one statement: what was revoked, or has expired
 * by the database's time, is over in every process at once.
 */
export async function isAllowed(
  edges: Needs,
  who: Who,
  permission: Permission,
  resource: Resource,
): Promise<boolean> {
  const { userId = who.userId } = resource;
  const rows = await listPowers(
    edges.db,
    [...new Set([who.userId, userId])],
    resource,
  );
  const own = rows
    .filter((row) => row.userId === who.userId)
    .map(powerOf)
    .map((power) => narrow(power, who));
  const theirs = rows.filter((row) => row.userId !== who.userId).map(powerOf);
  const judgement = judge({ permission, resource, own, theirs });
  if (typeof judgement === "string") return judgement === "allowed";
  const { roomId } = resource;
  return roomId !== undefined && isInSpaces(edges, roomId, judgement.spaces);
}

/** What is left of a power to who asks by a token that carries a part of it. */
export function narrow(power: Power, { adminToken }: Who): Power {
  if (!adminToken) return power;
  const carried = power.permissions.flatMap((held) => [
    ...adminToken.permissions.filter((each) => covers(held, each)),
    ...(adminToken.permissions.some((each) => covers(each, held))
      ? [held]
      : []),
  ]);
  return { ...power, permissions: [...new Set(carried)] };
}
