import { listPowers } from "../../storage/authority.ts";
import type { Requester } from "../accounts/requester.ts";
import { areUnlimited, type PolicyEdges } from "../policies/enforce.ts";
import { decideAct, decideActs } from "../policies/may-act.ts";
import type { RoomIdentity } from "../rooms/room-identity.ts";
import { judge, powerOf, type Power } from "./judge.ts";
import type { Can, Resource, Verdict } from "./permission.ts";
import { covers, type Permission } from "./permissions.ts";
import { isInSpaces, readSpaces } from "./space-scope.ts";

type Needs = PolicyEdges;
type Who = Pick<Requester, "userId" | "adminToken"> &
  Partial<Pick<Requester, "deviceId" | "ip">>;

/** The one place where it is decided what an administrator may do. */
export const createCan =
  (edges: Needs): Can =>
  (requester, permission, resource) =>
    checkAct(edges, requester, permission, resource);

/** As `checkAct`, for whom a yes or no is all. */
export const isAllowed = async (
  ...question: Parameters<typeof checkAct>
): Promise<boolean> => (await checkAct(...question)).isAllowed;

/**
 * Asks the database for each request, in one statement: what was revoked, or has expired
 * by the database's time, is over in every process at once.
 */
export async function checkAct(
  edges: Needs,
  who: Who,
  permission: Permission,
  resource: Resource,
): Promise<Verdict> {
  const verdict = await decideByRoles(edges, who, permission, resource);
  if (!verdict.isAllowed || areUnlimited(edges)) return verdict;
  const decision = await decideAct(edges, who, permission, resource);
  if (decision.isAllowed) return verdict;
  return { roles: verdict.roles, isAllowed: false, by: "policy", decision };
}

/** In which of these rooms somebody may do something: asked at once, however many they are. */
export async function listAllowedRooms(
  edges: Needs,
  who: Who,
  permission: Permission,
  rooms: readonly Pick<RoomIdentity, "roomId" | "roomNid">[],
): Promise<ReadonlySet<number>> {
  const rows = await listPowers(edges.db, [who.userId]);
  const powers = rows.map(powerOf).map((power) => narrow(power, who));
  const judgements = rooms.map(({ roomId }) => {
    const own = powers.map((power) => heldAgainst(power, roomId));
    return judge({ permission, resource: { roomId }, own, theirs: [] });
  });
  const undecided = rooms.flatMap(({ roomId }, i) =>
    typeof judgements[i] === "string" ? [] : roomId,
  );
  const reached = await readSpaces(edges, undecided);
  const held = rooms.filter(({ roomId }, i) => {
    const judgement = judgements[i]!;
    return typeof judgement === "string"
      ? judgement === "allowed"
      : judgement.spaces.some((space) => reached.get(roomId)?.has(space));
  });
  const nids = held.map(({ roomNid }) => roomNid);
  if (areUnlimited(edges)) return new Set(nids);
  const targets = nids.map((roomNid) => ({ roomNid }));
  const decisions = await decideActs(edges, who, permission, targets);
  return new Set(nids.filter((_, i) => decisions[i]!.isAllowed));
}

/** A power whose scope the database was not asked to hold against a room. */
const heldAgainst = (power: Power, roomId: string): Power =>
  power.scopeKind === "room" || power.scopeKind === "space"
    ? { ...power, isWithin: power.scopeId === roomId }
    : power;

async function decideByRoles(
  edges: Needs,
  who: Who,
  permission: Permission,
  resource: Resource,
): Promise<Verdict> {
  const { userId = who.userId } = resource;
  const rows = await listPowers(
    edges.db,
    [...new Set([who.userId, userId])],
    resource,
  );
  const held = rows.filter((row) => row.userId === who.userId);
  const roles = [...new Set(held.map(({ roleId }) => roleId))];
  const own = held.map(powerOf).map((power) => narrow(power, who));
  const theirs = rows.filter((row) => row.userId !== who.userId).map(powerOf);
  const judgement = judge({ permission, resource, own, theirs });
  if (judgement === "allowed") return { isAllowed: true, roles };
  if (judgement === "outranked")
    return { isAllowed: false, by: "target", roles };
  const { roomId } = resource;
  const isInOne =
    judgement !== "refused" &&
    roomId !== undefined &&
    (await isInSpaces(edges, roomId, judgement.spaces));
  return isInOne
    ? { isAllowed: true, roles }
    : { isAllowed: false, by: "role", roles };
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
