import {
  EMPTY_SET_HASH,
  encodeNids,
  moveSetHash,
} from "../../storage/nid-set.ts";
import type { SnapshotRow } from "../../storage/write.ts";
import type { SnapshotInfo } from "./room-head.ts";

/** Deltas in a row before a full snapshot: what a reader walks at most. */
export const MAX_HOPS = 64;

/** The snapshot after one event took its place in a room's state. */
export function nextSnapshot(
  before: SnapshotInfo | null,
  roomNid: number,
  snapshotId: number,
  nid: number,
  replaced: number | null,
  allNids: Set<number> | null,
): SnapshotRow {
  const removed = replaced === null ? [] : [replaced];
  allNids?.add(nid);
  if (replaced !== null) allNids?.delete(replaced);
  const size = (before?.size ?? 0) + 1 - removed.length;
  const hash = moveSetHash(before?.hash ?? EMPTY_SET_HASH, [nid], removed);
  if (!before || (before.hops >= MAX_HOPS && allNids)) {
    return {
      snapshotId,
      roomNid,
      parentId: null,
      hops: 0,
      size,
      added: encodeNids(allNids ?? [nid]),
      removed: encodeNids([]),
      hash,
    };
  }
  return {
    snapshotId,
    roomNid,
    parentId: before.snapshotId,
    hops: before.hops + 1,
    size,
    added: encodeNids([nid]),
    removed: encodeNids(removed),
    hash,
  };
}
