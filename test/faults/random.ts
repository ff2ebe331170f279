/** Chance that comes out the same for the same seed. */
export interface Chance {
  /** A whole number from 0 up to, and without, `below`. */
  below(below: number): number;
  /** From `from` to `to`, both included. */
  between(from: number, to: number): number;
  pick<T>(choices: readonly T[]): T;
  shuffle<T>(things: readonly T[]): T[];
}

/** Mulberry32: enough for moments and choices. */
export function seededChance(seed: number): Chance {
  let state = Math.imul(seed, 0x9e3779b1) | 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  return {
    below,
    between: (from, to) => from + below(to - from + 1),
    pick: <T>(choices: readonly T[]) => choices[below(choices.length)]!,
    shuffle<T>(things: readonly T[]): T[] {
      const mixed = [...things];
      for (let i = mixed.length - 1; i > 0; i -= 1) {
        const other = below(i + 1);
        [mixed[i], mixed[other]] = [mixed[other]!, mixed[i]!];
      }
      return mixed;
    },
  };
}
