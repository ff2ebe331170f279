import type { JsonObject, JsonValue } from "../../core/json.ts";
import {
  deletePushRule,
  getPushRule,
  setPushRule,
  setPushRuleActions,
  setPushRuleEnabled,
} from "../../core/push/edit.ts";
import { isPushRuleKind, type PushRuleKind } from "../../core/push/ruleset.ts";
import { changeRuleset, readRuleset } from "../../domain/push/push-rules.ts";
import { endpoint } from "../endpoint.ts";
import { idParam } from "../params.ts";

const RULE = "/_matrix/client/v3/pushrules/global/:kind/:ruleId";
const MAX_RULE_BYTES = 16 * 1024;

interface RuleParams {
  kind: PushRuleKind;
  ruleId: string;
}

const params = {
  kind: idParam(
    (text): text is PushRuleKind => isPushRuleKind(text),
    "a kind of push rules",
  ),
};

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrules */
export const getPushRules = endpoint({
  method: "get",
  path: "/_matrix/client/v3/pushrules/",
  auth: "user",
  async handle(edges, { requester }) {
    return { global: await readRuleset(edges, requester.userId) };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobal */
export const getGlobalPushRules = endpoint({
  method: "get",
  path: "/_matrix/client/v3/pushrules/global/",
  auth: "user",
  async handle(edges, { requester }) {
    return readRuleset(edges, requester.userId);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleid */
export const getOnePushRule = endpoint<{ params: RuleParams }>({
  method: "get",
  path: RULE,
  params,
  auth: "user",
  async handle(edges, { requester, params: { kind, ruleId } }) {
    const ruleset = await readRuleset(edges, requester.userId);
    return getPushRule(ruleset, kind, ruleId);
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid */
export const putPushRule = endpoint<{
  params: RuleParams;
  query: { before?: string; after?: string };
  body: JsonObject;
}>({
  method: "put",
  path: RULE,
  params,
  auth: "user",
  rateLimit: "other",
  maxBodyBytes: MAX_RULE_BYTES,
  body: { type: "object" },
  query: {
    type: "object",
    properties: { before: { type: "string" }, after: { type: "string" } },
  },
  statuses: { M_TOO_LARGE: 400 },
  async handle(edges, { requester, params: { kind, ruleId }, query, body }) {
    await changeRuleset(edges, requester.userId, (ruleset) =>
      setPushRule(ruleset, kind, ruleId, body, query),
    );
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3pushrulesglobalkindruleid */
export const deleteOnePushRule = endpoint<{ params: RuleParams }>({
  method: "delete",
  path: RULE,
  params,
  auth: "user",
  rateLimit: "other",
  async handle(edges, { requester, params: { kind, ruleId } }) {
    await changeRuleset(edges, requester.userId, (ruleset) =>
      deletePushRule(ruleset, kind, ruleId),
    );
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidenabled */
export const getPushRuleEnabled = endpoint<{ params: RuleParams }>({
  method: "get",
  path: `${RULE}/enabled`,
  params,
  auth: "user",
  async handle(edges, { requester, params: { kind, ruleId } }) {
    const ruleset = await readRuleset(edges, requester.userId);
    return { enabled: getPushRule(ruleset, kind, ruleId).enabled };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidenabled */
export const putPushRuleEnabled = endpoint<{
  params: RuleParams;
  body: { enabled: boolean };
}>({
  method: "put",
  path: `${RULE}/enabled`,
  params,
  auth: "user",
  rateLimit: "other",
  maxBodyBytes: MAX_RULE_BYTES,
  body: {
    type: "object",
    required: ["enabled"],
    properties: { enabled: { type: "boolean" } },
  },
  async handle(edges, { requester, params: { kind, ruleId }, body }) {
    await changeRuleset(edges, requester.userId, (ruleset) =>
      setPushRuleEnabled(ruleset, kind, ruleId, body.enabled),
    );
    return {};
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrulesglobalkindruleidactions */
export const getPushRuleActions = endpoint<{ params: RuleParams }>({
  method: "get",
  path: `${RULE}/actions`,
  params,
  auth: "user",
  async handle(edges, { requester, params: { kind, ruleId } }) {
    const ruleset = await readRuleset(edges, requester.userId);
    return { actions: getPushRule(ruleset, kind, ruleId).actions };
  },
});

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidactions */
export const putPushRuleActions = endpoint<{
  params: RuleParams;
  body: { actions: JsonValue };
}>({
  method: "put",
  path: `${RULE}/actions`,
  params,
  auth: "user",
  rateLimit: "other",
  maxBodyBytes: MAX_RULE_BYTES,
  body: {
    type: "object",
    required: ["actions"],
    properties: { actions: { type: "array" } },
  },
  statuses: { M_TOO_LARGE: 400 },
  async handle(edges, { requester, params: { kind, ruleId }, body }) {
    await changeRuleset(edges, requester.userId, (ruleset) =>
      setPushRuleActions(ruleset, kind, ruleId, body.actions),
    );
    return {};
  },
});
