/** A place for something that one process remembers, made when first asked for. */
export interface Slot<T> {
  readonly make: () => T;
}

export const slot = <T>(make: () => T): Slot<T> => ({ make });

/**
 * What one process remembers between requests: caches of immutable or versioned
 * things. Nothing here is ever the truth.
 */
export class ProcessMemory {
  readonly #held = new Map<unknown, unknown>();

  of<T>(wanted: Slot<T>): T {
    if (!this.#held.has(wanted)) this.#held.set(wanted, wanted.make());
    return this.#held.get(wanted) as T;
  }
}
