import type { Edges } from "../../../edges.ts";
import type { RoomUnread } from "../../push/unread-counts.ts";
import { findUnread } from "../../push/unread-memory.ts";
import { readUnread } from "../../push/unread.ts";

/**
 * Unread counts of whole rooms: remembered ones, the others in one query. Those of
 * threads are among them, since no extension tells them apart.
 */
export async function readUnreadOnce(
  edges: Pick<Edges, "db" | "memory" | "notifier">,
  userId: string,
  roomNids: readonly number[],
  upTo: number,
  ignored: ReadonlySet<string>,
): Promise<Map<number, RoomUnread>> {
  const counts = new Map<number, RoomUnread>();
  const unknown: number[] = [];
  for (const roomNid of roomNids) {
    const reader = { userId, roomNid, byThread: false };
    const range = { since: upTo, upTo, countable: 0 };
    const known = findUnread(edges, reader, range);
    if (known) counts.set(roomNid, known);
    else unknown.push(roomNid);
  }
  if (unknown.length === 0) return counts;
  const read = await readUnread(
    edges,
    { userId },
    unknown,
    upTo,
    false,
    ignored,
  );
  return new Map([...counts, ...read]);
}
