import type { RoomUnread } from "../push/unread-counts.ts";
import type { RoomSummary } from "./summary.ts";

/** One room's entry in a sync; events as JSON text. */
export interface RoomEntry {
  timeline: readonly string[];
  isLimited: boolean;
  prevBatch: string;
  /** What the client calls its state: `state`, or a name for state after the timeline. */
  stateName: string;
  state: readonly string[];
  accountData: readonly string[];
  /** What only rooms have that the user has joined. */
  joined: {
    ephemeral: readonly object[];
    summary: RoomSummary | undefined;
    unread: RoomUnread | undefined;
    byThread: boolean;
  } | null;
}

const NOTHING = { notification_count: 0, highlight_count: 0 };

export function writeRoomEntry(entry: RoomEntry): string {
  const { timeline, isLimited, prevBatch, joined } = entry;
  const parts = [
    `"timeline":{"events":[${timeline.join(",")}],"limited":${isLimited},"prev_batch":${JSON.stringify(prevBatch)}}`,
    `"${entry.stateName}":{"events":[${entry.state.join(",")}]}`,
    `"account_data":{"events":[${entry.accountData.join(",")}]}`,
  ];
  if (joined) {
    const { ephemeral, summary, unread, byThread } = joined;
    parts.push(
      `"ephemeral":{"events":${JSON.stringify(ephemeral)}}`,
      `"summary":${JSON.stringify(summary ?? {})}`,
      `"unread_notifications":${JSON.stringify(unread?.room ?? NOTHING)}`,
    );
    if (byThread) {
      parts.push(
        `"unread_thread_notifications":${JSON.stringify(unread?.threads ?? {})}`,
      );
    }
  }
  return `{${parts.join(",")}}`;
}
