import type { StateChange, StatePlace } from "../../../storage/sync-changes.ts";
import type { Place } from "./required-state.ts";

/** One room's state at a position, and what of it changed since another. */
export class StateView {
  /** By place: what stands there at the position; places that nobody asked for are absent. */
  readonly #entries = new Map<string, { place: Place; nid: number | null }>();
  readonly #changed = new Map<
    string,
    { place: Place; oldNid: number | null; nid: number | null }
  >();

  /**
   * @param current today's state, of which later changes are undone
   * @param changes all of them after `after`, in stream order
   */
  constructor(
    current: readonly StatePlace[],
    changes: readonly StateChange[],
    { after, at }: { after: number; at: number },
  ) {
    for (const { type, stateKey, nid } of current)
      this.#entries.set(keyOf(type, stateKey), {
        place: [type, stateKey],
        nid,
      });
    for (const { position, type, stateKey, oldNid, newNid } of changes) {
      if (position <= after || position > at) continue;
      const key = keyOf(type, stateKey);
      const first = this.#changed.get(key);
      this.#changed.set(key, {
        place: [type, stateKey],
        oldNid: first ? first.oldNid : oldNid,
        nid: newNid,
      });
    }
    const undone = new Set<string>();
    for (const { position, type, stateKey, oldNid } of changes) {
      const key = keyOf(type, stateKey);
      if (position <= at || undone.has(key)) continue;
      undone.add(key);
      this.#entries.set(key, { place: [type, stateKey], nid: oldNid });
    }
    for (const [key, { nid, oldNid }] of this.#changed) {
      if (nid === oldNid) this.#changed.delete(key);
    }
  }

  /** The event at a place that was asked for. */
  at(type: string, stateKey: string): number | null {
    const key = keyOf(type, stateKey);
    return (this.#entries.get(key) ?? this.#changed.get(key))?.nid ?? null;
  }

  hasChanged(type: string, stateKey: string): boolean {
    return this.#changed.has(keyOf(type, stateKey));
  }

  /** Everything that stands at the position, as far as it was asked for. */
  *list(): Generator<{ place: Place; nid: number }> {
    for (const { place, nid } of this.#entries.values())
      if (nid !== null) yield { place, nid };
  }

  /** What changed, as it stands at the end; null where it is gone. */
  get changes(): readonly {
    place: Place;
    oldNid: number | null;
    nid: number | null;
  }[] {
    return [...this.#changed.values()];
  }
}

const keyOf = (type: string, stateKey: string): string =>
  `${type}\n${stateKey}`;
