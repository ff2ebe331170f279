/** How often a worker is asked whether it still runs. */
export const BEAT_MS = 5000;
/** A worker that leaves so many questions in a row unanswered has hung. */
const MOST_UNANSWERED = 6;

/**
 * Whether a worker still runs, by what it was asked and did not answer: never by
 * the clock, which goes on while the whole machine sleeps.
 */
export class Heartbeat {
  #unanswered = 0;

  /** Counts one more question; false where the worker has hung. */
  ask(): boolean {
    if (this.#unanswered >= MOST_UNANSWERED) return false;
    this.#unanswered += 1;
    return true;
  }

  answered(): void {
    this.#unanswered = 0;
  }
}
