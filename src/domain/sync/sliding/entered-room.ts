import type { VisibleEvent } from "../../rooms/gate.ts";
import type { RoomTask } from "./room-tasks.ts";

/** A room that the user is or was in, and what of its stream the answer may tell. */
export interface EnteredRoom {
  task: RoomTask;
  roomNid: number;
  /** The timeline ends here: with the room, or with the user's stay. */
  upTo: number;
  /** State is told as it was here; null: none of it may be seen. */
  stateAt: number | null;
  limit: number;
}

/** What the timeline of a room shows. */
export interface ShownTimeline {
  events: readonly VisibleEvent[];
  startsAfter: number;
  isLimited: boolean;
}
