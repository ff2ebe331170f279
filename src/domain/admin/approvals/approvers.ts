import type { Edges } from "../../../edges.ts";
import {
  listApproverPowers,
  type ApproverSearch,
} from "../../../storage/approvals.ts";
import { listPowers } from "../../../storage/authority.ts";
import type { Requester } from "../../accounts/requester.ts";
import { narrow } from "../can.ts";
import { judge, powerOf, type Power } from "../judge.ts";
import type { Permission } from "../permissions.ts";
import { listSpacesOf } from "../space-scope.ts";

export type ApproverEdges = Pick<Edges, "db" | "keyring" | "memory">;

/** What a second person is wanted for. */
export interface Matter extends Omit<ApproverSearch, "among"> {
  permissions: readonly Permission[];
}

/** Who waits until somebody who may do the same agrees, or, in haste, anybody who decides at all. */
export const FOR_ALL = "approvals.decide";

/** Whether there is anybody who might approve it. */
export const hasApprover = async (
  edges: ApproverEdges,
  matter: Matter,
): Promise<boolean> => (await listApprovers(edges, matter, null)).length > 0;

/** Whether this one may approve it at this moment, by what they hold and their token carries. */
export const isApprover = async (
  edges: ApproverEdges,
  matter: Matter,
  who: Pick<Requester, "userId" | "adminToken">,
): Promise<boolean> => (await listApprovers(edges, matter, who)).length > 0;

/**
 * Whoever could do it alone, and decides of approvals, and is somebody else: see
 * `listApproverPowers`.
 */
async function listApprovers(
  edges: ApproverEdges,
  matter: Matter,
  who: Pick<Requester, "userId" | "adminToken"> | null,
): Promise<string[]> {
  const { userId, roomId } = matter;
  const [rows, targets] = await Promise.all([
    listApproverPowers(edges.db, { ...matter, among: who && [who.userId] }),
    userId === "" ? [] : listPowers(edges.db, [userId]),
  ]);
  const powers = new Map<string, Power[]>();
  for (const row of rows) {
    const power = who ? narrow(powerOf(row), who) : powerOf(row);
    powers.set(row.userId, [...(powers.get(row.userId) ?? []), power]);
  }
  const theirs = targets.map(powerOf);
  const resource = {
    ...(userId !== "" && { userId }),
    ...(roomId !== "" && { roomId }),
  };
  const isOfSpaces = rows.some(({ scopeKind }) => scopeKind === "space");
  const spaces =
    isOfSpaces && roomId !== ""
      ? await listSpacesOf(edges, roomId)
      : new Set<string>();
  const may = (own: readonly Power[], permission: Permission): boolean => {
    const judgement = judge({ permission, resource, own, theirs });
    return typeof judgement === "string"
      ? judgement === "allowed"
      : judgement.spaces.some((space) => spaces.has(space));
  };
  return [...powers].flatMap(([holder, own]) =>
    [FOR_ALL, ...matter.permissions].every((each) =>
      may(own, each as Permission),
    )
      ? [holder]
      : [],
  );
}
