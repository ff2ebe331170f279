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
  arrayOf,
  BOOLEAN,
  EMPTY,
  named,
  object,
  oneOf,
  open,
  orNull,
  ROOM_ID,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
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

const ORDERS = ["requested_ts"];
const state = oneOf(STATES);

const approvalParam: ParamParser<string> = (segment) => {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(segment)) return segment;
  throw new MatrixError("M_INVALID_PARAM", "The path must name a request.");
};

type One = { params: { approvalId: string } };
const params = { approvalId: approvalParam };

const APPROVAL = named(
  "Approval",
  object(
    {
      approval_id: TEXT,
      state: oneOf(STATES),
      permissions: arrayOf(TEXT),
      requested_by: USER_ID,
      requested_ts: TIME,
      expires_ts: TIME,
      request: orNull(
        open(
          "What was asked for, without its secrets; null where that was erased.",
        ),
      ),
    },
    {
      user_id: USER_ID,
      room_id: ROOM_ID,
      decided_by: USER_ID,
      decided_ts: orNull(TIME),
      comment: orNull(TEXT),
      used_ts: TIME,
      break_glass: object({ reason: TEXT, is_broken: BOOLEAN }),
      review: object({ by: USER_ID, ts: orNull(TIME), comment: orNull(TEXT) }),
    },
  ),
);

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
  query: listQuery(ORDERS, {
    state,
    requested_by: { type: "string", maxLength: 255 },
    to_review: { type: "boolean" },
  }),
  doc: {
    id: "listApprovals",
    says: "Lists what waits for a second person, or waited.",
    answers: listAnswer("approvals", APPROVAL),
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
  doc: { id: "getApproval", says: "Reads one of them.", answers: APPROVAL },
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
  doc: {
    id: "approve",
    says: "Approves what another one asks for; they then send the same request again.",
    answers: APPROVAL,
  },
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
  doc: {
    id: "deny",
    says: "Refuses what another one asks for.",
    answers: APPROVAL,
  },
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
  doc: {
    id: "breakGlass",
    says: "Lets a request through at once, as the second of two people.",
    answers: APPROVAL,
  },
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
    doc: {
      id: "reviewApproval",
      says: "Notes that an auditor has looked at what was done in haste.",
      answers: APPROVAL,
    },
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
  query: listQuery(ORDERS, { state }),
  doc: {
    id: "listMyApprovals",
    says: "Lists what one asked for oneself.",
    answers: listAnswer("approvals", APPROVAL),
  },
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
  doc: {
    id: "withdrawApproval",
    says: "Takes back what one asked for.",
    answers: EMPTY,
  },
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
  doc: {
    id: "askToBreakGlass",
    says: "Says why something cannot wait for those who approve.",
    answers: EMPTY,
  },
  async handle(edges, { params: { approvalId }, body, requester }) {
    await askToBreakGlass(edges, requester, approvalId, body.reason);
    return {};
  },
});
