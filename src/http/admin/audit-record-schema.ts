import {
  arrayOf,
  BOOLEAN,
  INTEGER,
  named,
  object,
  oneOf,
  open,
  TEXT,
  TIME,
  USER_ID,
} from "../json-schema.ts";

export const AUDIT_RESULTS = ["allowed", "denied", "failed"];

const ACTOR = named(
  "AuditActor",
  object(
    { type: TEXT },
    {
      pseudonym: TEXT,
      id: TEXT,
      user_id: USER_ID,
      device_id: TEXT,
      token_id: INTEGER,
      roles: arrayOf(TEXT),
      ip: TEXT,
      user_agent: TEXT,
      country: TEXT,
      erased: BOOLEAN,
    },
  ),
);

const RESOURCE = named(
  "AuditResource",
  object({ type: TEXT }, { id: TEXT, pseudonym: TEXT, erased: BOOLEAN }),
);

/** A record of the audit log as its readers see it. */
export const AUDIT_RECORD = named(
  "AuditRecord",
  object(
    {
      seq: INTEGER,
      v: INTEGER,
      ts: TIME,
      node: TEXT,
      action: TEXT,
      result: oneOf(AUDIT_RESULTS),
      actor: ACTOR,
      resource: RESOURCE,
    },
    {
      errcode: TEXT,
      reason: TEXT,
      before: open("What it was."),
      after: open("What became of it."),
      case_id: TEXT,
      approval_id: TEXT,
      request_id: TEXT,
    },
  ),
);
