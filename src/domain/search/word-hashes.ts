import type { Edges } from "../../edges.ts";
import { listSearchSpans, type SearchSpan } from "../../storage/search.ts";

/** What the hashes of a month's words are bound to: they say nothing of another room or month. */
export const wordsContext = ({
  roomNid,
  span,
}: Pick<SearchSpan, "roomNid" | "span">): string =>
  `search_events.words ${roomNid} ${span}`;

/** Months of rooms that one search looks into, the newest first. */
const MOST_SPANS = 20_000;
/** Hashes of one search: some 2 µs for each. The first word is hashed in any case. */
const MOST_HASHES = 40_000;

/**
 * The hashes of words in all months of rooms, with two queries however many they are.
 * Of the last words there are none where the months are many.
 */
export async function hashesIn(
  { db, keyring }: Pick<Edges, "db" | "keyring">,
  roomNids: readonly number[],
  words: readonly string[],
): Promise<string[][]> {
  const spans = await listSearchSpans(db, roomNids, MOST_SPANS);
  const keys = await keyring.findByIds(spans.map(({ keyId }) => keyId));
  const most = Math.max(1, Math.floor(MOST_HASHES / (spans.length || 1)));
  const some = words.slice(0, most);
  const hashes = some.map((): string[] => []);
  for (const span of spans) {
    const key = span.keyId === 0 ? { keyId: 0 } : keys.get(span.keyId);
    // Destroyed: its words are found again when they were read anew.
    if (!key) continue;
    keyring
      .hashWords(some, wordsContext(span), key)
      .forEach((hash, i) => hashes[i]!.push(hash));
  }
  return hashes;
}
