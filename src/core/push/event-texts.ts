import {
  globOf,
  isRemembered,
  matchesUnits,
  matchesUnitsInWords,
  toUnits,
  type Glob,
} from "../glob.ts";
import { LEAST_STEPS, type Work } from "./work.ts";

/** Letters, digits and underscores alone: such a pattern matches a whole word or nothing. */
const PLAIN = /^[a-z0-9_]+$/;
const WORDS = /[a-z0-9_]+/g;
/** To look for so much of a pattern never takes long, whatever the text. */
const MOST_SOUGHT = 32;
/** What is found by the machine's own search takes a part of a step for each character. */
const SEARCHED_PER_STEP = 4;
const STEPS_TO_COMPILE = 8;

/** A pattern, ready to be looked for among words. */
export interface WordPattern {
  folded: string;
  isPlain: boolean;
  /** A stretch without signs for anything: no text matches that lacks it. */
  sought: string;
}

export function wordPatternOf(pattern: string): WordPattern {
  const folded = pattern.toLowerCase();
  const longest = folded
    .split(/[*?]/)
    .reduce((a, b) => (b.length > a.length ? b : a));
  return {
    folded,
    isPlain: PLAIN.test(folded),
    sought: longest.slice(0, MOST_SOUGHT),
  };
}

/** One text that many patterns are tried on: it is taken apart once. */
class EventText {
  readonly #folded: string;
  #words: ReadonlySet<string> | undefined;
  #byUnit: readonly number[] | undefined;
  #byCodePoint: readonly number[] | undefined;

  constructor(text: string) {
    this.#folded = text.toLowerCase();
  }

  get words(): ReadonlySet<string> {
    return (this.#words ??= new Set(this.#folded.match(WORDS)));
  }

  matches(pattern: string, work: Work): boolean {
    if (!work.take(pattern.length + LEAST_STEPS)) return false;
    const folded = pattern.toLowerCase();
    if (!/[*?]/.test(folded)) return folded === this.#folded;
    const glob = this.#compile(folded, work);
    return glob !== undefined && matchesUnits(glob, this.#unitsFor(glob));
  }

  matchesInWords(
    { folded, isPlain, sought }: WordPattern,
    work: Work,
  ): boolean {
    if (!work.take(LEAST_STEPS)) return false;
    if (isPlain) return this.words.has(folded);
    // Mostly it is not there, and that is found out a hundred times faster.
    const steps = Math.ceil(this.#folded.length / SEARCHED_PER_STEP);
    if (!work.take(steps) || !this.#folded.includes(sought)) return false;
    const glob = this.#compile(folded, work);
    if (!glob) return false;
    return matchesUnitsInWords(glob, this.#unitsFor(glob));
  }

  /** Undefined where too little work is left to try the pattern. */
  #compile(folded: string, work: Work): Glob | undefined {
    const steps = isRemembered(folded) ? 0 : folded.length * STEPS_TO_COMPILE;
    if (!work.take(steps)) return undefined;
    const glob = globOf(folded);
    return work.take(this.#folded.length * glob.steps) ? glob : undefined;
  }

  #unitsFor({ byCodePoint }: Glob): readonly number[] {
    return byCodePoint
      ? (this.#byCodePoint ??= toUnits(this.#folded, true))
      : (this.#byUnit ??= toUnits(this.#folded, false));
  }
}

/** The texts of one event that push rules look at. */
export class EventTexts {
  readonly #texts = new Map<string, EventText>();

  of(text: string): EventText {
    let known = this.#texts.get(text);
    if (!known) this.#texts.set(text, (known = new EventText(text)));
    return known;
  }
}
