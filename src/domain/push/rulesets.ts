import type { Edges } from "../../edges.ts";
import type { PushRuleset } from "../../core/push/ruleset.ts";
import { listStoredPushRules } from "../../storage/push.ts";
import { openedSlot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { accountDataContext } from "../accounts/account-data.ts";
import {
  parseStoredRules,
  PUSH_RULES,
  PUSH_RULES_TOPIC,
} from "./push-rules.ts";

/** What this process knows of everybody's rules, and up to where it has followed. */
interface RulesMemory {
  asOf: number;
  /** Rises when anybody's rules change. */
  version: number;
  rulesets: WeightedCache<string, Remembered>;
}

interface Remembered {
  /** Null for who has none but the default ones. */
  ruleset: PushRuleset | null;
  weight: number;
}

const newRulesets = (): RulesMemory["rulesets"] =>
  new WeightedCache(64 * 1024 * 1024, ({ weight }) => weight);

const rulesMemory = openedSlot((): RulesMemory => ({
  asOf: -1,
  version: 0,
  rulesets: newRulesets(),
}));

/** Forgets rules that were changed since it was last asked. */
export function followRules({
  memory,
  notifier,
}: Pick<Edges, "memory" | "notifier">): number {
  const known = memory.of(rulesMemory);
  const { position } = notifier;
  if (position === known.asOf) return known.version;
  const changes = notifier.changesSince(known.asOf);
  if (!changes) {
    known.version += 1;
    known.rulesets = newRulesets();
  } else if (changes.userIds.has(PUSH_RULES_TOPIC)) {
    known.version += 1;
    for (const userId of changes.userIds) known.rulesets.delete(userId);
  }
  known.asOf = position;
  return known.version;
}

/** The rules of those of the users who have stored any. */
export async function readRulesets(
  { db, keyring, memory }: Pick<Edges, "db" | "keyring" | "memory">,
  userIds: readonly string[],
): Promise<Map<string, PushRuleset>> {
  const known = memory.of(rulesMemory);
  const { version, rulesets } = known;
  const found = new Map<string, PushRuleset>();
  const missing: string[] = [];
  for (const userId of userIds) {
    const cached = rulesets.get(userId);
    if (!cached) missing.push(userId);
    else if (cached.ruleset) found.set(userId, cached.ruleset);
  }
  const rows = await listStoredPushRules(db, missing);
  const texts = await keyring.openAll(
    rows.map((row) => ({
      ...row,
      context: accountDataContext(row.userId, 0, PUSH_RULES),
    })),
  );
  const read = new Map<string, Remembered>(
    missing.map((userId) => [userId, { ruleset: null, weight: 200 }]),
  );
  rows.forEach(({ userId }, i) => {
    const text = texts[i];
    if (text === undefined) return;
    const ruleset = parseStoredRules(text, userId);
    found.set(userId, ruleset);
    read.set(userId, { ruleset, weight: text.length * 2 + 500 });
  });
  // What was read may be older than a change that was heard of meanwhile.
  if (known.version === version)
    for (const [userId, remembered] of read) rulesets.set(userId, remembered);
  return found;
}
