import type { Sealed, SealedContent } from "./write.ts";

/** What a key seals: it dies with its owner, or with its owner's span of time. */
export type KeyScope =
  | "user"
  | "user-span"
  | "user-files"
  | "room-span"
  | "room-state"
  | "room-words"
  | "member";

/** Names one key; `span` is "" for scopes without one. */
export interface KeyName {
  scope: KeyScope;
  owner: string;
  span: string;
}

/** A living key. Its secret never serialises; key 0 seals nothing. */
export interface KeyHandle {
  readonly keyId: number;
}

/** The keys that seal content and personal columns, and the sealing itself. */
export interface Keyring {
  /** The keys of these names in their order; missing ones are made. */
  prepare(names: readonly KeyName[]): Promise<KeyHandle[]>;
  /** Destroyed keys are absent. */
  findByIds(keyIds: Iterable<number>): Promise<ReadonlyMap<number, KeyHandle>>;
  /** Seals under one key or two; only the same `context` opens it again. */
  seal(
    plaintext: string,
    context: string,
    first: KeyHandle,
    second?: KeyHandle,
  ): SealedContent;
  /** Undefined where a key is destroyed; throws where the bytes are not genuine. */
  open(
    content: SealedContent,
    context: string,
    keys: ReadonlyMap<number, KeyHandle>,
  ): string | undefined;
  /** As `open`, but bytes that are not genuine are logged and answered as destroyed. */
  tryOpen(
    content: SealedContent,
    context: string,
    keys: ReadonlyMap<number, KeyHandle>,
  ): string | undefined;
  /**
   * Keyed hashes of 64 bits, as decimal texts: those of one word are equal under the
   * same key and context alone.
   */
  hashWords(
    words: readonly string[],
    context: string,
    key: KeyHandle,
  ): string[];
  /** Seals under the user's own key ("user" scope). */
  sealForUser(
    userId: string,
    context: string,
    plaintext: string,
  ): Promise<Sealed>;
  /**
   * Seals a file's secret, or what a page said, under the user's key of the month that a
   * time falls in: it dies with the user, or when nothing of that month is left.
   */
  sealFileOf(
    userId: string,
    ts: number,
    context: string,
    plaintext: string,
  ): Promise<Sealed>;
  /** Opens many with one query for their keys; undefined where one is destroyed or damaged. */
  openAll(
    rows: readonly ({ context: string } & Sealed)[],
  ): Promise<(string | undefined)[]>;
  /** The span that a time falls in: its month, `2026-11`, or where that is asked for its day. */
  spanAt(ts: number, isDay?: boolean): string;
  /** Drops keys from the cache: they were destroyed, or a write lost over them. */
  forget(keyIds: Iterable<number>): void;
}
