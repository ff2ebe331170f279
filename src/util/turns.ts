/** Lets so many of each key work at once; the others wait in the order in which they came. */
export class Turns {
  readonly #width: number;
  readonly #keys = new Map<
    string,
    { working: number; waiting: (() => void)[] }
  >();

  constructor(width: number) {
    this.#width = width;
  }

  /** How many of the key wait. */
  waiting(key: string): number {
    return this.#keys.get(key)?.waiting.length ?? 0;
  }

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = this.#keys.get(key) ?? { working: 0, waiting: [] };
    this.#keys.set(key, turn);
    // Whoever has worked hands the place on.
    if (turn.working === this.#width)
      await new Promise<void>((resolve) => turn.waiting.push(resolve));
    else turn.working += 1;
    try {
      return await work();
    } finally {
      const next = turn.waiting.shift();
      if (next) next();
      else if ((turn.working -= 1) === 0) this.#keys.delete(key);
    }
  }
}
