import type { Caller } from "../util/caller.ts";
import type { CommittedWrite, PlainNews } from "./plain-news.ts";
import type { Span } from "./span.ts";

/** What a waiting request wants to be woken for. */
export interface WaitTopics {
  userId: string;
  tokenId?: number;
  roomNids: ReadonlySet<number>;
}

export type WaitResult = "woken" | "timeout" | "aborted" | "revoked";

/** Who was touched by the batches after a position. */
export interface Changes {
  roomNids: ReadonlySet<number>;
  userIds: ReadonlySet<string>;
}

/** The positions that a batch of this process took, whom it touched, and what it holds. */
export interface CommittedBatch {
  base: number;
  head: number;
  rooms: readonly number[];
  users: readonly string[];
  writes: readonly CommittedWrite[];
}

/** Touched like a user, whenever somebody's device list changed. */
export const DEVICE_LISTS_TOPIC = "device lists";

/** Touched like a user, whenever something changed that policies decide by for everybody. */
export const POLICIES_TOPIC = "policies";

/** Something of typing or presence changed. */
export interface EphemeralHint {
  mark: number;
  /** One of several messages that tell of this mark: none of them says all. */
  isPart?: boolean;
  rooms?: readonly number[];
  users?: readonly string[];
}

/** How long a process may trust what it knows of a token without asking. */
export const LONGEST_TRUST_MS = 1000;

/** A hint with its lists, empty or not. */
export type HeardHint = EphemeralHint &
  Required<Pick<EphemeralHint, "rooms" | "users">>;

/** Follows the stream without gaps and wakes who waits for it. */
export interface Notifier {
  /** Every batch up to here has been seen by this process. */
  readonly position: number;
  readonly ephemeralMark: number;
  /** Reads the batches beyond `position` now; answers the new position. */
  refresh(): Promise<number>;
  /** Resolves when `position` has reached this one, or the head of a stream that ends before it. */
  caughtUp(position: number): Promise<void>;
  /**
   * Ends when something after these places concerns the topics, or the time is
   * over. `after` is what the caller has read up to, anew for each wait.
   */
  wait(
    topics: WaitTopics,
    after: { position: number; mark: number },
    timeoutMs: number,
    caller: Caller,
  ): Promise<WaitResult>;
  /** Undefined: further back than is remembered; anything may have changed. */
  changesSince(after: number): Changes | undefined;
  /** The batches in (after, upTo] that touched each room; undefined: not known any more. */
  spansBetween(
    after: number,
    upTo: number,
  ): ReadonlyMap<number, Span> | undefined;
  /** Whether a user was touched after a position; true where that is not known any more. */
  isTouched(userId: string, after: number): boolean;
  /** Typing and presence in (after, upTo] of the marks; undefined: not known for certain. */
  ephemeralBetween(
    after: number,
    upTo: number,
  ): readonly HeardHint[] | undefined;
  /** What a room got, where that is known without asking: one batch of this process. */
  plainNews(roomNid: number, span: Span): PlainNews | undefined;
  /** How many batches after a position touched a room; undefined: not known. */
  touchesSince(roomNid: number, after: number): number | undefined;
  /**
   * Told by this process's committer before it calls for a batch: what the bus says of
   * it is left to `committed`, which knows more. Answers what ends that.
   */
  expect(batchId: string): () => void;
  /** Told by this process's committer after COMMIT. */
  committed(answer: CommittedBatch): void;
  /** Typing or presence changed; published to all processes. */
  wakeEphemeral(hint: EphemeralHint): void;
  /**
   * Ends the waits of these tokens in all processes, and tells the listeners.
   * Resolves when every process has heard it, or can trust nothing older any more.
   */
  revoke(tokenIds: readonly number[]): Promise<void>;
  onRevoked(listener: (tokenIds: readonly number[]) => void): void;
  /**
   * Resolves when every process that listens has seen a position, or has had the time
   * after which none trusts what it knew before.
   */
  seenByAll(position: number): Promise<void>;
  /** Called whenever `position` has moved; answers what ends that. */
  onAdvance(listener: () => void): () => void;
  /**
   * Called when the connection to the other processes is there again: they may
   * have said something meanwhile. Caches that trust `onRevoked` are emptied.
   */
  onGap(listener: () => void): void;
  /**
   * Called, once, when the database's stream ends before what this process has seen of
   * it: it was restored from a backup, and nothing that is remembered holds any more.
   */
  onRewound(listener: (places: { seen: number; head: number }) => void): void;
  close(): Promise<void>;
}
