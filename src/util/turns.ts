interface Turn {
  working: number;
  /** Made when somebody has to wait: nearly nobody does. */
  waiting: (() => void)[] | undefined;
}

/** Lets so many of each key work at once; the others wait in the order in which they came. */
export class Turns {
  readonly #width: number;
  readonly #keys = new Map<string, Turn>();

  constructor(width: number) {
    this.#width = width;
  }

  /** How many of the key wait. */
  waiting(key: string): number {
    return this.#keys.get(key)?.waiting?.length ?? 0;
  }

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    let turn = this.#keys.get(key);
    if (!turn) this.#keys.set(key, (turn = { working: 0, waiting: undefined }));
    const held = turn;
    if (held.working < this.#width) {
      held.working += 1;
      return this.#follow(key, held, work());
    }
    // Whoever has worked hands the place on.
    return new Promise<void>((resolve) => (held.waiting ??= []).push(resolve))
      .then(work)
      .finally(() => this.#end(key, held));
  }

  /** Work may take minutes, and this holds less of it meanwhile than `finally` does. */
  #follow<T>(key: string, turn: Turn, work: Promise<T>): Promise<T> {
    const end = () => this.#end(key, turn);
    work.then(end, end);
    return work;
  }

  #end(key: string, turn: Turn): void {
    const next = turn.waiting?.shift();
    if (next) next();
    else if ((turn.working -= 1) === 0) this.#keys.delete(key);
  }
}
