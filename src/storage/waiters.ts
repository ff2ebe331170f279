import type { WaitResult, WaitTopics } from "./notifier.ts";
import { RoomWatches } from "./room-watches.ts";

interface Places {
  position: number;
  mark: number;
}

interface Waiter {
  topics: WaitTopics;
  /** What it has seen: only what lies above wakes it. */
  after: Places;
  end(result: WaitResult): void;
}

/** A longer timer would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Who waits for what. A wake touches those whom it concerns, and nobody else. */
export class Waiters {
  readonly #all = new Set<Waiter>();
  readonly #byUser = new Map<string, Set<Waiter>>();
  readonly #byRoom = new RoomWatches<Waiter>();
  readonly #byToken = new Map<number, Set<Waiter>>();

  /** Resolves when somebody ends the wait, the time is over, or the signal says so. */
  wait(
    topics: WaitTopics,
    after: Places,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<WaitResult> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        topics,
        after,
        end: (result) => {
          if (!this.#all.delete(waiter)) return;
          clearTimeout(timer);
          signal.removeEventListener("abort", abort);
          this.#unindex(waiter);
          resolve(result);
        },
      };
      const abort = () => waiter.end("aborted");
      const timer = setTimeout(
        () => waiter.end("timeout"),
        Math.min(timeoutMs, LONGEST_MS),
      );
      signal.addEventListener("abort", abort, { once: true });
      this.#all.add(waiter);
      this.#index(waiter);
    });
  }

  /** Something reached one of these places. */
  wake(
    { rooms, users }: { rooms: readonly number[]; users: readonly string[] },
    reached: Partial<Places>,
  ): void {
    const { position = -1, mark = -1 } = reached;
    const isNews = ({ after }: Waiter) =>
      position > after.position || mark > after.mark;
    for (const room of rooms) endAll(this.#byRoom.list(room), "woken", isNews);
    for (const user of users) endAll(this.#byUser.get(user), "woken", isNews);
  }

  revoke(tokenIds: readonly number[]): void {
    for (const id of tokenIds) endAll(this.#byToken.get(id), "revoked");
  }

  endAll(result: WaitResult): void {
    endAll(this.#all, result);
  }

  get size(): number {
    return this.#all.size;
  }

  get tokenIds(): number[] {
    return [...this.#byToken.keys()];
  }

  #index(waiter: Waiter): void {
    const { userId, tokenId, roomNids } = waiter.topics;
    addTo(this.#byUser, userId, waiter);
    if (tokenId !== undefined) addTo(this.#byToken, tokenId, waiter);
    this.#byRoom.add(roomNids, waiter);
  }

  #unindex(waiter: Waiter): void {
    const { userId, tokenId, roomNids } = waiter.topics;
    removeFrom(this.#byUser, userId, waiter);
    if (tokenId !== undefined) removeFrom(this.#byToken, tokenId, waiter);
    this.#byRoom.remove(roomNids, waiter);
  }
}

/** Ending a waiter takes it out of the list, so the list is copied first. */
function endAll(
  waiters: Iterable<Waiter> | undefined,
  result: WaitResult,
  isMeant: (waiter: Waiter) => boolean = () => true,
) {
  if (!waiters) return;
  for (const waiter of [...waiters]) if (isMeant(waiter)) waiter.end(result);
}

function addTo<K>(index: Map<K, Set<Waiter>>, key: K, waiter: Waiter): void {
  const waiters = index.get(key);
  if (waiters) waiters.add(waiter);
  else index.set(key, new Set([waiter]));
}

function removeFrom<K>(
  index: Map<K, Set<Waiter>>,
  key: K,
  waiter: Waiter,
): void {
  const waiters = index.get(key);
  if (waiters?.delete(waiter) && waiters.size === 0) index.delete(key);
}
