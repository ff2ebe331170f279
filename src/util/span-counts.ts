/**
 * Counts the different things of each subject within spans of time. Of too many subjects
 * it forgets those that it has known for the longest.
 */
export class SpanCounts {
  readonly #spanMs: number;
  readonly #mostSubjects: number;
  readonly #mostThings: number;
  readonly #seen = new Map<string, Set<string>>();

  constructor(spanMs: number, mostSubjects: number, mostThings: number) {
    this.#spanMs = spanMs;
    this.#mostSubjects = mostSubjects;
    this.#mostThings = mostThings;
  }

  /** Where the span begins that a time is in. */
  spanAt(ts: number): number {
    return Math.floor(ts / this.#spanMs) * this.#spanMs;
  }

  /** How many there are with this one; 0 where it was counted before, or there are too many. */
  add(subject: string, ts: number, thing: string): number {
    const key = `${this.spanAt(ts)} ${subject}`;
    let things = this.#seen.get(key);
    if (things === undefined) {
      if (this.#seen.size >= this.#mostSubjects)
        this.#seen.delete(this.#seen.keys().next().value!);
      this.#seen.set(key, (things = new Set()));
    }
    if (things.has(thing) || things.size >= this.#mostThings) return 0;
    return things.add(thing).size;
  }

  /** How many there are in the span of a time. */
  count(subject: string, ts: number): number {
    return this.#seen.get(`${this.spanAt(ts)} ${subject}`)?.size ?? 0;
  }
}
