import { compileGlob, inWordsOf, type Glob } from "../glob.ts";

/** Letters, digits and underscores alone: such a pattern matches a whole word or nothing. */
const PLAIN = /^[a-z0-9_]+$/;
const WORDS = /[a-z0-9_]+/g;

/**
 * Patterns that many wait for. A text is taken apart once for all of them: plain words
 * are looked up, and only patterns that are more than that are tried one by one.
 */
export class KeywordIndex<T> {
  readonly #words = new Map<string, T>();
  readonly #globs: { glob: Glob; value: T }[] = [];

  constructor(patterns: ReadonlyMap<string, T>, merge: (a: T, b: T) => T) {
    for (const [pattern, value] of patterns) {
      const word = pattern.toLowerCase();
      if (!PLAIN.test(word)) {
        this.#globs.push({ glob: compileGlob(pattern), value });
        continue;
      }
      const known = this.#words.get(word);
      this.#words.set(word, known === undefined ? value : merge(known, value));
    }
  }

  get isEmpty(): boolean {
    return this.#words.size === 0 && this.#globs.length === 0;
  }

  /** What waits for a pattern that the text matches, as `content.body` is matched. */
  find(text: string): T[] {
    const found: T[] = [];
    if (this.#words.size > 0)
      for (const word of new Set(text.toLowerCase().match(WORDS))) {
        const value = this.#words.get(word);
        if (value !== undefined) found.push(value);
      }
    const matches = inWordsOf(text);
    for (const { glob, value } of this.#globs)
      if (matches(glob)) found.push(value);
    return found;
  }
}
