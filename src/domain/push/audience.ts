import type { Edges } from "../../edges.ts";
import { KeywordIndex } from "../../core/push/keyword-index.ts";
import type { PushRuleset } from "../../core/push/ruleset.ts";
import { asksForThreads } from "../../core/push/thread-rules.ts";
import { countJoinedMembers } from "../../storage/memberships.ts";
import {
  listAudience,
  listAudienceChanges,
  type PushMode,
} from "../../storage/push.ts";
import { openedSlot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import type { RoomIdentity } from "../rooms/room-identity.ts";
import { isHighlight } from "./push-mode.ts";
import { followRules, readRulesets } from "./rulesets.ts";

/** Members of a room for whom the running counts are not enough. */
export interface Audience {
  /** Evaluated one by one: every event that notifies them is a row. */
  rows: readonly { userId: string; ruleset: PushRuleset }[];
  /** To whom of these it matters which threads they follow. */
  followers: readonly string[];
  /** Who waits for a pattern, and how important it is among that user's patterns. */
  keywords: KeywordIndex<readonly Keyword[]>;
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

const indexOf = (keywords: ReadonlyMap<string, readonly Keyword[]>) =>
  new KeywordIndex(keywords, (some, more) => [...some, ...more]);

const NOBODY: Audience = {
  rows: [],
  followers: [],
  keywords: indexOf(new Map()),
  memberCount: 0,
};

const entries = openedSlot(
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
  const counts = await countJoinedMembers(
    edges.db,
    rows.length > 0 ? [roomNid] : [],
  );
  const followers = rows.filter(({ ruleset }) => asksForThreads(ruleset));
  return {
    rows,
    followers: followers.map(({ userId }) => userId),
    keywords: indexOf(keywords),
    memberCount: counts.get(roomNid) ?? 0,
  };
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
