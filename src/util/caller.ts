/** What is told that its caller does not wait any more. */
export interface Leavable {
  leave(): void;
}

/**
 * Who waits for an answer, until nobody does. An AbortSignal says the same, takes a
 * kilobyte, and many wait for long.
 */
export class Caller {
  #isGone = false;
  /** What waits for this caller's sake: one thing at a time. */
  waiting: Leavable | undefined;

  get isGone(): boolean {
    return this.#isGone;
  }

  leave(): void {
    this.#isGone = true;
    this.waiting?.leave();
  }
}
