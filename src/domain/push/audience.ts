import type { Edges } from "../../edges.ts";
import type { PushRuleset } from "../../core/push/ruleset.ts";
import {
  countJoined,
  listAudience,
  listAudienceChanges,
  listStoredPushRules,
  type PushMode,
} from "../../storage/push.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { accountDataContext } from "../accounts/account-data.ts";
import type { RoomIdentity } from "../rooms/room-identity.ts";
import { isHighlight } from "./push-mode.ts";
import {
  parseStoredRules,
  PUSH_RULES,
  PUSH_RULES_TOPIC,
} from "./push-rules.ts";

/** Members of a room for whom the running counts are not enough. */
export interface Audience {
  /** Evaluated one by one: every event that notifies them is a row. */
  rows: readonly { userId: string; ruleset: PushRuleset }[];
  /** Who waits for a pattern, and how important it is among that user's patterns. */
  keywords: ReadonlyMap<string, readonly Keyword[]>;
  memberCount: number;
  /** All changes of push rules up to here are in it. */
  rulesSeen?: number;
}

export interface Keyword {
  userId: string;
  rank: number;
  isHighlight: boolean;
}

export type AudienceEdges = Pick<
  Edges,
  "db" | "keyring" | "memory" | "notifier"
>;

interface Entry {
  stateVersion: number;
  rulesVersion: number;
  /** All changes up to here are in `modes`. */
  asOf: number;
  modes: ReadonlyMap<string, PushMode>;
  audience: Audience;
}

const NOBODY: Audience = { rows: [], keywords: new Map(), memberCount: 0 };

const entries = slot(
  () =>
    new WeightedCache<number, Entry>(1_000_000, ({ modes }) => 1 + modes.size),
);

/**
 * A room's audience at a state version. It is brought up to date by what changed:
 * members who came and went, and rules that were set.
 */
export async function readAudience(
  edges: AudienceEdges,
  room: RoomIdentity,
  stateVersion: number | null,
): Promise<Audience> {
  // A room that is just being made has no members whose rules would matter.
  if (stateVersion === null) return NOBODY;
  const rulesVersion = followRules(edges);
  const asOf = edges.notifier.position;
  const cache = edges.memory.of(entries);
  const known = cache.get(room.roomNid);
  if (
    known?.stateVersion === stateVersion &&
    known.rulesVersion === rulesVersion
  ) {
    return { ...known.audience, rulesSeen: asOf };
  }
  const changes = known
    ? await listAudienceChanges(edges.db, room, known.asOf)
    : await listAudience(edges.db, room);
  const modes = new Map(known?.modes);
  for (const { userId, mode, isJoined } of changes) {
    if (isJoined) modes.set(userId, mode);
    else modes.delete(userId);
  }
  const audience = await build(edges, room, modes);
  const entry = { stateVersion, rulesVersion, asOf, modes, audience };
  cache.set(room.roomNid, entry);
  return { ...audience, rulesSeen: asOf };
}

async function build(
  edges: AudienceEdges,
  { roomNid }: RoomIdentity,
  modes: ReadonlyMap<string, PushMode>,
): Promise<Audience> {
  if (modes.size === 0) return NOBODY;
  const rulesets = await readRulesets(edges, [...modes.keys()]);
  const rows: { userId: string; ruleset: PushRuleset }[] = [];
  const keywords = new Map<string, Keyword[]>();
  for (const [userId, ruleset] of rulesets) {
    if (modes.get(userId) === "rows") rows.push({ userId, ruleset });
    else addKeywords(keywords, userId, ruleset);
  }
  const memberCount =
    rows.length > 0 ? await countJoined(edges.db, roomNid) : 0;
  return { rows, keywords, memberCount };
}

function addKeywords(
  keywords: Map<string, Keyword[]>,
  userId: string,
  { content }: PushRuleset,
): void {
  content.forEach(({ enabled, pattern, actions }, rank) => {
    if (!enabled || pattern === undefined) return;
    const keyword = { userId, rank, isHighlight: isHighlight({ actions }) };
    const list = keywords.get(pattern);
    if (list) list.push(keyword);
    else keywords.set(pattern, [keyword]);
  });
}

/** What this process knows of everybody's rules, and up to where it has followed. */
interface RulesMemory {
  asOf: number;
  /** Rises when anybody's rules change. */
  version: number;
  rulesets: WeightedCache<string, { ruleset: PushRuleset; weight: number }>;
}

const newRulesets = (): RulesMemory["rulesets"] =>
  new WeightedCache(64 * 1024 * 1024, ({ weight }) => weight);

const rulesMemory = slot((): RulesMemory => ({
  asOf: -1,
  version: 0,
  rulesets: newRulesets(),
}));

/** Forgets rules that were changed since it was last asked. */
function followRules({
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

async function readRulesets(
  { db, keyring, memory }: AudienceEdges,
  userIds: readonly string[],
): Promise<Map<string, PushRuleset>> {
  const known = memory.of(rulesMemory);
  const { version, rulesets } = known;
  const found = new Map<string, PushRuleset>();
  const missing: string[] = [];
  for (const userId of userIds) {
    const cached = rulesets.get(userId);
    if (cached) found.set(userId, cached.ruleset);
    else missing.push(userId);
  }
  const rows = await listStoredPushRules(db, missing);
  const texts = await keyring.openAll(
    rows.map((row) => ({
      ...row,
      context: accountDataContext(row.userId, 0, PUSH_RULES),
    })),
  );
  rows.forEach(({ userId }, i) => {
    const text = texts[i];
    if (text === undefined) return;
    const ruleset = parseStoredRules(text, userId);
    found.set(userId, ruleset);
    // What was read may be older than a change that was heard of meanwhile.
    if (known.version === version) {
      rulesets.set(userId, { ruleset, weight: text.length * 2 + 500 });
    }
  });
  return found;
}
