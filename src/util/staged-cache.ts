/** Where room is short, what is new has this part of it until it is asked for again. */
const NEW_SHARE = 1 / 4;

interface Entry<K, V> {
  key: K;
  value: V;
  weight: number;
  wasAskedFor: boolean;
  isGone: boolean;
  next: Entry<K, V> | undefined;
}

/**
 * A cache bounded by the sum of its entries' weights, which one long read of what
 * is never asked for again cannot empty: only what was asked for while it was new
 * is kept beside the rest. Asking moves nothing; it costs one look into a map.
 */
export class StagedCache<K, V> {
  readonly #limit: number;
  readonly #weigh: (value: V) => number;
  readonly #entries = new Map<K, Entry<K, V>>();
  readonly #fresh = new Queue<K, V>();
  readonly #kept = new Queue<K, V>();

  constructor(limit: number, weigh: (value: V) => number) {
    this.#limit = limit;
    this.#weigh = weigh;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    entry.wasAskedFor = true;
    return entry.value;
  }

  set(key: K, value: V): void {
    const known = this.#entries.get(key);
    if (known) known.isGone = true;
    const entry: Entry<K, V> = {
      key,
      value,
      weight: this.#weigh(value),
      wasAskedFor: false,
      isGone: false,
      next: undefined,
    };
    this.#entries.set(key, entry);
    this.#fresh.push(entry);
    while (this.#fresh.weight + this.#kept.weight > this.#limit) {
      const isNewTooMuch = this.#fresh.weight > this.#limit * NEW_SHARE;
      this.#settle((isNewTooMuch ? this.#fresh : this.#kept).shift());
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Its time is over: it stays where it was asked for meanwhile. */
  #settle(entry: Entry<K, V>): void {
    if (entry.isGone) return;
    if (!entry.wasAskedFor) {
      this.#entries.delete(entry.key);
      return;
    }
    entry.wasAskedFor = false;
    this.#kept.push(entry);
  }
}

/** Entries in the order in which they came; those that are gone count until it is their turn. */
class Queue<K, V> {
  #first: Entry<K, V> | undefined;
  #last: Entry<K, V> | undefined;
  weight = 0;

  push(entry: Entry<K, V>): void {
    entry.next = undefined;
    if (this.#last) this.#last.next = entry;
    else this.#first = entry;
    this.#last = entry;
    this.weight += entry.weight;
  }

  /** Of a queue that weighs something. */
  shift(): Entry<K, V> {
    const entry = this.#first!;
    this.#first = entry.next;
    if (!this.#first) this.#last = undefined;
    this.weight -= entry.weight;
    return entry;
  }
}
