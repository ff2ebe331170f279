/** How much work may be done for something. A step is to look at one character, about. */
export interface Work {
  /** Whether so many steps are left, which are then taken. */
  take(steps: number): boolean;
}

/** What it takes to look at anything at all. */
export const LEAST_STEPS = 16;

export class WorkLimit implements Work {
  #left: number;
  readonly #whole: Work | undefined;

  /** @param whole what this is a part of, which must have the steps left too */
  constructor(steps: number, whole?: Work) {
    this.#left = steps;
    this.#whole = whole;
  }

  get left(): number {
    return this.#left;
  }

  take(steps: number): boolean {
    if (steps > this.#left || this.#whole?.take(steps) === false) return false;
    this.#left -= steps;
    return true;
  }
}
