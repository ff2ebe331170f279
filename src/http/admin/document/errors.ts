import type { SchemaObject } from "ajv";
import {
  arrayOf,
  BOOLEAN,
  COUNT,
  named,
  object,
  oneOf,
  TEXT,
} from "../../json-schema.ts";

const one = (errcode: string): SchemaObject => ({ const: errcode });

const ERROR = named("Error", object({ errcode: TEXT, error: TEXT }));

const MISSING_PERMISSION = named("MissingPermission", {
  description: "Who asks lacks the permission that is named.",
  ...object({
    errcode: one("M_FORBIDDEN"),
    error: TEXT,
    "org.myelin.permission": TEXT,
  }),
});

const OUTRANKED = named("Outranked", {
  description: "Whom it is about has powers that who asks does not have.",
  ...object({
    errcode: one("M_FORBIDDEN"),
    error: TEXT,
    "org.myelin.reason": one("target"),
  }),
});

const APPROVAL_REQUIRED = named("ApprovalRequired", {
  description:
    "Somebody else has to approve it first: the same request, sent again when they have, is let through.",
  ...object({
    errcode: one("ORG_MYELIN_APPROVAL_REQUIRED"),
    error: TEXT,
    approval_id: TEXT,
  }),
});

const CASE_REQUIRED = named("CaseRequired", {
  description: "It takes a case and a reason.",
  ...object({ errcode: one("ORG_MYELIN_CASE_REQUIRED"), error: TEXT }),
});

const HELD = named("Held", {
  description: "A legal hold keeps it.",
  ...object({
    errcode: one("M_FORBIDDEN"),
    error: TEXT,
    "org.myelin.held": BOOLEAN,
  }),
});

const REFUSED_BY_POLICY = named("RefusedByPolicy", {
  description: "A policy refuses it.",
  ...object({
    errcode: one("M_FORBIDDEN"),
    error: TEXT,
    "org.myelin.policy": TEXT,
  }),
});

const CHANGED_MEANWHILE = named("ChangedMeanwhile", {
  description: "Somebody else changed it: this is its version now.",
  ...object({
    errcode: one("M_BAD_STATE"),
    error: TEXT,
    "org.myelin.version": COUNT,
  }),
});

const FAULTY_LIST = named("FaultyList", {
  description: "What is wrong in a list, line by line.",
  ...object({
    errcode: one("M_INVALID_PARAM"),
    error: TEXT,
    "org.myelin.faults": arrayOf(
      object({ line: COUNT, errcode: TEXT, error: TEXT }, { column: TEXT }),
    ),
  }),
});

const UNAUTHORIZED = named("Unauthorized", {
  description: "The access token is missing, or good for nothing any more.",
  ...object(
    {
      errcode: oneOf([
        ...["M_MISSING_TOKEN", "M_UNKNOWN_TOKEN"],
        ...["M_USER_LOCKED", "M_UNAUTHORIZED"],
      ]),
      error: TEXT,
    },
    { soft_logout: BOOLEAN },
  ),
});

const TOO_MANY = named("LimitExceeded", {
  description: "Too much was asked for in too short a time.",
  ...object(
    { errcode: one("M_LIMIT_EXCEEDED"), error: TEXT },
    { retry_after_ms: COUNT },
  ),
});

export interface Refusal {
  status: string;
  says: string;
  schema: SchemaObject;
}

/** How requests are refused, by the name that operations call it by. */
export const REFUSALS = {
  BadRequest: {
    status: "400",
    says: "What was sent is not as described.",
    schema: { anyOf: [FAULTY_LIST, ERROR] },
  },
  Unauthorized: {
    status: "401",
    says: "It takes an access token.",
    schema: UNAUTHORIZED,
  },
  Forbidden: {
    status: "403",
    says: "Who asks may not do this, or not yet.",
    schema: {
      anyOf: [
        ...[MISSING_PERMISSION, APPROVAL_REQUIRED, CASE_REQUIRED],
        ...[OUTRANKED, REFUSED_BY_POLICY, HELD, CHANGED_MEANWHILE, ERROR],
      ],
    },
  },
  NotFound: {
    status: "404",
    says: "There is no such thing here.",
    schema: ERROR,
  },
  LimitExceeded: {
    status: "429",
    says: "Come back later, as `Retry-After` says.",
    schema: TOO_MANY,
  },
  Fault: { status: "default", says: "Any other refusal.", schema: ERROR },
} as const satisfies Record<string, Refusal>;

export type RefusalName = keyof typeof REFUSALS;
