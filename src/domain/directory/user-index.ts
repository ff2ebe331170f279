import { foldText, piecesIn } from "../../core/words.ts";
import { compareCodePoints } from "../../core/code-points.ts";

/** Letters of a name without spaces that may begin what is looked for. */
const MOST_BEGINNINGS = 32;
/** Entries that are looked at before they are sorted in. */
const MOST_FRESH = 256;
/** Entries that one search looks at. */
const MOST_LOOKED_AT = 5_000;

interface Entry {
  word: string;
  userId: string;
}

/**
 * Users by the beginnings of the words in their names and ids. It holds what this
 * process has read and is never the truth: what it finds is asked for again.
 */
export class UserIndex {
  readonly #wordsOf = new Map<string, readonly string[]>();
  /** Display names, folded. */
  readonly #nameOf = new Map<string, string>();
  /** By word; some may be out of date. */
  #sorted: Entry[] = [];
  #fresh: Entry[] = [];
  #stale = 0;

  get size(): number {
    return this.#wordsOf.size;
  }

  has(userId: string): boolean {
    return this.#wordsOf.has(userId);
  }

  /** @param name the display name, where there is one */
  set(userId: string, texts: readonly string[], name?: string): void {
    this.delete(userId);
    if (name !== undefined) this.#nameOf.set(userId, foldText(name));
    const words = [...new Set(texts.flatMap(listBeginnings))];
    this.#wordsOf.set(userId, words);
    for (const word of words) this.#fresh.push({ word, userId });
  }

  delete(userId: string): void {
    const words = this.#wordsOf.get(userId);
    if (!words) return;
    this.#nameOf.delete(userId);
    this.#wordsOf.delete(userId);
    this.#stale += words.length;
  }

  /** Users whose display name holds a text, in any case. */
  named(text: string): string[] {
    const wanted = foldText(text);
    return [...this.#nameOf]
      .filter(([, name]) => name.includes(wanted))
      .map(([userId]) => userId);
  }

  /** All users who have a display name, in the order of those. */
  byName(): string[] {
    return [...this.#nameOf]
      .sort(
        ([a, x], [b, y]) => compareCodePoints(x, y) || compareCodePoints(a, b),
      )
      .map(([userId]) => userId);
  }

  /** Users who have a word that begins with each of these, the nearest first. */
  find(beginnings: readonly string[], most: number): string[] {
    const [longest] = beginnings.toSorted((a, b) => b.length - a.length);
    if (longest === undefined) return [];
    if (this.#fresh.length > MOST_FRESH) this.#sort();
    const ranks = new Map<string, number>();
    for (const { userId } of this.#startingWith(longest)) {
      const words = this.#wordsOf.get(userId);
      if (!words || ranks.has(userId)) continue;
      const rank = rankOf(words, beginnings);
      if (rank > 0) ranks.set(userId, rank);
    }
    // Ids are compared only of those that are shown: of a letter there are thousands.
    return [...ranks]
      .sort(([, x], [, y]) => y - x)
      .slice(0, most)
      .sort(([a, x], [b, y]) => y - x || compareCodePoints(a, b))
      .map(([userId]) => userId);
  }

  *#startingWith(beginning: string): Generator<Entry> {
    for (const entry of this.#fresh) {
      if (entry.word.startsWith(beginning)) yield entry;
    }
    let at = this.#placeOf(beginning);
    const end = at + MOST_LOOKED_AT;
    for (; at < end && at < this.#sorted.length; at += 1) {
      const entry = this.#sorted[at]!;
      if (!entry.word.startsWith(beginning)) break;
      yield entry;
    }
  }

  /** The first entry that is not before a word. */
  #placeOf(word: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]!.word < word) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #sort(): void {
    const all = [...this.#sorted, ...this.#fresh];
    const isStale = this.#stale * 2 > all.length;
    const kept = isStale
      ? all.filter(({ word, userId }) =>
          this.#wordsOf.get(userId)?.includes(word),
        )
      : all;
    if (isStale) this.#stale = 0;
    this.#sorted = kept.sort((a, b) =>
      a.word < b.word ? -1 : a.word > b.word ? 1 : 0,
    );
    this.#fresh = [];
  }
}

/** What a search for a text has to find the beginning of. */
export const beginningsIn = (text: string): string[] => [
  ...new Set([...piecesIn(foldText(text))].map((piece) => piece.text)),
];

/** The words of a text; of one without spaces each rest of it, for it may be looked for from there on. */
function listBeginnings(text: string): string[] {
  return [...piecesIn(foldText(text))].flatMap((piece) => {
    if (!piece.isUnspaced) return [piece.text];
    const signs = [...piece.text];
    return signs
      .slice(0, MOST_BEGINNINGS)
      .map((_, i) => signs.slice(i).join(""));
  });
}

/** Higher for whole words, and for the first one; 0 where one of them is missing. */
function rankOf(
  words: readonly string[],
  beginnings: readonly string[],
): number {
  let rank = 0;
  for (const beginning of beginnings) {
    const isWhole = words.includes(beginning);
    const isThere = isWhole || words.some((word) => word.startsWith(beginning));
    if (!isThere) return 0;
    rank += (isWhole ? 2 : 1) + (words[0]!.startsWith(beginning) ? 1 : 0);
  }
  return rank;
}
