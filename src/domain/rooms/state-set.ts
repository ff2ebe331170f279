import { encodeNids, moveSetHash } from "../../storage/nid-set.ts";
import type { SnapshotRow } from "../../storage/write.ts";
import { MAX_HOPS } from "./next-snapshot.ts";
import type { SnapshotInfo } from "./room-head.ts";

/** A room state as the numbers of its events: stored, or made by what is being received. */
export interface StateSet {
  snapshot: SnapshotInfo;
  /** The same for equal states. */
  key: string;
  /** Where it differs from another; null where `added` is all that is known of it. */
  base: StateSet | null;
  added: ReadonlySet<number>;
  removed: ReadonlySet<number>;
}

const NONE: ReadonlySet<number> = new Set();

export const keyOfHash = (hash: Uint8Array): string =>
  Buffer.from(hash).toString("hex");

/** A stored snapshot. `nids`: all of its events, or those of them that anybody will ask for. */
export const storedSet = (
  snapshot: SnapshotInfo,
  nids: ReadonlySet<number>,
): StateSet => ({
  snapshot,
  key: keyOfHash(snapshot.hash),
  base: null,
  added: nids,
  removed: NONE,
});

export function holds(set: StateSet, nid: number): boolean {
  for (let at: StateSet | null = set; at; at = at.base) {
    if (at.added.has(nid)) return true;
    if (at.removed.has(nid)) return false;
  }
  return false;
}

/** All event numbers; only for sets whose stored base was read whole. */
export function listNids(set: StateSet): Set<number> {
  const links: StateSet[] = [];
  for (let at: StateSet | null = set; at; at = at.base) links.push(at);
  const nids = new Set<number>();
  for (const { added, removed } of links.reverse()) {
    for (const nid of removed) nids.delete(nid);
    for (const nid of added) nids.add(nid);
  }
  if (nids.size !== set.snapshot.size) {
    throw new TypeError("A state was listed that was read only in part.");
  }
  return nids;
}

/** How one state becomes another; both must be whole. */
export function differenceOf(from: StateSet, to: StateSet) {
  const before = listNids(from);
  const after = listNids(to);
  return {
    added: [...after].filter((nid) => !before.has(nid)),
    removed: [...before].filter((nid) => !after.has(nid)),
  };
}

/** The hash that a set has after a change. */
export const hashAfter = (
  { snapshot }: StateSet,
  added: Iterable<number>,
  removed: Iterable<number>,
): Uint8Array => moveSetHash(snapshot.hash, added, removed);

/** A state that differs from another, and the row that stores it. */
export function changedSet(
  base: StateSet,
  roomNid: number,
  snapshotId: number,
  added: ReadonlySet<number>,
  removed: ReadonlySet<number>,
): { set: StateSet; row: SnapshotRow } {
  const { snapshot } = base;
  const size = snapshot.size + added.size - removed.size;
  const hash = hashAfter(base, added, removed);
  const isFull = snapshot.hops >= MAX_HOPS || added.size + removed.size > size;
  const hops = isFull ? 0 : snapshot.hops + 1;
  const set: StateSet = {
    snapshot: { snapshotId, hops, size, hash },
    key: keyOfHash(hash),
    base,
    added,
    removed,
  };
  const row: SnapshotRow = {
    snapshotId,
    roomNid,
    parentId: isFull ? null : snapshot.snapshotId,
    hops,
    size,
    added: encodeNids(isFull ? listNids(set) : added),
    removed: encodeNids(isFull ? NONE : removed),
    hash,
  };
  return { set, row };
}
