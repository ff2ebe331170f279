import { readAccesses } from "../../domain/privacy/accesses.ts";
import { exportPerson } from "../../domain/privacy/export-person.ts";
import {
  askForOwn,
  searchPrivacyRequests,
  withdrawRequest,
} from "../../domain/privacy/requests.ts";
import { endpoint } from "../endpoint.ts";
import {
  pageAnswer,
  pageOf,
  pageProperties,
  type PageQuery,
} from "../admin/paging.ts";
import {
  archive,
  KINDS,
  MESSAGE,
  ownRequestAnswer,
  type Kind,
} from "../privacy-answers.ts";

const PRIVACY = "/_myelin/client/v1/privacy";

/** All that is here of whoever asks; by its file name a browser stores it. */
const ownExport = (method: "get" | "post") =>
  endpoint({
    method,
    path: `${PRIVACY}/export`,
    auth: "user",
    audit: "privacy.own_export",
    ownerOnly: true,
    suspended: true,
    rateLimit: "export",
    async handle(edges, { requester }) {
      return archive(await exportPerson(edges, requester.userId));
    },
  });

export const getOwnExport = ownExport("get");
export const postOwnExport = ownExport("post");

export const getOwnRequests = endpoint<{ query: PageQuery }>({
  method: "get",
  path: `${PRIVACY}/requests`,
  auth: "user",
  suspended: true,
  rateLimit: "other",
  query: { type: "object", properties: pageProperties },
  async handle(edges, { requester: { userId }, query }) {
    const { requests, total } = await searchPrivacyRequests(edges, {
      ...pageOf(query),
      ...{ userId, kind: null, state: null, isOverdue: null },
    });
    return {
      requests: requests.map(ownRequestAnswer),
      ...pageAnswer(query, requests.length, total),
    };
  },
});

export const postOwnRequest = endpoint<{
  body: { kind: Kind; message?: string };
}>({
  method: "post",
  path: `${PRIVACY}/requests`,
  auth: "user",
  audit: "privacy.own_request",
  ownerOnly: true,
  suspended: true,
  rateLimit: "report",
  body: {
    type: "object",
    properties: { kind: { type: "string", enum: KINDS }, message: MESSAGE },
    required: ["kind"],
  },
  async handle(edges, { requester, body: { kind, message = "" } }) {
    return ownRequestAnswer(
      await askForOwn(edges, requester, { kind, message }),
    );
  },
});

export const deleteOwnRequest = endpoint<{ params: { requestId: string } }>({
  method: "delete",
  path: `${PRIVACY}/requests/:requestId`,
  auth: "user",
  audit: "privacy.own_request",
  ownerOnly: true,
  suspended: true,
  rateLimit: "other",
  async handle(edges, { requester, params: { requestId } }) {
    return ownRequestAnswer(await withdrawRequest(edges, requester, requestId));
  },
});

/** When administrators read what whoever asks wrote or did. */
export const getOwnAccesses = endpoint<{
  query: { from?: number; limit?: number };
}>({
  method: "get",
  path: `${PRIVACY}/accesses`,
  auth: "user",
  suspended: true,
  rateLimit: "other",
  query: {
    type: "object",
    properties: {
      from: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      limit: pageProperties.limit,
    },
  },
  async handle(edges, { requester: { userId }, query }) {
    const { from: before = Number.MAX_SAFE_INTEGER, limit = 100 } = query;
    const accesses = await readAccesses(edges, userId, { before, limit });
    const last = accesses.at(-1);
    return {
      accesses: accesses.map(({ seq: _, caseId, roomId, ...access }) => ({
        ...access,
        ...(caseId !== undefined && { case_id: caseId }),
        ...(roomId !== undefined && { room_id: roomId }),
      })),
      ...(last &&
        accesses.length === limit && { next_token: String(last.seq) }),
    };
  },
});
