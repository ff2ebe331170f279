import type { SeenBatch } from "./bus-message.ts";
import { POLICIES_TOPIC, type Changes, type WaitTopics } from "./notifier.ts";
import type { Span } from "./span.ts";

const MOST_BATCHES = 20_000;
/** Looking further back costs more than what is asked for is worth. */
const MOST_LOOKED_AT = 2000;
const NO_ROOMS: ReadonlySet<number> = new Set();
const MOST_BYTES = 16 * 1024 * 1024;

/** Remembers whom the last batches touched. */
export class ChangeRing {
  readonly #mostBatches: number;
  readonly #mostBytes: number;
  #batches: SeenBatch[] = [];
  /** Where the remembered ones begin in `#batches`. */
  #start = 0;
  #bytes = 0;
  /** What lies at or below this position is forgotten. */
  #floor: number;

  constructor(
    position: number,
    { batches = MOST_BATCHES, bytes = MOST_BYTES } = {},
  ) {
    this.#floor = position;
    this.#mostBatches = batches;
    this.#mostBytes = bytes;
  }

  /** Adds the batch that follows the last one. */
  add(batch: SeenBatch): void {
    this.#batches.push(batch);
    this.#bytes += weigh(batch);
    while (
      this.#batches.length - this.#start > this.#mostBatches ||
      this.#bytes > this.#mostBytes
    ) {
      const oldest = this.#batches[this.#start]!;
      this.#bytes -= weigh(oldest);
      this.#floor = oldest.to;
      this.#start += 1;
    }
    if (this.#start * 2 > this.#batches.length) {
      this.#batches = this.#batches.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Forgets everything up to this position. */
  reset(position: number): void {
    this.#batches = [];
    this.#start = 0;
    this.#bytes = 0;
    this.#floor = position;
  }

  /** Who was touched after a position; undefined where that is forgotten. */
  changesSince(after: number): Changes | undefined {
    if (after < this.#floor) return undefined;
    const roomNids = new Set<number>();
    const userIds = new Set<string>();
    for (let i = this.#indexAfter(after); i < this.#batches.length; i += 1) {
      const { rooms, users } = this.#batches[i]!;
      for (const room of rooms) roomNids.add(room);
      for (const user of users) userIds.add(user);
    }
    return { roomNids, userIds };
  }

  /** How many batches after a position touched a room; undefined where that is forgotten or far back. */
  touchesSince(roomNid: number, after: number): number | undefined {
    const first = this.#indexAfter(after);
    const last = this.#batches.length;
    if (after < this.#floor || last - first > MOST_LOOKED_AT) return undefined;
    let touches = 0;
    for (let i = first; i < last; i += 1) {
      if (this.#batches[i]!.rooms.includes(roomNid)) touches += 1;
    }
    return touches;
  }

  /** The batches in (after, upTo] that touched each room; undefined where some are forgotten. */
  spansBetween(after: number, upTo: number): Map<number, Span> | undefined {
    if (after < this.#floor) return undefined;
    const spans = new Map<number, Span>();
    for (let i = this.#indexAfter(after); i < this.#batches.length; i += 1) {
      const { rooms, to } = this.#batches[i]!;
      if (to > upTo) break;
      const from = i > this.#start ? this.#batches[i - 1]!.to : this.#floor;
      for (const room of rooms) {
        const span = spans.get(room);
        if (span) span.upTo = to;
        else spans.set(room, { after: from, upTo: to });
      }
    }
    return spans;
  }

  /** Whether a user was touched after a position, or may have been. */
  isTouched(userId: string, after: number): boolean {
    return this.concerns({ userId, roomNids: NO_ROOMS }, after);
  }

  /** Whether anything after a position concerns these topics, or may concern them. */
  concerns({ userId, roomNids }: WaitTopics, after: number): boolean {
    if (after < this.#floor) return true;
    for (let i = this.#indexAfter(after); i < this.#batches.length; i += 1) {
      const { rooms, users } = this.#batches[i]!;
      if (users.includes(userId) || users.includes(POLICIES_TOPIC)) return true;
      if (rooms.some((room) => roomNids.has(room))) return true;
    }
    return false;
  }

  /** The first batch that ends above a position. */
  #indexAfter(after: number): number {
    let low = this.#start;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#batches[middle]!.to <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function weigh({ rooms, users }: SeenBatch): number {
  return 120 + rooms.length * 8 + users.length * 64;
}
