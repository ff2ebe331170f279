import type { UnreadCounts } from "../../push/unread-counts.ts";
import type { RoomKind, SentRoom } from "./sent-rooms.ts";

/** What an answer tells of a room, and what the client knows of it then. */
export interface RoomResult {
  roomNid: number;
  roomId: string;
  /** The entry as JSON text; null where there is nothing to tell. */
  text: string | null;
  sent: SentRoom;
  /** The client shows these events as if it had just come: it wants their receipts too. */
  isFresh: boolean;
  /** The position of the first event of the timeline. */
  firstPosition: number | null;
}

export interface Hero {
  user_id: string;
  displayname?: string;
  avatar_url?: string;
}

/** An entry of `rooms`; events as JSON text. What is undefined is left out. */
export interface RoomEntry {
  kind: RoomKind;
  membership: string;
  bumpStamp: number;
  isInitial: boolean;
  isExpanded: boolean;
  isDirect: boolean | undefined;
  name: string | null | undefined;
  avatar: string | null | undefined;
  heroes: readonly Hero[] | undefined;
  joinedCount: number | undefined;
  invitedCount: number | undefined;
  unread: UnreadCounts | undefined;
  requiredState: readonly string[];
  timeline: readonly string[];
  isLimited: boolean;
  liveCount: number;
  prevBatch: string | undefined;
  /** What a room that one is not in shows of itself, as a list in JSON. */
  strippedState: string | undefined;
}

/** A room that one is not in, and has never been told of. */
export const BARE: Omit<RoomEntry, "kind" | "membership" | "bumpStamp"> = {
  isInitial: false,
  isExpanded: false,
  isDirect: undefined,
  name: undefined,
  avatar: undefined,
  heroes: undefined,
  joinedCount: undefined,
  invitedCount: undefined,
  unread: undefined,
  requiredState: [],
  timeline: [],
  isLimited: false,
  liveCount: 0,
  prevBatch: undefined,
  strippedState: undefined,
};

export function writeRoomEntry(entry: RoomEntry): string {
  const plain = {
    bump_stamp: entry.bumpStamp,
    membership: entry.membership,
    name: entry.name,
    avatar: entry.avatar,
    heroes: entry.heroes,
    ...(entry.isInitial && { initial: true }),
    ...(entry.isExpanded && { unstable_expanded_timeline: true }),
    is_dm: entry.isDirect,
    joined_count: entry.joinedCount,
    invited_count: entry.invitedCount,
    ...entry.unread,
  };
  const parts = [JSON.stringify(plain).slice(1, -1)];
  if (entry.strippedState !== undefined) {
    parts.push(`"invite_state":${entry.strippedState}`);
  } else {
    parts.push(
      `"required_state":[${entry.requiredState.join(",")}]`,
      `"timeline":[${entry.timeline.join(",")}]`,
      `"limited":${entry.isLimited}`,
      `"num_live":${entry.liveCount}`,
    );
    if (entry.prevBatch !== undefined)
      parts.push(`"prev_batch":${JSON.stringify(entry.prevBatch)}`);
  }
  return `{${parts.join(",")}}`;
}
