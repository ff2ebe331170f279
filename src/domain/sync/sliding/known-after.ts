import type { EnteredRoom, ShownTimeline } from "./entered-room.ts";
import { RequiredState, type RoomConfig } from "./required-state.ts";
import type { RoomState } from "./room-states.ts";
import type { SentRoom } from "./sent-rooms.ts";

const MEMBER = "m.room.member";

/** Of more members it is forgotten that they were sent: then they are sent again. */
const MOST_MEMBERS = 200;

/** What the client knows of a room once it has the answer. */
export function knownAfter(
  { task }: EnteredRoom,
  config: RoomConfig,
  { isLimited }: ShownTimeline,
  state: RoomState,
): SentRoom {
  const { sent, isDirect, isExpanded, known } = task;
  const required = sent
    ? RequiredState.known(known, config.required, state.changed)
    : config.required;
  return {
    kind: task.room.kind,
    position: null,
    timelineLimit: limitAfter(
      sent,
      config.timelineLimit,
      isLimited || isExpanded,
    ),
    required: required.text,
    isDirect,
    hasAccountData: sent?.hasAccountData ?? false,
    hasReceipts: sent?.hasReceipts ?? false,
    members: config.required.isLazy ? membersAfter(sent, state) : [],
  };
}

/** A client that asked for less and has no gap still has what it had. */
function limitAfter(
  sent: SentRoom | null,
  limit: number,
  isAnew: boolean,
): number {
  if (!sent || isAnew) return limit;
  return Math.max(sent.timelineLimit, limit);
}

function membersAfter(sent: SentRoom | null, state: RoomState): number[] {
  const members = new Set(sent?.members);
  for (const nid of state.stale) members.delete(nid);
  for (const { place, nid } of state.told) {
    if (place[0] !== MEMBER || nid === null) continue;
    // The latest at the end.
    members.delete(nid);
    members.add(nid);
  }
  return [...members].slice(-MOST_MEMBERS);
}
