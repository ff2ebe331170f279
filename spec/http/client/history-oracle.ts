import type { RoomEvent } from "../../support/rooms.ts";
import type { Json } from "../../support/server.ts";

/**
 * Who may read what of one room, naively, from all of its events in the order in
 * which they were sent: the rules of the specification's "Server behaviour" of
 * room history visibility, each event judged by walking over all others.
 */
export class HistoryOracle {
  readonly #events: readonly RoomEvent[];
  readonly #viewer: string;
  /** Their last member event when they forgot the room. */
  readonly #forgotten: string | undefined;

  constructor(
    events: readonly RoomEvent[],
    viewer: string,
    forgotten: string | undefined,
  ) {
    this.#events = events;
    this.#viewer = viewer;
    this.#forgotten = forgotten;
  }

  /** What stands at the end, or where the viewer's last stay ended; undefined: nothing is theirs to read. */
  get end(): number | undefined {
    const { length } = this.#events;
    if (this.isWorldReadable || this.membership === "join") return length;
    if (!this.hasLeft || this.hasForgotten) return undefined;
    return this.stayEnd;
  }

  /** How many events there were when the viewer last went out of the room. */
  get stayEnd(): number | undefined {
    for (let i = this.#events.length; i > 0; i--) {
      const isIn = this.membershipAfter(i - 1) === "join";
      if (isIn && this.membershipAfter(i) !== "join") return i;
    }
    return undefined;
  }

  /** The place of the viewer's last member event; -1: there is none. */
  get ownIndex(): number {
    return this.#events.findLastIndex((event) => this.#isOwnMembership(event));
  }

  get hasLeft(): boolean {
    return ["leave", "ban"].includes(this.membership);
  }

  get hasForgotten(): boolean {
    const last = this.#events[this.ownIndex];
    return last !== undefined && last.event_id === this.#forgotten;
  }

  /** Where the viewer's stay began, who is in the room. */
  get stayBegin(): number {
    let begin = this.#events.length;
    while (begin > 0 && this.membershipAfter(begin) === "join") begin -= 1;
    return begin;
  }

  mayAsk(): boolean {
    return this.end !== undefined;
  }

  maySee(index: number): boolean {
    const event = this.#events[index]!;
    // Sync tells everyone of their own memberships, so nothing is hidden by these.
    if (this.#isOwnMembership(event)) return true;
    const isVisibility = event.type === "m.room.history_visibility";
    return [index, ...(isVisibility ? [index + 1] : [])].some((at) =>
      this.#allows(this.#visibility(at), index),
    );
  }

  /** Whether a search looks into the room: they were in it, and have not forgotten it. */
  maySearch(): boolean {
    if (this.membership === "join") return true;
    return this.hasLeft && !this.hasForgotten && this.stayEnd !== undefined;
  }

  /** Whether they may know that there is such a room, and what it is called. */
  mayKnowOf(): boolean {
    const { length } = this.#events;
    const isWelcome = ["join", "invite"].includes(this.membership);
    const rule = this.#latest("m.room.join_rules", length)?.["join_rule"];
    const isOpen = rule === "public" || rule === "knock";
    return isWelcome || isOpen || this.isWorldReadable;
  }

  get isWorldReadable(): boolean {
    return this.#visibility(this.#events.length) === "world_readable";
  }

  /** How the viewer stands to the room in the end. */
  get membership(): string {
    return this.membershipAfter(this.#events.length);
  }

  /** After the first `count` events. */
  membershipAfter(count: number): string {
    const own = this.#events
      .slice(0, count)
      .findLast((event) => this.#isOwnMembership(event));
    return (own?.content["membership"] as string | undefined) ?? "leave";
  }

  /** Whether they were in the room from then on without a break. */
  isInSince(count: number): boolean {
    return this.membership === "join" && this.stayBegin < count;
  }

  /** Indexes of what a page of all history holds. */
  history(): number[] {
    const { end = 0 } = this;
    return this.#events
      .map((_, index) => index)
      .filter((index) => index < end && this.maySee(index));
  }

  /** Ids of the state after the first `count` events. */
  state(count: number, type?: string): string[] {
    const state = new Map<string, RoomEvent>();
    for (const event of this.#events.slice(0, count)) {
      const { state_key: key } = event;
      if (key !== undefined)
        state.set(JSON.stringify([event.type, key]), event);
    }
    return [...state.values()]
      .filter((event) => type === undefined || event.type === type)
      .map((event) => event.event_id);
  }

  #allows(visibility: string, index: number): boolean {
    const membership = this.membershipAfter(index);
    if (visibility === "world_readable") return true;
    if (membership === "join") return true;
    if (visibility === "shared" && this.#joinsAfter(index)) return true;
    return visibility === "invited" && membership === "invite";
  }

  #joinsAfter(index: number): boolean {
    return this.#events
      .slice(index + 1)
      .some(
        (event) =>
          this.#isOwnMembership(event) &&
          event.content["membership"] === "join",
      );
  }

  #isOwnMembership(event: RoomEvent): boolean {
    return event.type === "m.room.member" && event.state_key === this.#viewer;
  }

  /** The content of the last state event of a type among the first `count` events. */
  #latest(type: string, count: number): Json | undefined {
    const last = this.#events
      .slice(0, count)
      .findLast((event) => event.type === type);
    return last?.content;
  }

  #visibility(count: number): string {
    const last = this.#latest("m.room.history_visibility", count);
    const value = last?.["history_visibility"];
    const known = ["world_readable", "shared", "invited", "joined"];
    return known.find((each) => each === value) ?? "shared";
  }
}
