import type { HeardHint, WaitTopics } from "./notifier.ts";

const MOST_HINTS = 1000;

/** Remembers the last hints of typing and presence, whose marks may come out of order. */
export class EphemeralRing {
  readonly #hints: HeardHint[] = [];
  #next = 0;
  /** The highest mark that was forgotten. */
  #floor: number;
  #mark: number;

  constructor(mark: number) {
    this.#mark = mark;
    this.#floor = mark;
  }

  get mark(): number {
    return this.#mark;
  }

  add(hint: HeardHint): void {
    this.#mark = Math.max(this.#mark, hint.mark);
    const oldest = this.#hints[this.#next];
    if (oldest) this.#floor = Math.max(this.#floor, oldest.mark);
    this.#hints[this.#next] = hint;
    this.#next = (this.#next + 1) % MOST_HINTS;
  }

  /** Whether anything after a mark concerns these topics, or may concern them. */
  concerns({ userId, roomNids }: WaitTopics, after: number): boolean {
    if (after >= this.#mark) return false;
    if (after < this.#floor) return true;
    return this.#hints.some(
      ({ mark, rooms, users }) =>
        mark > after &&
        (users.includes(userId) || rooms.some((room) => roomNids.has(room))),
    );
  }

  /**
   * The hints in (after, upTo]; undefined where one of them has not been heard, or
   * is forgotten: they come out of order, and may be lost with a connection.
   */
  between(after: number, upTo: number): readonly HeardHint[] | undefined {
    if (after >= upTo) return [];
    if (after < this.#floor || upTo > this.#mark) return undefined;
    const hints = this.#hints.filter(
      ({ mark }) => mark > after && mark <= upTo,
    );
    const marks = new Set(hints.map(({ mark }) => mark));
    const isWhole = hints.every(({ isPart }) => isPart !== true);
    return isWhole && marks.size === upTo - after ? hints : undefined;
  }
}
