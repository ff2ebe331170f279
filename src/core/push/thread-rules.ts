import { THREAD_SUBSCRIPTION } from "./conditions.ts";
import { THREAD_RULES } from "./default-rules.ts";
import { getPushRule, setPushRuleEnabled } from "./edit.ts";
import type { PushRuleset } from "./ruleset.ts";

/** The ruleset with the rules for threads switched on; undefined where they are. */
export function withThreadRules(ruleset: PushRuleset): PushRuleset | undefined {
  const off = THREAD_RULES.filter(
    (id) => !getPushRule(ruleset, "postcontent", id).enabled,
  );
  if (off.length === 0) return undefined;
  return off.reduce(
    (changed, id) => setPushRuleEnabled(changed, "postcontent", id, true),
    ruleset,
  );
}

/** Whether it matters to a ruleset which threads its user follows. */
export const asksForThreads = ({
  override,
  postcontent,
  underride,
}: PushRuleset): boolean =>
  [postcontent, override, underride].some((rules) =>
    rules.some(
      ({ enabled, conditions = [] }) =>
        enabled && conditions.some(({ kind }) => kind === THREAD_SUBSCRIPTION),
    ),
  );
