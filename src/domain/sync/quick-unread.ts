import type { Edges } from "../../edges.ts";
import type { RoomUnread } from "../push/unread-counts.ts";
import { findUnread } from "../push/unread-memory.ts";
import { readUnread } from "../push/unread.ts";
import type { RoomDelta } from "./room-delta.ts";
import type { Standing } from "./room-plan.ts";
import type { UserView } from "./user-view.ts";

/** Whose counts they are, and from where on what was added is known. */
interface Asked {
  requester: { userId: string };
  since: number;
  byThread: boolean;
}

/** Unread counts of rooms: remembered ones and what was added to them, the others in one query. */
export async function readQuickUnread(
  edges: Pick<Edges, "db" | "memory" | "notifier">,
  { requester, since, byThread }: Asked,
  { upTo, ignored }: UserView,
  seen: readonly { room: Standing; delta: RoomDelta }[],
): Promise<Map<number, RoomUnread>> {
  const { userId } = requester;
  const counts = new Map<number, RoomUnread>();
  const unknown: number[] = [];
  for (const { room, delta } of seen) {
    const { roomNid } = room;
    const { events, countable, notified } = delta;
    const isPlain =
      !events.some(({ sender }) => sender === userId) &&
      !notified.has(userId) &&
      !notified.has("");
    const known = isPlain
      ? findUnread(
          edges,
          { userId, roomNid, byThread },
          { since, upTo, countable },
        )
      : undefined;
    if (known) counts.set(roomNid, known);
    else unknown.push(roomNid);
  }
  if (unknown.length === 0) return counts;
  const read = await readUnread(
    edges,
    requester,
    unknown,
    upTo,
    byThread,
    ignored,
  );
  return new Map([...counts, ...read]);
}
