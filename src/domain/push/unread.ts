import type { Edges } from "../../edges.ts";
import type { Requester } from "../accounts/requester.ts";

export interface UnreadCounts {
  notification_count: number;
  highlight_count: number;
}

/** Unread counts of one room: without its threads where those are told apart. */
export interface RoomUnread {
  room: UnreadCounts;
  threads: Record<string, UnreadCounts>;
}

/** Unread counts of rooms, in a fixed number of queries. */
export function readUnread(
  _edges: Pick<Edges, "db">,
  _requester: Requester,
  _roomNids: readonly number[],
  _byThread: boolean,
): Promise<Map<number, RoomUnread>> {
  return Promise.resolve(new Map());
}
