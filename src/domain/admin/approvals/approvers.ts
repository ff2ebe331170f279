import type { Edges } from "../../../edges.ts";
import {
  listApproverPowers,
  listOthersPowers,
  type ApproverSearch,
} from "../../../storage/approvals.ts";
import { hasActedUpon } from "../../../storage/audit-log.ts";
import { listPowers, type PowerRow } from "../../../storage/authority.ts";
import type { Requester } from "../../accounts/requester.ts";
import { narrow } from "../can.ts";
import { judge, powerOf, type Power } from "../judge.ts";
import type { Permission } from "../permissions.ts";
import { filterOf } from "../read-audit.ts";
import { readSpaces } from "../space-scope.ts";

export type ApproverEdges = Pick<Edges, "db" | "keyring" | "memory">;

/** What a second person is wanted for. */
export interface Matter extends ApproverSearch {
  permissions: readonly Permission[];
}

/**
 * Whether anybody else holds what it takes to approve it. Who is locked just now counts, and
 * who could not approve it for what who asks has done to them: or somebody could make
 * themselves alone.
 */
export async function hasApprover(
  edges: ApproverEdges,
  matter: Matter,
): Promise<boolean> {
  const rows = await listOthersPowers(edges.db, matter);
  const powers = new Map<string, PowerRow[]>();
  for (const row of rows) {
    const own = powers.get(row.userId);
    if (own) own.push(row);
    else powers.set(row.userId, [row]);
  }
  const mayAll = await judgeOf(edges, matter, rows);
  return [...powers.values()].some((own) => mayAll(own.map(powerOf)));
}

/**
 * Whether this one may approve it at this moment: could do it alone, decides of approvals,
 * and is somebody else; see `listApproverPowers`.
 */
export async function isApprover(
  edges: ApproverEdges,
  matter: Matter,
  who: Pick<Requester, "userId" | "adminToken">,
): Promise<boolean> {
  const rows = await listApproverPowers(edges.db, matter, who.userId);
  const mayAll = await judgeOf(edges, matter, rows);
  return (
    mayAll(rows.map((row) => narrow(powerOf(row), who))) &&
    !(await wasHeld(edges, matter, who.userId))
  );
}

/** Holds what somebody has against all that it takes. */
async function judgeOf(
  edges: ApproverEdges,
  { userId, roomId, permissions }: Matter,
  rows: readonly PowerRow[],
): Promise<(own: readonly Power[]) => boolean> {
  const theirs =
    userId === "" ? [] : (await listPowers(edges.db, [userId])).map(powerOf);
  const resource = {
    ...(userId !== "" && { userId }),
    ...(roomId !== "" && { roomId }),
  };
  const isOfSpaces =
    roomId !== "" && rows.some(({ scopeKind }) => scopeKind === "space");
  const reached = isOfSpaces ? await readSpaces(edges, [roomId]) : undefined;
  const spaces = reached?.get(roomId) ?? new Set<string>();
  const all: readonly Permission[] = ["approvals.decide", ...permissions];
  return (own) =>
    all.every((permission) => {
      const judgement = judge({ permission, resource, own, theirs });
      return typeof judgement === "string"
        ? judgement === "allowed"
        : judgement.spaces.some((space) => spaces.has(space));
    });
}

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;
/** What gives somebody else's account into one's hands. */
const HOLDS: readonly Permission[] = [
  "users.credentials",
  "users.write",
  "users.impersonate",
];

/** Whether who asks has had the account in hand that would approve it, a week before or since. */
async function wasHeld(
  edges: ApproverEdges,
  { requestedBy, requestedTs }: Matter,
  approver: string,
): Promise<boolean> {
  const question = { actor: requestedBy, target: approver };
  const { actorId, resourceId } = await filterOf(edges, question);
  if (actorId === null || resourceId === null) return false;
  const names = [actorId, resourceId] as const;
  return hasActedUpon(edges.db, names, HOLDS, requestedTs - WEEK_MS);
}
