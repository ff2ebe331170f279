import type { Edges } from "../../edges.ts";
import { listUnread, type UnreadRow } from "../../storage/unread.ts";
import { groupBy } from "../../util/group-by.ts";
import type { RoomUnread, UnreadCounts } from "./unread-counts.ts";
import { rememberUnread } from "./unread-memory.ts";

type Needs = Pick<Edges, "db" | "memory" | "notifier">;

/**
 * Unread counts at `upTo` of rooms that the user has joined, in one query. Read is what a
 * receipt covers, and what stands before the user's own last message.
 * https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications
 */
export async function readUnread(
  edges: Needs,
  { userId }: { userId: string },
  roomNids: readonly number[],
  upTo: number,
  byThread: boolean,
  ignored: ReadonlySet<string>,
): Promise<Map<number, RoomUnread>> {
  const rows = await listUnread(edges.db, userId, roomNids, {
    upTo,
    byThread,
    ignored: [...ignored].filter((id) => !id.includes("\0")),
  });
  const byRoom = groupBy(rows, ({ roomNid }) => roomNid);
  const counts = new Map<number, RoomUnread>();
  for (const [roomNid, parts] of byRoom) {
    const unread = addUp(parts, byThread);
    counts.set(roomNid, unread);
    // Where rows decide, more events say nothing of more counts.
    if (!parts.some(({ isByRows }) => isByRows)) {
      rememberUnread(edges, { userId, roomNid, byThread }, upTo, unread);
    }
  }
  return counts;
}

function addUp(rows: readonly UnreadRow[], byThread: boolean): RoomUnread {
  const room = sumOf(rows.filter(({ part }) => part !== "thread"));
  if (!byThread) return { room, threads: {} };
  const roots = new Set(
    rows.flatMap(({ thread }) =>
      thread === null || thread === "main" ? [] : [thread],
    ),
  );
  const threads: Record<string, UnreadCounts> = Object.create(null);
  for (const root of roots) {
    const unread = sumOf(rows.filter(({ thread }) => thread === root));
    room.notification_count -= unread.notification_count;
    room.highlight_count -= unread.highlight_count;
    if (unread.notification_count > 0 || unread.highlight_count > 0) {
      threads[root] = unread;
    }
  }
  return { room, threads };
}

function sumOf(rows: readonly UnreadRow[]): UnreadCounts {
  const sum: UnreadCounts = { notification_count: 0, highlight_count: 0 };
  for (const { count, highlights } of rows) {
    sum.notification_count += count;
    sum.highlight_count += highlights;
  }
  return sum;
}
