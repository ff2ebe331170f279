import { StorageUnavailable } from "./storage-unavailable.ts";
import type { CommitResult, Write } from "./write.ts";

/** A write that waits for its result. */
export interface Entry {
  write: Write;
  bytes: number;
  /** What no other write of the same or a running batch may share. */
  claims: readonly string[];
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

const MAX_BATCH_WRITES = 512;
const MAX_BATCH_BYTES = 8 * 2 ** 20;
const MAX_WRITES = 5000;
const MAX_BYTES = 128 * 2 ** 20;

/** Writes in the order of their arrival; those with a claim in common go one after the other. */
export class WriteQueue {
  #waiting: Entry[] = [];
  #bytes = 0;
  readonly #running = new Set<string>();

  get length(): number {
    return this.#waiting.length;
  }

  push(entry: Entry): void {
    const isFull =
      this.#waiting.length >= MAX_WRITES ||
      (this.#bytes > 0 && this.#bytes + entry.bytes > MAX_BYTES);
    if (isFull) throw new StorageUnavailable("Too many writes wait.", true);
    this.#waiting.push(entry);
    this.#bytes += entry.bytes;
  }

  /** The next batch; empty where all that waits is held back by what runs. */
  takeBatch(): Entry[] {
    const batch: Entry[] = [];
    const left: Entry[] = [];
    const claimed = new Set(this.#running);
    let bytes = 0;
    let isFull = false;
    for (const entry of this.#waiting) {
      const isHeld = entry.claims.some((claim) => claimed.has(claim));
      for (const claim of entry.claims) claimed.add(claim);
      isFull ||=
        batch.length === MAX_BATCH_WRITES ||
        (batch.length > 0 && bytes + entry.bytes > MAX_BATCH_BYTES);
      if (isHeld || isFull) {
        left.push(entry);
      } else {
        batch.push(entry);
        bytes += entry.bytes;
        for (const claim of entry.claims) this.#running.add(claim);
      }
    }
    this.#waiting = left;
    this.#bytes -= bytes;
    return batch;
  }

  /** The batch is over: what it claimed is free. */
  release(batch: readonly Entry[]): void {
    for (const { claims } of batch) {
      for (const claim of claims) this.#running.delete(claim);
    }
  }

  rejectAll(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const entry of waiting) entry.reject(error);
  }
}

/** Throws a `TypeError` where one write claims the same twice. */
export function listClaims(write: Write): string[] {
  const { newRooms, newUsers, newAliases } = write.rows ?? {};
  const { approvals, approvalUses, approvalChanges } = write.rows ?? {};
  const touched = [...(approvalUses ?? []), ...(approvalChanges ?? [])];
  const rooms = [...(write.rooms ?? []), ...(newRooms ?? [])];
  const claims = [
    ...new Set(rooms.map(({ roomNid }) => `room ${roomNid}`)),
    ...(newRooms ?? []).map(({ roomId }) => `room id ${roomId}`),
    ...(write.idempotency ?? []).map(
      ({ key }) => `key ${Buffer.from(key).toString("base64")}`,
    ),
    ...(newUsers ?? []).map(({ userId }) => `user ${userId}`),
    ...(newAliases ?? []).map(({ alias }) => `alias ${alias}`),
    ...(write.authority ? ["authority"] : []),
    ...touched.map(({ approvalId }) => `approval ${approvalId}`),
    ...(approvals ?? []).map(
      ({ requestedBy, requestHash }) =>
        `approval of ${requestedBy} ${requestHash}`,
    ),
  ];
  if (new Set(claims).size < claims.length)
    throw new TypeError("A write claims the same name or key twice.");
  return claims;
}

/** About how many bytes the call for a write has. */
export function estimateBytes({ events, snapshots, rows, ...rest }: Write) {
  let bytes = 200;
  for (const { skeleton, content } of events ?? [])
    bytes += 500 + skeleton.length + 2 * (content?.sealed.length ?? 0);
  for (const { added, removed } of snapshots ?? [])
    bytes += 200 + 2 * (added.length + removed.length);
  bytes += 150 * (rest.stateChanges?.length ?? 0);
  bytes += 200 * (rest.memberships?.length ?? 0);
  for (const list of Object.values(rows ?? {})) {
    for (const row of list) {
      bytes += 150;
      if ("sealed" in row && row.sealed) bytes += 2 * row.sealed.length;
      if ("json" in row) bytes += row.json.length;
    }
  }
  return bytes;
}
