import type { AuditDraft } from "../../../storage/audit-draft.ts";
import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { RecordedWrite } from "../../../storage/write.ts";
import { auditRecord } from "../audit-record.ts";
import { checkAct } from "../can.ts";
import type { Administrator } from "../change-authority.ts";
import type { Resource } from "../permission.ts";
import type { Permission } from "../permissions.ts";
import { refusalOf } from "../refusal.ts";

export type ActEdges = Pick<Edges, "committer" | "now">;

/** What an act is about, for its record. */
export interface About {
  target: string;
  details?: JsonObject;
  /** The route's own, unless the act takes another one. */
  act?: Permission;
}

/** The record of an act, for the write that has its effect. */
export const recordOf = (
  { now }: Pick<Edges, "now">,
  { actor }: Administrator,
  { target, details, act = actor.permission }: About,
): AuditDraft =>
  auditRecord(
    {
      act,
      target,
      actor: actor.userId,
      requestId: actor.requestId,
      ...(details && { details }),
    },
    now(),
  );

/** Commits what an administrator does, with its record. */
export async function commitAct(
  edges: ActEdges,
  by: Administrator,
  about: About,
  write: Omit<RecordedWrite, "positions" | "audit">,
): Promise<void> {
  const outcome = await edges.committer.commit({
    positions: 1,
    ...write,
    activeUsers: [by.requester.userId, ...(write.activeUsers ?? [])],
    audit: [recordOf(edges, by, about)],
  });
  if (outcome.status !== "committed") throw changedMeanwhile();
}

export const changedMeanwhile = (): MatrixError =>
  new MatrixError(
    "M_UNKNOWN",
    "An account changed meanwhile. Look at it, and try again.",
  );

type MayEdges = Parameters<typeof checkAct>[0] & Pick<Edges, "trail">;

/** For an act that takes more than its route's permission, and may take a second person for it. */
export const assertMay = (
  edges: MayEdges,
  by: Administrator,
  permission: Permission,
  resource: Resource = {},
): Promise<void> => assertMayAll(edges, by, [permission], resource);

/** For one that takes several: a second person is asked for all of them at once. */
export async function assertMayAll(
  edges: MayEdges,
  by: Administrator,
  permissions: readonly Permission[],
  resource: Resource,
): Promise<void> {
  for (const permission of permissions) {
    const verdict = await checkAct(edges, by.requester, permission, resource);
    if (!verdict.isAllowed) throw refusalOf(permission, verdict);
  }
  await edges.trail?.demand({ permissions, ...resource });
}
