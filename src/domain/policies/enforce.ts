import type { Asker, Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { Doubt, PolicyDecision } from "../../core/policy/decide.ts";
import type { PolicyAction } from "../../core/policy/document.ts";
import { listRoomsById } from "../../storage/rooms.ts";
import {
  decideCases,
  readEnvironment,
  type PolicyCase,
} from "./decide-cases.ts";

export type PolicyEdges = Pick<
  Edges,
  "db" | "keyring" | "memory" | "policies" | "asker" | "decided"
>;

/** What is acted on. */
export type PolicyTarget = Pick<
  PolicyCase,
  "roomNid" | "eventType" | "permission"
>;

const NO_ROOMS: ReadonlySet<number> = new Set();

/** Whether it is known that no policy is in force: then nothing is asked, nor waited for. */
export const areUnlimited = ({ policies }: Pick<Edges, "policies">): boolean =>
  policies === undefined || policies.areNone;

/** What the policies in force say to a user's act on each of some things. */
export async function decideNow(
  edges: PolicyEdges,
  userId: string,
  action: PolicyAction,
  targets: readonly PolicyTarget[],
  {
    doubt = "deny",
    asker = edges.asker,
  }: { doubt?: Doubt; asker?: Asker | undefined } = {},
): Promise<PolicyDecision[]> {
  const policies = (await edges.policies?.read()) ?? [];
  const isDecided = policies.some(({ document }) =>
    document.rules.some(({ actions }) => actions.includes(action)),
  );
  if (!isDecided) return targets.map(() => ({ isAllowed: true }));
  const now = edges.policies?.now() ?? 0;
  const env = await readEnvironment(edges, policies, asker, {
    ...{ userId, action, now },
  });
  const cases = targets.map((target) => ({ ...target, userId, action, env }));
  return decideCases(edges, policies, cases, doubt);
}

/**
 * Those of the rooms that a user may not read at the moment. They are served as if the
 * user were not in them, by every way to read a room.
 */
export async function listWithheld(
  edges: PolicyEdges,
  userId: string,
  roomNids: readonly number[],
): Promise<ReadonlySet<number>> {
  if (areUnlimited(edges) || roomNids.length === 0) return NO_ROOMS;
  const nids = [...new Set(roomNids)];
  const { decided } = edges;
  if (decided?.userId === userId && nids.every((n) => decided.roomNids.has(n)))
    return new Set(nids.filter((roomNid) => decided.withheld.has(roomNid)));
  const decisions = await decideNow(
    edges,
    userId,
    "read",
    nids.map((roomNid) => ({ roomNid })),
  );
  return new Set(nids.filter((_, i) => !decisions[i]!.isAllowed));
}

/** Whether each of these users may read that room, from wherever they come. */
export async function decidePairs(
  edges: PolicyEdges,
  pairs: readonly { userId: string; roomNid: number }[],
): Promise<PolicyDecision[]> {
  const policies = (await edges.policies?.read()) ?? [];
  const env = { now: edges.policies?.now() ?? 0 };
  const cases = pairs.map((pair) => ({
    ...pair,
    action: "read" as const,
    env,
  }));
  return decideCases(edges, policies, cases);
}

/** The same by the rooms' ids; of those that are not known nothing is withheld. */
export async function listWithheldIds(
  edges: PolicyEdges,
  userId: string,
  roomIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (areUnlimited(edges) || roomIds.length === 0) return new Set();
  const rooms = await listRoomsById(edges.db, roomIds);
  const withheld = await listWithheld(
    edges,
    userId,
    rooms.map(({ roomNid }) => roomNid),
  );
  return new Set(
    rooms.flatMap(({ roomId, roomNid }) =>
      withheld.has(roomNid) ? roomId : [],
    ),
  );
}

export const isWithheld = async (
  edges: PolicyEdges,
  userId: string,
  roomNid: number,
): Promise<boolean> =>
  !areUnlimited(edges) &&
  (await listWithheld(edges, userId, [roomNid])).has(roomNid);

/** @throws MatrixError M_FORBIDDEN where a policy does not allow it */
export async function assertAllowed(
  edges: PolicyEdges,
  userId: string,
  action: PolicyAction,
  target: PolicyTarget,
  doubt?: Doubt,
): Promise<void> {
  if (areUnlimited(edges)) return;
  const [decision] = await decideNow(edges, userId, action, [target], {
    ...(doubt && { doubt }),
  });
  if (!decision!.isAllowed) throw refusedBy(decision!);
}

export const refusedBy = ({ by }: PolicyDecision): MatrixError =>
  new MatrixError(
    "M_FORBIDDEN",
    "A policy of this server does not allow this.",
    {
      ...(by && { "org.myelin.policy": by.policyId }),
    },
  );
