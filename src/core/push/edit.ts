import { MatrixError } from "../errors.ts";
import {
  assertPushRuleId,
  parsePushActions,
  parsePushRuleBody,
} from "./rule-body.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import {
  pushRuleKinds,
  type PushRule,
  type PushRuleKind,
  type PushRuleset,
} from "./ruleset.ts";

const MAX_OWN_RULES = 10_000;

/** Where a rule goes among those of its kind. */
export interface PushRulePlace {
  /** Next more important than this rule; wins over `after`. */
  before?: string;
  /** Next less important than this rule. */
  after?: string;
}

/** @throws MatrixError M_NOT_FOUND */
export function getPushRule(
  ruleset: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
): PushRule {
  const rule = ruleset[kind].find(({ rule_id }) => rule_id === ruleId);
  if (rule === undefined) {
    throw new MatrixError("M_NOT_FOUND", "The push rule was not found.");
  }
  return rule;
}

/**
 * The ruleset with a user's rule added or replaced. A replaced rule stays
 * enabled or disabled, and where it is unless a place is named.
 *
 * @throws MatrixError M_INVALID_PARAM, M_MISSING_PARAM, M_TOO_LARGE, and
 * M_UNKNOWN if the rule of the place does not exist
 */
export function setPushRule(
  ruleset: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
  body: JsonObject,
  place: PushRulePlace = {},
): PushRuleset {
  assertPushRuleId(ruleId);
  const rules = ruleset[kind];
  const known = rules.findIndex(({ rule_id }) => rule_id === ruleId);
  const rule: PushRule = {
    rule_id: ruleId,
    default: false,
    // When creating push rules, they MUST be enabled by default.
    enabled: rules[known]?.enabled ?? true,
    ...parsePushRuleBody(kind, body),
  };
  if (known === -1 && countOwnRules(ruleset) >= MAX_OWN_RULES) {
    throw new MatrixError(
      "M_TOO_LARGE",
      `A user can have no more than ${MAX_OWN_RULES} push rules.`,
    );
  }
  const others = rules.filter(({ rule_id }) => rule_id !== ruleId);
  const index = findPlace(others, place, known);
  return { ...ruleset, [kind]: others.toSpliced(index, 0, rule) };
}

/** @throws MatrixError M_NOT_FOUND, for default rules too: they can only be disabled */
export function deletePushRule(
  ruleset: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
): PushRuleset {
  const rule = getPushRule(ruleset, kind, ruleId);
  if (rule.default) {
    throw new MatrixError(
      "M_NOT_FOUND",
      "Default push rules cannot be deleted, only disabled.",
    );
  }
  const rules = ruleset[kind].filter((known) => known !== rule);
  return { ...ruleset, [kind]: rules };
}

/** @throws MatrixError M_NOT_FOUND */
export const setPushRuleEnabled = (
  ruleset: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
  enabled: boolean,
): PushRuleset => changeRule(ruleset, kind, ruleId, { enabled });

/** @throws MatrixError M_NOT_FOUND, M_INVALID_PARAM */
export const setPushRuleActions = (
  ruleset: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
  actions: JsonValue | undefined,
): PushRuleset =>
  changeRule(ruleset, kind, ruleId, { actions: parsePushActions(actions) });

function changeRule(
  ruleset: PushRuleset,
  kind: PushRuleKind,
  ruleId: string,
  change: Partial<PushRule>,
): PushRuleset {
  const rule = getPushRule(ruleset, kind, ruleId);
  const rules = ruleset[kind].map((known) =>
    known === rule ? { ...known, ...change } : known,
  );
  return { ...ruleset, [kind]: rules };
}

const countOwnRules = (ruleset: PushRuleset): number =>
  pushRuleKinds.reduce(
    (count, kind) =>
      count + ruleset[kind].filter((rule) => !rule.default).length,
    0,
  );

/** Rules stand in order of importance, the user's own after `.m.rule.master`. */
function findPlace(
  others: readonly PushRule[],
  { before, after }: PushRulePlace,
  known: number,
): number {
  // If both after and before are provided, the new or updated rule must be the next most
  // important rule with respect to the rule identified by before.
  const anchor = before ?? after;
  if (anchor !== undefined) {
    const index = others.findIndex(
      (rule) => rule.rule_id === anchor && !rule.default,
    );
    if (index === -1) {
      throw new MatrixError(
        "M_UNKNOWN",
        `before/after rule not found: ${anchor}`,
      );
    }
    return before === undefined ? index + 1 : index;
  }
  if (known !== -1) return known;
  // If neither after nor before are provided and the rule is created, it should be added as
  // the most important user defined rule among rules of the same kind.
  return others[0]?.rule_id === ".m.rule.master" ? 1 : 0;
}
