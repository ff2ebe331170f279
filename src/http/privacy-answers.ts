import { PRIVACY_LAWS } from "../core/privacy-law.ts";
import type { Consents } from "../domain/privacy/consent.ts";
import type { PrivacyRequest } from "../domain/privacy/requests.ts";
import {
  arrayOf,
  BOOLEAN,
  named,
  object,
  oneOf,
  TEXT,
  TIME,
  USER_ID,
} from "./json-schema.ts";
import { reply, type Reply } from "./reply.ts";

export const KINDS = ["access", "rectify", "erase"] as const;
export type Kind = (typeof KINDS)[number];
export const MESSAGE = { type: "string", maxLength: 10_000 };

export const REQUEST_STATES = [
  "open",
  "in_progress",
  "done",
  "refused",
  "withdrawn",
];

export const ARCHIVE_TYPES = ["application/x-ndjson"];

/** An export on its way, for a browser to store. */
export const archive = (rest: AsyncIterable<string>): Reply =>
  reply({
    headers: {
      "Content-Type": ARCHIVE_TYPES.join(),
      "Content-Disposition": 'attachment; filename="export.ndjson"',
    },
    body: "",
    rest,
  });

/** A request as whoever asked sees it: notes are for those who answer. */
export const ownRequestAnswer = (request: PrivacyRequest) => ({
  request_id: request.requestId,
  kind: request.kind,
  state: request.state,
  created_ts: request.createdTs,
  due_ts: request.dueTs,
  overdue: request.isOverdue,
  ...(request.closedTs !== null && { closed_ts: request.closedTs }),
  ...(request.details && {
    message: request.details.message,
    law: request.details.law ?? "none",
    ...(request.details.extension && { extension: request.details.extension }),
  }),
});

export const requestAnswer = (request: PrivacyRequest) => ({
  ...ownRequestAnswer(request),
  user_id: request.userId,
  opened_by: request.openedBy,
  ...(request.identityCheckedTs !== null && {
    identity_checked_by: request.identityCheckedBy,
    identity_checked_ts: request.identityCheckedTs,
  }),
  ...(request.details
    ? {
        ...(request.details.identityCheck !== undefined && {
          identity_check: request.details.identityCheck,
        }),
        notes: request.details.notes,
      }
    : { erased: true }),
});

export const PRIVACY_REQUEST = named(
  "PrivacyRequest",
  object(
    {
      request_id: TEXT,
      kind: oneOf(KINDS),
      state: oneOf(REQUEST_STATES),
      created_ts: TIME,
      due_ts: TIME,
      overdue: BOOLEAN,
      user_id: USER_ID,
      opened_by: TEXT,
    },
    {
      closed_ts: TIME,
      message: TEXT,
      law: oneOf(PRIVACY_LAWS),
      extension: object({ ts: TIME, reason: TEXT }),
      identity_checked_by: TEXT,
      identity_checked_ts: TIME,
      identity_check: TEXT,
      notes: arrayOf(object({ ts: TIME, by: TEXT, text: TEXT })),
      erased: BOOLEAN,
    },
  ),
);

export const CONSENTS = named(
  "Consents",
  object({
    policies: arrayOf(
      object({
        id: TEXT,
        version: TEXT,
        agreed: BOOLEAN,
        documents: arrayOf(object({ locale: TEXT, name: TEXT, url: TEXT })),
      }),
    ),
    ledger: arrayOf(
      object({
        policy: TEXT,
        version: TEXT,
        locale: TEXT,
        ts: TIME,
        agreed: BOOLEAN,
      }),
    ),
  }),
);

export const consentsAnswer = ({ policies, ledger }: Consents) => ({
  policies: policies.map(({ id, version, documents, isGiven }) => ({
    ...{ id, version, agreed: isGiven },
    documents: documents.map(({ locale, name, url }) => ({
      ...{ locale, name, url },
    })),
  })),
  ledger: ledger.map(({ isGiven, ...row }) => ({ ...row, agreed: isGiven })),
});
