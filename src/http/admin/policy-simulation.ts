import {
  POLICY_ACTIONS,
  type PolicyAction,
} from "../../core/policy/document.ts";
import type { PolicyDecision } from "../../core/policy/decide.ts";
import type { JsonObject } from "../../core/json.ts";
import {
  simulatePolicy,
  type TriedCase,
} from "../../domain/policies/simulate.ts";
import { endpoint } from "../endpoint.ts";
import {
  arrayOf,
  BOOLEAN,
  INTEGER,
  named,
  object,
  oneOf,
  ROOM_ID,
  TEXT,
  USER_ID,
} from "../json-schema.ts";
import { NAME } from "./names.ts";
import { parsePolicy, policySchema } from "./policy-schema.ts";

interface CaseBody {
  user_id: string;
  action: PolicyAction;
  room_id?: string;
  event_type?: string;
  permission?: string;
  env?: { network?: string; verified_device?: boolean; ts?: number };
}

interface SimulationBody {
  policy_id: string;
  version?: number;
  document?: JsonObject;
  cases?: CaseBody[];
  last?: number;
}

const id = { type: "string", minLength: 1, maxLength: 255 };
const version = { type: "integer", minimum: 1, maximum: 1_000_000 };

const caseSchema = {
  type: "object",
  properties: {
    user_id: id,
    action: { type: "string", enum: [...POLICY_ACTIONS] },
    room_id: id,
    event_type: id,
    permission: id,
    env: {
      type: "object",
      properties: {
        network: { type: "string", maxLength: 64 },
        verified_device: { type: "boolean" },
        ts: { type: "integer", minimum: 0, maximum: 8_640_000_000_000_000 },
      },
    },
  },
  required: ["user_id", "action"],
};

const caseOf = ({ env = {}, ...of }: CaseBody): TriedCase => ({
  userId: of.user_id,
  action: of.action,
  ...(of.room_id !== undefined && { roomId: of.room_id }),
  ...(of.event_type !== undefined && { eventType: of.event_type }),
  ...(of.permission !== undefined && { permission: of.permission }),
  ...(env.network !== undefined && { ip: env.network }),
  ...(env.verified_device !== undefined && { isVerified: env.verified_device }),
  ...(env.ts !== undefined && { ts: env.ts }),
});

const decisionJson = ({ isAllowed, by }: PolicyDecision) => ({
  allowed: isAllowed,
  ...(by && {
    policy_id: by.policyId,
    version: by.version,
    rule: by.rule,
  }),
});

const DECISION = named(
  "PolicyDecision",
  object(
    { allowed: BOOLEAN },
    { policy_id: TEXT, version: INTEGER, rule: TEXT },
  ),
);

const simulation = {
  type: "object",
  properties: {
    policy_id: NAME,
    version,
    document: { type: "object" },
    cases: { type: "array", maxItems: 1000, items: caseSchema },
    last: { type: "integer", minimum: 1, maximum: 1000 },
  },
  required: ["policy_id"],
};

/** What would be decided of cases, or of what people did last, if a version were in force. */
export const postPolicySimulation = endpoint<{ body: SimulationBody }>({
  method: "post",
  path: "/_myelin/admin/v1/policies/simulate",
  auth: "admin",
  permission: "policies.write",
  rateLimit: "admin",
  maxBodyBytes: 1024 * 1024,
  body: simulation,
  doc: {
    id: "simulatePolicy",
    says: "Tells what would be decided of cases, or of what people did last, if a version were in force.",
    answers: object({
      results: arrayOf(
        object(
          {
            user_id: USER_ID,
            action: oneOf(POLICY_ACTIONS),
            now: DECISION,
            then: DECISION,
          },
          { room_id: ROOM_ID, event_type: TEXT },
        ),
      ),
    }),
    takes: {
      ...simulation,
      properties: { ...simulation.properties, document: policySchema },
    },
  },
  async handle(edges, { body }) {
    const { policy_id: policyId, document, cases = [], last } = body;
    const trial = {
      policyId,
      ...(body.version !== undefined && { version: body.version }),
      ...(document && { document: parsePolicy(document) }),
    };
    const asked = last === undefined ? cases.map(caseOf) : { last };
    const results = await simulatePolicy(edges, trial, asked);
    return {
      results: results.map(({ case: of, now, then }) => ({
        user_id: of.userId,
        action: of.action,
        ...(of.roomId !== undefined && { room_id: of.roomId }),
        ...(of.eventType !== undefined && { event_type: of.eventType }),
        now: decisionJson(now),
        then: decisionJson(then),
      })),
    };
  },
});
