import type { Account } from "../matrix/account.ts";
import { parseAnswer, refusal } from "../matrix/http.ts";
import {
  sync,
  syncQuestion,
  type JoinedRoom,
  type SyncAnswer,
} from "../matrix/sync.ts";
import { listMessages, readBack } from "./history.ts";
import type { Seen } from "./verdict.ts";

const TIMELINE_LIMIT = 100;
const POLL_MS = 10_000;
const MAX_SYNCS = 100_000;

/** A client that keeps up by incremental syncs alone, and pages through their gaps. */
export class SyncReader {
  readonly account: Account;
  readonly #seen = new Map<string, Seen[]>();
  readonly #known = new Set<string>();
  #since: string | undefined;
  #following: Promise<void> | undefined;
  #isFollowing = false;

  constructor(account: Account) {
    this.account = account;
  }

  /** Takes the token that everything is read from. */
  async start(): Promise<void> {
    this.#since = (await sync(this.account)).next_batch;
  }

  /** What it was shown of a room, oldest first. */
  seenIn(roomId: string): readonly Seen[] {
    return this.#seen.get(roomId) ?? [];
  }

  /** Syncs until nothing is new. */
  async catchUp(): Promise<void> {
    for (let i = 0; i < MAX_SYNCS; i++) if ((await this.#step(0)) === 0) return;
    throw new Error("the sync reader never catches up");
  }

  /** Long-polls until it is told to stop. */
  follow(): void {
    this.#isFollowing = true;
    this.#following = (async () => {
      while (this.#isFollowing) await this.#step(POLL_MS);
    })();
    this.#following.catch(() => undefined);
  }

  async unfollow(): Promise<void> {
    this.#isFollowing = false;
    await this.#following;
  }

  /** One sync; how many rooms it told of. */
  async #step(timeoutMs: number): Promise<number> {
    const since = this.#since;
    const question = syncQuestion(this.account, {
      since,
      timeoutMs,
      timelineLimit: TIMELINE_LIMIT,
    });
    const answer = await this.account.http.poll(question);
    if (answer.status !== 200) throw refusal(question, answer);
    const { next_batch, rooms } = parseAnswer<SyncAnswer>(answer);
    const joined = Object.entries(rooms?.join ?? {});
    for (const [roomId, room] of joined) await this.#take(roomId, room, since);
    this.#since = next_batch;
    return joined.filter(([, room]) => room.timeline?.events?.length).length;
  }

  async #take(
    roomId: string,
    { timeline }: JoinedRoom,
    since: string | undefined,
  ): Promise<void> {
    const { events = [], limited, prev_batch } = timeline ?? {};
    const gap =
      limited === true && prev_batch !== undefined
        ? await this.#readGap(roomId, prev_batch, since)
        : [];
    const fresh = [...gap, ...listMessages(events)];
    const seen = this.#seen.get(roomId) ?? [];
    this.#seen.set(roomId, seen);
    // A gap may be longer than a call can have arguments.
    for (const one of fresh) {
      seen.push(one);
      this.#known.add(one.eventId);
    }
  }

  #readGap(roomId: string, from: string, to: string | undefined) {
    return readBack(this.account, roomId, {
      from,
      ...(this.#seen.has(roomId) && to !== undefined && { to }),
      isKnown: (eventId) => this.#known.has(eventId),
    });
  }
}
