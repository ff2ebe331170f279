import type { StateLookup } from "../../core/auth/check.ts";
import type { RoomEvent } from "../../core/event.ts";
import {
  findStateKey,
  stateKeyOf,
  type StateMap,
} from "../../core/state/state-map.ts";
import type { StateEntry } from "./room-head.ts";
import { holds, listNids, type StateSet } from "./state-set.ts";

/** The events that the states of one room are made of, as far as they were read. */
export class StateIndex {
  readonly #places = new Map<string, StateEntry[]>();
  readonly #byNid = new Map<number, RoomEvent>();
  readonly #byId = new Map<string, StateEntry>();

  add(nid: number, event: RoomEvent): void {
    if (this.#byNid.has(nid)) return;
    const entry = { nid, event };
    this.#byNid.set(nid, event);
    this.#byId.set(event.eventId, entry);
    const key = findStateKey(event);
    if (key === undefined) return;
    const entries = this.#places.get(key);
    if (entries) entries.push(entry);
    else this.#places.set(key, [entry]);
  }

  has(nid: number): boolean {
    return this.#byNid.has(nid);
  }

  /** What state resolution asks. */
  readonly event = (eventId: string): RoomEvent | undefined =>
    this.#byId.get(eventId)?.event;

  /** @throws TypeError for an event that was not read */
  get(nid: number): RoomEvent {
    const event = this.#byNid.get(nid);
    if (!event) throw new TypeError("A state event was not read.");
    return event;
  }

  at(set: StateSet, type: string, stateKey: string): StateEntry | undefined {
    return this.#places
      .get(stateKeyOf(type, stateKey))
      ?.find(({ nid }) => holds(set, nid));
  }

  lookup(set: StateSet): StateLookup {
    return (type, stateKey) => this.at(set, type, stateKey)?.event;
  }

  /** A state that was read whole, with all of its events. */
  mapOf(set: StateSet): StateMap {
    const state = new Map<string, string>();
    for (const nid of listNids(set)) {
      const event = this.get(nid);
      state.set(findStateKey(event)!, event.eventId);
    }
    return state;
  }

  /** The numbers of the events of a state. */
  nidsOf(state: StateMap): Set<number> {
    const nids = new Set<number>();
    for (const eventId of state.values()) {
      nids.add(this.#byId.get(eventId)!.nid);
    }
    return nids;
  }

  /** The auth events of everything known that are not known themselves. */
  listUnknownAuthIds(): string[] {
    const unknown = new Set<string>();
    for (const { authEventIds } of this.#byNid.values()) {
      for (const eventId of authEventIds) {
        if (!this.#byId.has(eventId)) unknown.add(eventId);
      }
    }
    return [...unknown];
  }
}
