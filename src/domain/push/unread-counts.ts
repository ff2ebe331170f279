export interface UnreadCounts {
  notification_count: number;
  highlight_count: number;
}

/** Unread counts of one room: without its threads where those are told apart. */
export interface RoomUnread {
  room: UnreadCounts;
  threads: Record<string, UnreadCounts>;
}
