import {
  POLICY_ACTIONS,
  WEEKDAYS,
  type PolicyDocument,
} from "../../core/policy/document.ts";
import { assertValid, compileSchema } from "../schema.ts";

const name = { type: "string", pattern: "^[a-z][a-z0-9_]{0,62}$" };
const text = { type: "string", maxLength: 255 };
const integer = {
  type: "integer",
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
};
const clock = { type: "string", pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$" };

/** What an attribute may hold. */
export const attributesSchema = {
  title: "Attributes",
  type: "object",
  maxProperties: 50,
  propertyNames: name,
  additionalProperties: {
    anyOf: [
      text,
      integer,
      { type: "boolean" },
      { type: "array", maxItems: 100, items: text },
    ],
  },
};

const one = {
  type: "object",
  minProperties: 1,
  maxProperties: 1,
  additionalProperties: false,
};
const ref = (to: string) => ({ $ref: `#/definitions/${to}` });
const list = (items: object, minItems = 1) => ({
  type: "array",
  minItems,
  maxItems: 100,
  items,
});
const two = {
  type: "array",
  minItems: 2,
  maxItems: 2,
  items: ref("PolicyTerm"),
};

const definitions = {
  PolicyTerm: {
    anyOf: [
      text,
      integer,
      { type: "boolean" },
      list({ anyOf: [text, integer, { type: "boolean" }] }, 0),
      {
        ...one,
        properties: {
          user: name,
          resource: name,
          env: { type: "string", enum: ["verified_device"] },
        },
      },
    ],
  },
  PolicyCondition: {
    ...one,
    properties: {
      all: list(ref("PolicyCondition")),
      any: list(ref("PolicyCondition")),
      not: ref("PolicyCondition"),
      eq: two,
      in: two,
      gte: two,
      cidr: list({ type: "string", maxLength: 64 }),
      time: {
        type: "object",
        properties: {
          zone: { type: "string", minLength: 1, maxLength: 64 },
          days: list({ type: "string", enum: [...WEEKDAYS] }),
          from: clock,
          to: {
            type: "string",
            pattern: "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
          },
        },
        required: ["zone"],
        additionalProperties: false,
      },
    },
  },
  PolicyRule: {
    type: "object",
    properties: {
      name: { type: "string", minLength: 1, maxLength: 128 },
      effect: { type: "string", enum: ["deny", "allow"] },
      actions: list({ type: "string", enum: [...POLICY_ACTIONS] }),
      when: ref("PolicyCondition"),
    },
    required: ["name", "effect", "actions"],
    additionalProperties: false,
  },
};

/** Rules in order: the first that matches decides. */
export const policySchema = {
  title: "PolicyDocument",
  type: "object",
  definitions,
  properties: {
    description: { type: "string", maxLength: 1024 },
    rules: list(ref("PolicyRule")),
  },
  required: ["rules"],
  additionalProperties: false,
};

/** A rule, where the document itself stands beside it. */
export const policyRule = ref("PolicyRule");

const findFault = compileSchema(policySchema);

/** @throws MatrixError M_INVALID_PARAM for what is no policy */
export function parsePolicy(value: unknown): PolicyDocument {
  assertValid(findFault, value, "M_INVALID_PARAM");
  return value as PolicyDocument;
}
