import type {
  Attribute,
  Attributes,
  Condition,
  NamedPolicy,
  PolicyAction,
  Term,
} from "./document.ts";
import { isWithinTime } from "./time-window.ts";

/** How somebody comes. What is undefined is not known. */
export interface PolicyEnvironment {
  /** Whether they come from one of these networks. */
  isWithin(networks: readonly string[]): boolean | undefined;
  isVerified: boolean | undefined;
  now: number;
}

/** All that a decision rests on. */
export interface PolicyFacts {
  user: Attributes;
  resource: Attributes;
  env: PolicyEnvironment;
}

/** The rule that decided; absent where none matched. */
export interface DecidingRule {
  policyId: string;
  version: number;
  rule: string;
}

export interface PolicyDecision {
  isAllowed: boolean;
  by?: DecidingRule;
}

/** What is made of a rule of which it is not known whether it matches. */
export type Doubt = "deny" | "allow";

const ALLOWED: PolicyDecision = { isAllowed: true };

/**
 * Whether these policies allow something: each of them has to. Within one the first rule
 * that matches decides; where something is not known of how somebody comes, `doubt` says
 * whether rules that deny match, or those that allow.
 */
export function decide(
  policies: readonly NamedPolicy[],
  action: PolicyAction,
  facts: PolicyFacts,
  doubt: Doubt,
): PolicyDecision {
  let last = ALLOWED;
  for (const policy of policies) {
    const decision = decideBy(policy, action, facts, doubt);
    if (!decision.isAllowed) return decision;
    if (decision.by) last = decision;
  }
  return last;
}

function decideBy(
  { policyId, version, document }: NamedPolicy,
  action: PolicyAction,
  facts: PolicyFacts,
  doubt: Doubt,
): PolicyDecision {
  for (const { name, effect, actions, when } of document.rules) {
    if (!actions.includes(action)) continue;
    const isMatch = when === undefined ? true : holds(when, facts);
    if (isMatch ?? effect === doubt) {
      const by = { policyId, version, rule: name };
      return { isAllowed: effect === "allow", by };
    }
  }
  return ALLOWED;
}

/** Whether a condition holds; undefined where that is not known. */
export function holds(
  condition: Condition,
  facts: PolicyFacts,
): boolean | undefined {
  if ("all" in condition)
    return every(condition.all.map((part) => holds(part, facts)));
  if ("any" in condition)
    return not(every(condition.any.map((part) => not(holds(part, facts)))));
  if ("not" in condition) return not(holds(condition.not, facts));
  if ("cidr" in condition) return facts.env.isWithin(condition.cidr);
  if ("time" in condition) return isWithinTime(condition.time, facts.env.now);
  if ("eq" in condition) return compare(condition.eq, facts, isEqual);
  if ("in" in condition) return compare(condition.in, facts, isIn);
  return compare(condition.gte, facts, isAtLeast);
}

const not = (value: boolean | undefined): boolean | undefined =>
  value === undefined ? undefined : !value;

const every = (values: readonly (boolean | undefined)[]) => {
  if (values.includes(false)) return false;
  return values.includes(undefined) ? undefined : true;
};

type Value = Attribute | undefined;

function compare(
  [left, right]: readonly [Term, Term],
  facts: PolicyFacts,
  test: (left: Value, right: Value) => boolean,
): boolean | undefined {
  const outcomeIf = (isVerified: boolean | undefined) =>
    test(valueOf(left, facts, isVerified), valueOf(right, facts, isVerified));
  const { isVerified } = facts.env;
  if (isVerified !== undefined) return outcomeIf(isVerified);
  // Where it makes no difference, it does not have to be known.
  const outcome = outcomeIf(true);
  return outcome === outcomeIf(false) ? outcome : undefined;
}

const isAttribute = (term: Term): term is Attribute =>
  typeof term !== "object" || Array.isArray(term);

function valueOf(
  term: Term,
  { user, resource }: PolicyFacts,
  isVerified: boolean | undefined,
): Value {
  if (isAttribute(term)) return term;
  if ("user" in term) return ownOf(user, term.user);
  return "resource" in term ? ownOf(resource, term.resource) : isVerified;
}

const ownOf = (attributes: Attributes, name: string): Value =>
  Object.hasOwn(attributes, name) ? attributes[name] : undefined;

/** What is not set equals nothing. */
const isEqual = (left: Value, right: Value): boolean =>
  left !== undefined && typeof left !== "object" && left === right;

/** Whether one of the left is one of the right. */
function isIn(left: Value, right: Value): boolean {
  const those = listOf(right);
  return listOf(left).some((value) => those.includes(value));
}

const listOf = (value: Value): readonly Attribute[] =>
  value === undefined ? [] : typeof value === "object" ? value : [value];

const isAtLeast = (left: Value, right: Value): boolean =>
  typeof left === "number" && typeof right === "number" && left >= right;
