/** A stretch of a glob without `*`, made ready to be searched for in linear time. */
export interface Segment {
  /** UTF-16 units or code points; `ANY` for a `?`. */
  units: readonly number[];
  /** How often a unit of a text is looked at, about, while it is searched for. */
  steps: number;
  find: Find;
}

/**
 * Where the first occurrence ends that begins at `from` or later and is
 * accepted; -1 if there is none.
 */
type Find = (
  text: ArrayLike<number>,
  from: number,
  accept: (start: number, end: number) => boolean,
) => number;

export const ANY = -1;

export const makeSegment = (units: readonly number[]): Segment => ({
  units,
  steps: units.includes(ANY) ? Math.ceil(units.length / WORD_BITS) : 1,
  find:
    units.length === 0
      ? (_text, from) => from
      : units.includes(ANY)
        ? findByBits(units)
        : findLiteral(units),
});

export function matchesAt(
  { units }: Segment,
  text: ArrayLike<number>,
  start: number,
): boolean {
  return units.every(
    (unit, index) => unit === ANY || unit === text[start + index],
  );
}

/** Knuth, Morris and Pratt: each unit of the text is read once. */
function findLiteral(units: readonly number[]): Find {
  const fallbacks = [0];
  for (let index = 1, length = 0; index < units.length; index++) {
    while (length > 0 && units[index] !== units[length]) {
      length = fallbacks[length - 1]!;
    }
    if (units[index] === units[length]) length++;
    fallbacks.push(length);
  }
  return (text, from, accept) => {
    let matched = 0;
    for (let index = from; index < text.length; index++) {
      const unit = text[index];
      while (matched > 0 && unit !== units[matched]) {
        matched = fallbacks[matched - 1]!;
      }
      if (unit === units[matched]) matched++;
      if (matched === units.length) {
        if (accept(index + 1 - matched, index + 1)) return index + 1;
        matched = fallbacks[matched - 1]!;
      }
    }
    return -1;
  };
}

const WORD_BITS = 32;
const NO_WORDS: readonly number[] = [];

/**
 * Baeza-Yates and Gonnet: bit n says that the text so far ends with the first n+1 units.
 * Of a unit's mask only the words are kept in which it stands, so that a pattern of many
 * different units is no larger than one of few.
 */
function findByBits(units: readonly number[]): Find {
  const words = Math.ceil(units.length / WORD_BITS);
  const others = new Int32Array(words);
  /** By unit, one after the other: a word, and its bits. */
  const masks = new Map<number, number[]>();
  for (const [index, unit] of units.entries()) {
    const word = Math.floor(index / WORD_BITS);
    const bit = 1 << (index % WORD_BITS);
    if (unit === ANY) {
      others[word]! |= bit;
      continue;
    }
    const mask = masks.get(unit);
    if (!mask) masks.set(unit, [word, bit]);
    else if (mask.at(-2) === word) mask[mask.length - 1]! |= bit;
    else mask.push(word, bit);
  }
  const lastBit = 1 << ((units.length - 1) % WORD_BITS);
  return (text, from, accept) => {
    const state = new Int32Array(words);
    const shifted = new Int32Array(words);
    for (let index = from; index < text.length; index++) {
      let carry = 1;
      for (let word = 0; word < words; word++) {
        const bits = state[word]!;
        shifted[word] = (bits << 1) | carry;
        state[word] = shifted[word]! & others[word]!;
        carry = bits >>> (WORD_BITS - 1);
      }
      const mask = masks.get(text[index]!) ?? NO_WORDS;
      for (let at = 0; at < mask.length; at += 2) {
        const word = mask[at]!;
        state[word]! |= shifted[word]! & mask[at + 1]!;
      }
      const end = index + 1;
      if (
        (state[words - 1]! & lastBit) !== 0 &&
        accept(end - units.length, end)
      ) {
        return end;
      }
    }
    return -1;
  };
}
