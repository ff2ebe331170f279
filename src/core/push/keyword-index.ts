import { EventTexts, wordPatternOf, type WordPattern } from "./event-texts.ts";
import type { Work } from "./work.ts";

const ANY_WORK: Work = { take: () => true };

/**
 * Patterns that many wait for. A text is taken apart once for all of them: plain words
 * are looked up, and only patterns that are more than that are tried one by one.
 */
export class KeywordIndex<T> {
  readonly #words = new Map<string, T>();
  readonly #globs: { pattern: WordPattern; value: T }[] = [];

  constructor(patterns: ReadonlyMap<string, T>, merge: (a: T, b: T) => T) {
    for (const [text, value] of patterns) {
      const pattern = wordPatternOf(text);
      if (!pattern.isPlain) {
        this.#globs.push({ pattern, value });
        continue;
      }
      const known = this.#words.get(pattern.folded);
      this.#words.set(
        pattern.folded,
        known === undefined ? value : merge(known, value),
      );
    }
  }

  get isEmpty(): boolean {
    return this.#words.size === 0 && this.#globs.length === 0;
  }

  /**
   * What waits for a pattern that the text matches, as `content.body` is matched.
   * @param workFor at whose cost a pattern is tried
   */
  find(
    body: string,
    texts = new EventTexts(),
    workFor: (value: T) => Work = () => ANY_WORK,
  ): T[] {
    const found: T[] = [];
    const text = texts.of(body);
    if (this.#words.size > 0)
      for (const word of text.words) {
        const value = this.#words.get(word);
        if (value !== undefined) found.push(value);
      }
    for (const { pattern, value } of this.#globs)
      if (text.matchesInWords(pattern, workFor(value))) found.push(value);
    return found;
  }
}
