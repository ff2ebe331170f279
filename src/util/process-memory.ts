/** A place for something that one process remembers, made when first asked for. */
export interface Slot<T> {
  readonly make: () => T;
  /** Whether it holds what was opened of sealed rows. */
  readonly isOpened: boolean;
}

export const slot = <T>(make: () => T): Slot<T> => ({ make, isOpened: false });

/** A place for what was opened of sealed rows: it goes when keys are destroyed. */
export const openedSlot = <T>(make: () => T): Slot<T> => ({
  make,
  isOpened: true,
});

/**
 * What one process remembers between requests: caches of immutable or versioned
 * things. Nothing here is ever the truth.
 */
export class ProcessMemory {
  readonly #held = new Map<Slot<unknown>, unknown>();

  of<T>(wanted: Slot<T>): T {
    if (!this.#held.has(wanted)) this.#held.set(wanted, wanted.make());
    return this.#held.get(wanted) as T;
  }

  /**
   * Forgets all that was opened of sealed rows. Whoever opens something just now
   * remembers it in a place that nobody looks into any more.
   */
  forgetOpened(): void {
    for (const known of this.#held.keys())
      if (known.isOpened) this.#held.delete(known);
  }
}
