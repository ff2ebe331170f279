import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Edges } from "../../../edges.ts";
import { findApproval, type ApprovalRow } from "../../../storage/approvals.ts";
import { readAuthority } from "../../../storage/authority.ts";
import type { ApprovalState, WriteRows } from "../../../storage/write.ts";
import type { Requester } from "../../accounts/requester.ts";
import { auditRecord } from "../audit-record.ts";
import type { Administrator } from "../change-authority.ts";
import { notAllowed } from "../refusal.ts";
import { isApprover, type ApproverEdges } from "./approvers.ts";
import { matterOf } from "./matter.ts";

type Needs = ApproverEdges &
  Pick<Edges, "committer" | "log" | "now" | "settings" | "trail">;
type Change = Omit<
  WriteRows["approvalChanges"][number],
  "approvalId" | "before" | "version"
>;

/** Agrees that somebody else does what they asked for, once and exactly that. */
export async function approve(
  edges: Needs,
  by: Administrator,
  approvalId: string,
  comment: string | undefined,
): Promise<void> {
  const { version } = await readAuthority(edges.db);
  const row = await getApproval(edges, approvalId);
  assertState(row, "pending");
  if (!(await isApprover(edges, matterOf(row), by.requester)))
    throw notApprover();
  const change: Change = {
    ...decided(by, "approved", comment),
    waitMs: edges.settings.approvals.useMs,
  };
  await commit(edges, by, row, { change, version, told: "approve" });
}

/** Refuses what somebody else asked for. Whoever may decide at all may do that. */
export async function deny(
  edges: Needs,
  by: Administrator,
  approvalId: string,
  comment: string | undefined,
): Promise<void> {
  const row = await getApproval(edges, approvalId);
  assertState(row, "pending");
  if (row.requestedBy === by.requester.userId) {
    throw notAllowed(
      "approvals.decide",
      "Nobody decides of what they asked for themselves: withdraw it.",
    );
  }
  const change = decided(by, "denied", comment);
  await commit(edges, by, row, { change, told: "deny" });
}

/**
 * Agrees as the second of two people who cannot wait for who might approve it. It is good
 * for a short while, it is told loudly, and an auditor has to look at it afterwards.
 */
export async function breakGlass(
  edges: Needs,
  by: Administrator,
  approvalId: string,
  comment: string,
): Promise<void> {
  const { version } = await readAuthority(edges.db);
  const row = await getApproval(edges, approvalId);
  assertState(row, "pending");
  if (row.glassReason === null) {
    throw new MatrixError(
      "M_BAD_STATE",
      "Who asked for this has not said that it cannot wait.",
    );
  }
  const inHaste = { ...row, isBreakGlass: true };
  if (!(await isApprover(edges, matterOf(inHaste), by.requester)))
    throw notApprover();
  const change: Change = {
    ...decided(by, "approved", comment),
    isBreakGlass: true,
    waitMs: edges.settings.approvals.breakGlassMs,
  };
  await commit(edges, by, row, { change, version, told: "break-glass" });
  const { permissions } = row;
  edges.log.warn(
    { approvalId, permissions },
    "Two administrators broke the glass: an auditor has to review it.",
  );
}

/** An auditor signs that what two people did in haste was looked at. */
export async function reviewBreakGlass(
  edges: Needs,
  by: Administrator,
  approvalId: string,
  comment: string,
): Promise<void> {
  const row = await getApproval(edges, approvalId);
  const { userId } = by.requester;
  if (!row.isBreakGlass || row.reviewedBy !== null) {
    throw new MatrixError("M_BAD_STATE", "There is nothing to review here.");
  }
  if ([row.requestedBy, row.decidedBy].includes(userId)) {
    throw notAllowed("audit.review", "Who took part in it cannot review it.");
  }
  const change: Change = { reviewedBy: userId, review: comment };
  await commit(edges, by, row, { change, told: "review" });
}

type OwnNeeds = Pick<Edges, "committer" | "db" | "trail">;

/** Says that one's own request cannot wait for who might approve it. */
export async function askToBreakGlass(
  edges: OwnNeeds,
  requester: Requester,
  approvalId: string,
  reason: string,
): Promise<void> {
  const row = await getOwn(edges, requester, approvalId);
  assertState(row, "pending");
  await commitOwn(edges, row, { glassReason: reason }, "ask to break glass");
}

/** Takes a request of one's own back, also where it was approved. */
export async function withdraw(
  edges: OwnNeeds,
  requester: Requester,
  approvalId: string,
): Promise<void> {
  const row = await getOwn(edges, requester, approvalId);
  if (row.state !== "approved") assertState(row, "pending");
  await commitOwn(edges, row, { state: "withdrawn" }, "withdraw");
}

const decided = (
  { requester }: Administrator,
  state: ApprovalState,
  comment: string | undefined,
): Change => ({
  state,
  decidedBy: requester.userId,
  ...(comment !== undefined && { comment }),
});

/** @throws MatrixError M_NOT_FOUND */
export async function getApproval(
  { db }: Pick<Edges, "db">,
  approvalId: string,
): Promise<ApprovalRow> {
  const row = await findApproval(db, approvalId);
  if (row) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no such request.");
}

/** What somebody else asked for is not there. */
async function getOwn(
  edges: Pick<Edges, "db">,
  { userId }: Requester,
  approvalId: string,
): Promise<ApprovalRow> {
  const row = await getApproval(edges, approvalId);
  if (row.requestedBy === userId) return row;
  throw new MatrixError("M_NOT_FOUND", "There is no such request.");
}

function assertState({ state }: ApprovalRow, wanted: ApprovalState): void {
  if (state === wanted) return;
  throw new MatrixError("M_BAD_STATE", `This request is ${state} by now.`);
}

const notApprover = (): MatrixError =>
  notAllowed(
    "approvals.decide",
    "This is approved by somebody else than who asked for it, and whom it is about, who may do the same, and may so by nothing that who asked has given since.",
  );

async function commit(
  edges: Needs,
  { requester, actor }: Administrator,
  { approvalId, state, permissions }: ApprovalRow,
  { change, version, told }: { change: Change; version?: number; told: string },
): Promise<void> {
  const { comment = change.review } = change;
  const details: JsonObject = { decision: told, permissions };
  edges.trail?.note({ approvalId });
  const outcome = await edges.committer.commit({
    positions: 1,
    activeUsers: [requester.userId],
    rows: {
      approvalChanges: [
        {
          ...{ approvalId, before: state, ...change },
          ...(version !== undefined && { version }),
        },
      ],
    },
    audit: [
      auditRecord(
        {
          act: actor.permission,
          actor: actor.userId,
          target: approvalId,
          requestId: actor.requestId,
          details,
          ...(comment !== undefined && { reason: comment }),
        },
        edges.now(),
      ),
    ],
  });
  if (outcome.status !== "committed") throw changedMeanwhile();
}

async function commitOwn(
  { committer, trail }: OwnNeeds,
  { approvalId, permissions, requestedBy, state }: ApprovalRow,
  change: Change,
  told: string,
): Promise<void> {
  const { glassReason: reason } = change;
  trail?.note({
    approvalId,
    resource: { type: "approvals", id: approvalId },
    after: { decision: told, permissions },
    ...(reason !== undefined && { reason }),
  });
  const outcome = await committer.commit({
    positions: 1,
    activeUsers: [requestedBy],
    rows: { approvalChanges: [{ approvalId, before: state, ...change }] },
  });
  if (outcome.status !== "committed") throw changedMeanwhile();
}

const changedMeanwhile = (): MatrixError =>
  new MatrixError(
    "M_BAD_STATE",
    "This request changed meanwhile. Look at it, and try again.",
  );
