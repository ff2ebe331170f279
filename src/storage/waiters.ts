import type { Caller } from "../util/caller.ts";
import { addFew, type Few, listFew, removeFew } from "../util/few.ts";
import type { WaitResult, WaitTopics } from "./notifier.ts";
import { RoomWatches } from "./room-watches.ts";

interface Places {
  position: number;
  mark: number;
}

/** A longer timer would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** Many wait for long, so a waiter is little and holds little. */
class Waiter {
  readonly #waiters: Waiters;
  readonly userId: string;
  readonly tokenId: number | undefined;
  readonly roomNids: ReadonlySet<number>;
  /** What it has seen: only what lies above wakes it. */
  readonly position: number;
  readonly mark: number;
  readonly #caller: Caller;
  readonly #timer: NodeJS.Timeout;
  readonly #resolve: (result: WaitResult) => void;

  constructor(
    waiters: Waiters,
    { userId, tokenId, roomNids }: WaitTopics,
    after: Places,
    timeoutMs: number,
    caller: Caller,
    resolve: (result: WaitResult) => void,
  ) {
    this.#waiters = waiters;
    this.userId = userId;
    this.tokenId = tokenId;
    this.roomNids = roomNids;
    this.position = after.position;
    this.mark = after.mark;
    this.#caller = caller;
    this.#resolve = resolve;
    const ms = Math.min(Math.ceil(timeoutMs), LONGEST_MS);
    this.#timer = setTimeout(expire, ms, this);
    caller.waiting = this;
  }

  leave(): void {
    this.end("aborted");
  }

  end(result: WaitResult): void {
    if (!this.#waiters.remove(this)) return;
    clearTimeout(this.#timer);
    this.#caller.waiting = undefined;
    this.#resolve(result);
  }
}

const expire = (waiter: Waiter): void => waiter.end("timeout");

/** Who waits for what. A wake touches those whom it concerns, and nobody else. */
export class Waiters {
  readonly #all = new Set<Waiter>();
  readonly #byUser = new Map<string, Few<Waiter>>();
  readonly #byRoom = new RoomWatches<Waiter>();
  readonly #byToken = new Map<number, Few<Waiter>>();

  /** Resolves when somebody ends the wait, the time is over, or the caller is gone. */
  wait(
    topics: WaitTopics,
    after: Places,
    timeoutMs: number,
    caller: Caller,
  ): Promise<WaitResult> {
    return new Promise((resolve) => {
      this.#add(new Waiter(this, topics, after, timeoutMs, caller, resolve));
    });
  }

  /** Something reached one of these places. */
  wake(
    { rooms, users }: { rooms: readonly number[]; users: readonly string[] },
    reached: Partial<Places>,
  ): void {
    const { position = -1, mark = -1 } = reached;
    const isNews = (waiter: Waiter) =>
      position > waiter.position || mark > waiter.mark;
    for (const room of rooms) endAll(this.#byRoom.list(room), "woken", isNews);
    for (const user of users)
      endAll(listFew(this.#byUser.get(user)), "woken", isNews);
  }

  revoke(tokenIds: readonly number[]): void {
    for (const id of tokenIds)
      endAll(listFew(this.#byToken.get(id)), "revoked");
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

  /** False for one that has ended. */
  remove(waiter: Waiter): boolean {
    if (!this.#all.delete(waiter)) return false;
    const { userId, tokenId, roomNids } = waiter;
    removeFew(this.#byUser, userId, waiter);
    if (tokenId !== undefined) removeFew(this.#byToken, tokenId, waiter);
    this.#byRoom.remove(roomNids, waiter);
    return true;
  }

  #add(waiter: Waiter): void {
    const { userId, tokenId, roomNids } = waiter;
    this.#all.add(waiter);
    addFew(this.#byUser, userId, waiter);
    if (tokenId !== undefined) addFew(this.#byToken, tokenId, waiter);
    this.#byRoom.add(roomNids, waiter);
  }
}

/** Ending a waiter takes it out of the list, so the list is copied first. */
function endAll(
  waiters: Iterable<Waiter>,
  result: WaitResult,
  isMeant: (waiter: Waiter) => boolean = () => true,
) {
  for (const waiter of [...waiters]) if (isMeant(waiter)) waiter.end(result);
}
