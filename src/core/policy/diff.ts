import type { PolicyDocument, PolicyRule } from "./document.ts";

export interface PolicyDiff {
  added: PolicyRule[];
  removed: PolicyRule[];
  changed: { from: PolicyRule; to: PolicyRule }[];
  /** The order of the rules that both have is another. */
  isReordered: boolean;
}

/** What another version has other than one, rule by rule. */
export function diffPolicies(
  from: PolicyDocument,
  to: PolicyDocument,
): PolicyDiff {
  const before = new Map(from.rules.map((rule) => [rule.name, rule]));
  const after = new Map(to.rules.map((rule) => [rule.name, rule]));
  const kept = from.rules.filter(({ name }) => after.has(name));
  const order = to.rules.filter(({ name }) => before.has(name));
  return {
    added: to.rules.filter(({ name }) => !before.has(name)),
    removed: from.rules.filter(({ name }) => !after.has(name)),
    changed: kept.flatMap((rule) => {
      const other = after.get(rule.name)!;
      const isSame = JSON.stringify(rule) === JSON.stringify(other);
      return isSame ? [] : [{ from: rule, to: other }];
    }),
    isReordered: kept.some(({ name }, i) => order[i]?.name !== name),
  };
}
