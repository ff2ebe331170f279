import type { JsonObject } from "../json.ts";
import { type PushRule, pushRuleKinds, type PushRuleset } from "./ruleset.ts";

/**
 * A ruleset in which each rule about one room has its like about another one
 * right behind it; undefined where no rule is about the room.
 */
export function copyRoomRules(
  ruleset: PushRuleset,
  from: string,
  to: string,
): PushRuleset | undefined {
  let isChanged = false;
  const kinds = pushRuleKinds.map((kind) => {
    const taken = new Set(ruleset[kind].map(({ rule_id }) => rule_id));
    const rules = ruleset[kind].flatMap((rule) => {
      const copy = copyOf(rule, kind === "room", from, to);
      if (!copy || taken.has(copy.rule_id)) return [rule];
      isChanged = true;
      taken.add(copy.rule_id);
      return [rule, copy];
    });
    return [kind, rules] as const;
  });
  return isChanged
    ? (Object.fromEntries(kinds) as unknown as PushRuleset)
    : undefined;
}

function copyOf(
  rule: PushRule,
  isRoomRule: boolean,
  from: string,
  to: string,
): PushRule | undefined {
  if (rule.default) return undefined;
  if (isRoomRule) {
    return rule.rule_id === from ? { ...rule, rule_id: to } : undefined;
  }
  const { conditions = [], rule_id: id } = rule;
  if (!conditions.some((condition) => isAbout(condition, from))) {
    return undefined;
  }
  return {
    ...rule,
    rule_id: id.includes(from) ? id.replaceAll(from, () => to) : `${id} ${to}`,
    conditions: conditions.map((condition) =>
      isAbout(condition, from) ? { ...condition, pattern: to } : condition,
    ),
  };
}

const isAbout = (condition: JsonObject, roomId: string): boolean =>
  condition["kind"] === "event_match" &&
  condition["key"] === "room_id" &&
  condition["pattern"] === roomId;
