import { MatrixError } from "../../core/errors.ts";
import {
  approve,
  askToBreakGlass,
  breakGlass,
  deny,
  reviewBreakGlass,
  withdraw,
} from "../../domain/admin/approvals/decide.ts";
import {
  readApproval,
  searchApprovals,
  type Approval,
} from "../../domain/admin/approvals/read.ts";
import { endpoint, type ParamParser } from "../endpoint.ts";
import {
  pageAnswer,
  pageOf,
  pageProperties,
  type PageQuery,
} from "./paging.ts";

const APPROVALS = "/_myelin/admin/v1/approvals";
const OWN = "/_myelin/admin/v1/me/approvals";

const STATES = [
  ...["pending", "approved", "denied", "withdrawn"],
  ...["used", "void", "expired"],
];

interface Search extends PageQuery {
  state?: Approval["state"];
  requested_by?: string;
  to_review?: boolean;
}

const searchProperties = {
  ...pageProperties,
  state: { type: "string", enum: STATES },
};

const approvalParam: ParamParser<string> = (segment) => {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(segment)) return segment;
  throw new MatrixError("M_INVALID_PARAM", "The path must name a request.");
};

type One = { params: { approvalId: string } };
const params = { approvalId: approvalParam };

const answerOf = (row: Approval) => ({
  approval_id: row.approvalId,
  state: row.state,
  permissions: row.permissions,
  requested_by: row.requestedBy,
  requested_ts: row.requestedTs,
  expires_ts: row.expiresTs,
  request: row.request,
  ...(row.userId !== null && { user_id: row.userId }),
  ...(row.roomId !== null && { room_id: row.roomId }),
  ...(row.decidedBy !== null && {
    ...{ decided_by: row.decidedBy, decided_ts: row.decidedTs },
    comment: row.comment,
  }),
  ...(row.usedTs !== null && { used_ts: row.usedTs }),
  ...(row.glassReason !== null && {
    break_glass: { reason: row.glassReason, is_broken: row.isBreakGlass },
  }),
  ...(row.reviewedBy !== null && {
    review: {
      ...{ by: row.reviewedBy, ts: row.reviewedTs, comment: row.review },
    },
  }),
});

export const getApprovals = endpoint<{ query: Search }>({
  method: "get",
  path: APPROVALS,
  auth: "admin",
  permission: "approvals.read",
  rateLimit: "admin",
  query: {
    type: "object",
    properties: {
      ...searchProperties,
      requested_by: { type: "string", maxLength: 255 },
      to_review: { type: "boolean" },
    },
  },
  async handle(edges, { query }) {
    const { approvals, total } = await searchApprovals(edges, {
      ...pageOf(query),
      state: query.state ?? null,
      requestedBy: query.requested_by ?? null,
      isToReview: query.to_review ?? false,
    });
    return {
      approvals: approvals.map(answerOf),
      ...pageAnswer(query, approvals.length, total),
    };
  },
});

export const getApproval = endpoint<One>({
  method: "get",
  path: `${APPROVALS}/:approvalId`,
  params,
  auth: "admin",
  permission: "approvals.read",
  rateLimit: "admin",
  async handle(edges, { params: { approvalId } }) {
    return answerOf(await readApproval(edges, approvalId));
  },
});

const text = { type: "string", minLength: 1, maxLength: 1024 };
const commentBody = { type: "object", properties: { comment: text } };

export const postApprove = endpoint<One & { body: { comment?: string } }>({
  method: "post",
  path: `${APPROVALS}/:approvalId/approve`,
  params,
  auth: "admin",
  permission: "approvals.decide",
  rateLimit: "admin",
  body: commentBody,
  async handle(edges, { params: { approvalId }, body, ...by }) {
    await approve(edges, by, approvalId, body.comment);
    return answerOf(await readApproval(edges, approvalId));
  },
});

export const postDeny = endpoint<One & { body: { comment?: string } }>({
  method: "post",
  path: `${APPROVALS}/:approvalId/deny`,
  params,
  auth: "admin",
  permission: "approvals.decide",
  rateLimit: "admin",
  body: commentBody,
  async handle(edges, { params: { approvalId }, body, ...by }) {
    await deny(edges, by, approvalId, body.comment);
    return answerOf(await readApproval(edges, approvalId));
  },
});

export const postBreakGlass = endpoint<One & { body: { comment: string } }>({
  method: "post",
  path: `${APPROVALS}/:approvalId/break-glass`,
  params,
  auth: "admin",
  permission: "approvals.decide",
  rateLimit: "admin",
  body: { ...commentBody, required: ["comment"] },
  async handle(edges, { params: { approvalId }, body, ...by }) {
    await breakGlass(edges, by, approvalId, body.comment);
    return answerOf(await readApproval(edges, approvalId));
  },
});

/** An auditor signs for what was done in haste. */
export const postApprovalReview = endpoint<One & { body: { comment: string } }>(
  {
    method: "post",
    path: `${APPROVALS}/:approvalId/review`,
    params,
    auth: "admin",
    permission: "audit.review",
    rateLimit: "admin",
    body: { ...commentBody, required: ["comment"] },
    async handle(edges, { params: { approvalId }, body, ...by }) {
      await reviewBreakGlass(edges, by, approvalId, body.comment);
      return answerOf(await readApproval(edges, approvalId));
    },
  },
);

/** What one asked for oneself, whatever one may do besides. */
export const getMyApprovals = endpoint<{
  query: Pick<Search, "state"> & PageQuery;
}>({
  method: "get",
  path: OWN,
  auth: "user",
  adminToken: true,
  rateLimit: "admin",
  query: { type: "object", properties: searchProperties },
  async handle(edges, { query, requester }) {
    const { approvals, total } = await searchApprovals(edges, {
      ...pageOf(query),
      state: query.state ?? null,
      requestedBy: requester.userId,
      isToReview: false,
    });
    return {
      approvals: approvals.map(answerOf),
      ...pageAnswer(query, approvals.length, total),
    };
  },
});

export const deleteMyApproval = endpoint<One>({
  method: "delete",
  path: `${OWN}/:approvalId`,
  params,
  auth: "user",
  adminToken: true,
  audit: "approvals.withdraw",
  rateLimit: "admin",
  async handle(edges, { params: { approvalId }, requester }) {
    await withdraw(edges, requester, approvalId);
    return {};
  },
});

export const postMyBreakGlass = endpoint<One & { body: { reason: string } }>({
  method: "post",
  path: `${OWN}/:approvalId/break-glass`,
  params,
  auth: "user",
  adminToken: true,
  audit: "approvals.break_glass",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: { reason: text },
    required: ["reason"],
  },
  async handle(edges, { params: { approvalId }, body, requester }) {
    await askToBreakGlass(edges, requester, approvalId, body.reason);
    return {};
  },
});
