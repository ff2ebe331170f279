import type { UserId } from "../../core/ids.ts";
import { PRIVACY_LAWS, type PrivacyLaw } from "../../core/privacy-law.ts";
import { readProgress } from "../../domain/admin/tasks/task.ts";
import {
  beginErasure,
  getWaitingErasure,
  takeBackErasure,
  validateEnd,
} from "../../domain/admin/users/end-account.ts";
import { readConsentsOf } from "../../domain/privacy/consent.ts";
import { readErasureCertificate } from "../../domain/privacy/certificates.ts";
import { readErasure } from "../../domain/privacy/erasure-state.ts";
import { exportPerson } from "../../domain/privacy/export-person.ts";
import { planErasure } from "../../domain/privacy/plan-erasure.ts";
import { rectifyPerson } from "../../domain/privacy/rectify.ts";
import {
  changeRequest,
  getPrivacyRequest,
  openRequestFor,
  searchPrivacyRequests,
} from "../../domain/privacy/requests.ts";
import { endpoint } from "../endpoint.ts";
import { SIGNED, SIGNED_FIRST, signaturesOf } from "./certificate-answer.ts";
import {
  arrayOf,
  BOOLEAN,
  COUNT,
  EMPTY,
  named,
  object,
  oneOf,
  orNull,
  TEXT,
  TIME,
} from "../json-schema.ts";
import {
  archive,
  ARCHIVE_TYPES,
  CONSENTS,
  consentsAnswer,
  KINDS,
  MESSAGE,
  PRIVACY_REQUEST,
  REQUEST_STATES,
  requestAnswer,
  type Kind,
} from "../privacy-answers.ts";
import {
  listAnswer,
  listQuery,
  pageAnswer,
  pageOf,
  type PageQuery,
} from "./paging.ts";
import { userId } from "./synapse/common.ts";
import { native } from "./tools.ts";
import { PROGRESS } from "./jobs.ts";

type OneUser = { params: { userId: UserId } };
type OneRequest = { params: { requestId: string } };
const params = { userId };
const STATES = ["open", "in_progress", "done", "refused"] as const;
const DUE_TS = { type: "integer", minimum: 0, maximum: 8_640_000_000_000_000 };
const DUE_DAYS = { type: "integer", minimum: 1, maximum: 365 };

const DSR = native("/dsr");
const ERASURE = native("/users/:userId/erasure");

const ERASURE_STATE = oneOf(["none", "waiting", "active", "failed", "done"]);
const ERASURE_PLAN = named(
  "ErasurePlan",
  object({
    held: BOOLEAN,
    tables: arrayOf(
      object(
        { table: TEXT, classes: arrayOf(TEXT), rows: COUNT },
        { stays_since: TEXT },
      ),
    ),
    events: object({ contents: COUNT }, { at_least: BOOLEAN }),
    media: COUNT,
    cannot: arrayOf(TEXT),
  }),
);

/** What an erasure would destroy, and what it cannot; and how far one has come. */
export const getErasure = endpoint<OneUser>({
  method: "get",
  path: ERASURE,
  params,
  auth: "admin",
  permission: "privacy.read",
  rateLimit: "admin",
  doc: {
    id: "getErasure",
    says: "Tells what an erasure would destroy, what it cannot, and how far one has come.",
    answers: object(
      { state: ERASURE_STATE, plan: ERASURE_PLAN },
      { due_ts: TIME, job_id: TEXT, progress: PROGRESS },
    ),
  },
  async handle(edges, { params: { userId: id } }) {
    const [plan, state] = await Promise.all([
      planErasure(edges, id),
      readErasure(edges, id),
    ]);
    return {
      state: state.state,
      ...(state.dueTs !== undefined && { due_ts: state.dueTs }),
      ...(state.job && {
        job_id: state.job.jobId,
        progress: readProgress(state.job),
      }),
      plan: {
        held: plan.isHeld,
        tables: plan.tables.map(({ staysSince, ...table }) => ({
          ...table,
          ...(staysSince !== undefined && { stays_since: staysSince }),
        })),
        events: {
          contents: plan.events.contents,
          ...(plan.events.isCut && { at_least: true }),
        },
        media: plan.media,
        cannot: plan.cannot,
      },
    };
  },
});

/** Ends an account at once, and erases it when that can no longer be taken back. */
export const postErasure = endpoint<OneUser>({
  method: "post",
  path: ERASURE,
  params,
  auth: "admin",
  permission: "privacy.erase",
  rateLimit: "admin",
  doc: {
    id: "beginErasure",
    says: "Ends an account at once, and erases it when that can no longer be taken back.",
    answers: object({ state: ERASURE_STATE }, { due_ts: TIME }),
  },
  validate: (edges, { params: { userId: id } }) => validateEnd(edges, id, true),
  async handle(edges, { params: { userId: id }, ...by }) {
    await beginErasure(edges, by, id);
    const { state, dueTs } = await readErasure(edges, id);
    return { state, ...(dueTs !== undefined && { due_ts: dueTs }) };
  },
});

export const deleteErasure = endpoint<OneUser>({
  method: "delete",
  path: ERASURE,
  params,
  auth: "admin",
  permission: "privacy.erase",
  rateLimit: "admin",
  doc: {
    id: "takeBackErasure",
    says: "Takes back an erasure that waits; the account stays ended.",
    answers: EMPTY,
  },
  validate: (edges, { params: { userId: id } }) => getWaitingErasure(edges, id),
  async handle(edges, { params: { userId: id }, ...by }) {
    await takeBackErasure(edges, by, id);
    return {};
  },
});

/** Signed: what was destroyed, and when no copy of it could be read any more. */
export const getErasureCertificate = endpoint<OneUser>({
  method: "get",
  path: `${ERASURE}/certificate`,
  params,
  auth: "admin",
  permission: "privacy.read",
  rateLimit: "admin",
  doc: {
    id: "getErasureCertificate",
    says: "Reads the signed certificate of what was destroyed.",
    answers: named(
      "ErasureCertificate",
      object(
        {
          ...{ certificate_id: TEXT, ...SIGNED, gone_ts: TIME },
          unreadable_ts: orNull(TIME),
        },
        SIGNED_FIRST,
      ),
    ),
  },
  async handle(edges, { params: { userId: id } }) {
    const row = await readErasureCertificate(edges, id);
    return {
      certificate_id: row.certificateId,
      ...signaturesOf(row),
      gone_ts: row.goneTs,
      unreadable_ts: row.unreadableTs,
    };
  },
});

export const getPersonExport = endpoint<OneUser>({
  method: "get",
  path: native("/users/:userId/export"),
  params,
  auth: "admin",
  permission: "privacy.export",
  rateLimit: "export",
  doc: {
    id: "exportPerson",
    says: "Exports all data of a person, as NDJSON.",
    answers: ARCHIVE_TYPES,
  },
  async handle(edges, { params: { userId: id } }) {
    return archive(await exportPerson(edges, id));
  },
});

/** What somebody has agreed to, and when. */
export const getUserConsents = endpoint<OneUser>({
  method: "get",
  path: native("/users/:userId/consents"),
  params,
  auth: "admin",
  permission: "privacy.consent",
  rateLimit: "admin",
  doc: {
    id: "getUserConsents",
    says: "Tells what somebody has agreed to, and when.",
    answers: CONSENTS,
  },
  async handle(edges, { params: { userId: id } }) {
    return consentsAnswer(await readConsentsOf(edges, id));
  },
});

const ADDRESS = {
  type: "object",
  properties: {
    medium: { type: "string", enum: ["email", "msisdn"] },
    address: { type: "string", maxLength: 255 },
  },
  required: ["medium", "address"],
};

interface RectifyBody {
  displayname?: string | null;
  avatar_url?: string | null;
  threepids?: { medium: "email" | "msisdn"; address: string }[];
}

export const putRectification = endpoint<OneUser & { body: RectifyBody }>({
  method: "put",
  path: native("/users/:userId/rectification"),
  params,
  auth: "admin",
  permission: "privacy.rectify",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      displayname: { type: ["string", "null"], maxLength: 256 },
      avatar_url: { type: ["string", "null"], maxLength: 1000 },
      threepids: { type: "array", items: ADDRESS, maxItems: 100 },
    },
  },
  doc: {
    id: "rectifyPerson",
    says: "Corrects what is kept of a person.",
    answers: EMPTY,
  },
  async handle(edges, { params: { userId: id }, body, ...by }) {
    const { displayname, avatar_url, threepids } = body;
    await rectifyPerson(edges, by, id, {
      ...(displayname !== undefined && { displayName: displayname }),
      ...(avatar_url !== undefined && { avatarUrl: avatar_url }),
      ...(threepids && { thirdPartyIds: threepids }),
    });
    return {};
  },
});

export const getPrivacyRequests = endpoint<{
  query: PageQuery & {
    user_id?: string;
    kind?: string;
    state?: string;
    overdue?: boolean;
  };
}>({
  method: "get",
  path: DSR,
  auth: "admin",
  permission: "privacy.read",
  rateLimit: "admin",
  query: listQuery(["due_ts"], {
    user_id: { type: "string", maxLength: 255 },
    kind: { type: "string", enum: KINDS },
    state: oneOf(REQUEST_STATES),
    overdue: { type: "boolean" },
  }),
  doc: {
    id: "listPrivacyRequests",
    says: "Lists what people asked of their own data, the next due first.",
    answers: listAnswer("requests", PRIVACY_REQUEST),
  },
  async handle(edges, { query }) {
    const { requests, total } = await searchPrivacyRequests(edges, {
      ...pageOf(query),
      userId: query.user_id ?? null,
      kind: query.kind ?? null,
      state: query.state ?? null,
      isOverdue: query.overdue ?? null,
    });
    return {
      requests: requests.map(requestAnswer),
      ...pageAnswer(query, requests.length, total),
    };
  },
});

export const postPrivacyRequest = endpoint<{
  body: {
    user_id: UserId;
    kind: Kind;
    message?: string;
    law?: PrivacyLaw;
    due_days?: number;
  };
}>({
  method: "post",
  path: DSR,
  auth: "admin",
  permission: "privacy.rectify",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      user_id: { type: "string", maxLength: 255 },
      kind: { type: "string", enum: KINDS },
      message: MESSAGE,
      law: oneOf(PRIVACY_LAWS),
      due_days: DUE_DAYS,
    },
    required: ["user_id", "kind"],
  },
  doc: {
    id: "openPrivacyRequest",
    says: "Notes what somebody asked for by letter or in person.",
    answers: PRIVACY_REQUEST,
  },
  async handle(edges, { body, ...by }) {
    const { user_id, kind, message = "", law, due_days } = body;
    const request = await openRequestFor(edges, by, user_id, {
      ...{ kind, message },
      ...(law !== undefined && { law }),
      ...(due_days !== undefined && { dueDays: due_days }),
    });
    return requestAnswer(request);
  },
});

export const getOnePrivacyRequest = endpoint<OneRequest>({
  method: "get",
  path: `${DSR}/:requestId`,
  auth: "admin",
  permission: "privacy.read",
  rateLimit: "admin",
  doc: {
    id: "getPrivacyRequest",
    says: "Reads what somebody asked for, with the notes on it.",
    answers: PRIVACY_REQUEST,
  },
  async handle(edges, { params: { requestId } }) {
    return requestAnswer(await getPrivacyRequest(edges, requestId));
  },
});

export const putPrivacyRequest = endpoint<
  OneRequest & {
    body: {
      state?: (typeof STATES)[number];
      due_ts?: number;
      note?: string;
      identity_check?: string;
      extension?: string;
    };
  }
>({
  method: "put",
  path: `${DSR}/:requestId`,
  auth: "admin",
  permission: "privacy.rectify",
  rateLimit: "admin",
  body: {
    type: "object",
    properties: {
      state: { type: "string", enum: STATES },
      due_ts: DUE_TS,
      note: { type: "string", minLength: 1, maxLength: 4096 },
      identity_check: { type: "string", minLength: 1, maxLength: 1024 },
      extension: { type: "string", minLength: 1, maxLength: 2048 },
    },
  },
  doc: {
    id: "changePrivacyRequest",
    says: "Notes how a request gets on.",
    answers: PRIVACY_REQUEST,
  },
  async handle(edges, { params: { requestId }, body, ...by }) {
    const request = await changeRequest(edges, by, requestId, {
      ...(body.state !== undefined && { state: body.state }),
      ...(body.due_ts !== undefined && { dueTs: body.due_ts }),
      ...(body.note !== undefined && { note: body.note }),
      ...(body.identity_check !== undefined && {
        identityCheck: body.identity_check,
      }),
      ...(body.extension !== undefined && { extension: body.extension }),
    });
    return requestAnswer(request);
  },
});
