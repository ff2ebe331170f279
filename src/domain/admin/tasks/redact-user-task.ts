import { MatrixError } from "../../../core/errors.ts";
import { listRedactableOf } from "../../../storage/redactable.ts";
import type { EventHead } from "../../../storage/events.ts";
import { listMembershipsIn } from "../../../storage/memberships.ts";
import type { WriteRows } from "../../../storage/write.ts";
import { redactionOf } from "../../rooms/redaction-proposal.ts";
import {
  findRoomIdentity,
  type RoomIdentity,
} from "../../rooms/room-identity.ts";
import { writeToRoom } from "../../rooms/room-writer.ts";
import {
  readParams,
  readProgress,
  type TaskEdges,
  type TaskKind,
} from "./task.ts";

export interface RedactionParams {
  rooms: string[];
  reason: string | null;
  limit: number;
  usesAdmin: boolean;
  afterTs: number | null;
  beforeTs: number | null;
  adminId: string;
}

interface Progress {
  /** The place of the room in the list that is being gone through. */
  room: number;
  /** All from here on was looked at. */
  position: number;
  /** Of this room, and in all. */
  ofRoom: number;
  redacted: number;
}

/** Each takes up to ten rows. */
const EVENTS_AT_ONCE = 40;
/** Events of others that are passed over in one step. */
const LOOKED_AT = 5_000;

/** Redacts what a user said, room by room, the newest first. */
export const redactUserTask: TaskKind = {
  async step(edges, job, { jobId }) {
    const params = readParams<RedactionParams>(job);
    const {
      room: at = 0,
      position = Number.MAX_SAFE_INTEGER,
      ofRoom = 0,
      redacted = 0,
    } = readProgress<Progress>(job);
    const roomId = params.rooms[at];
    if (roomId === undefined) return { progress: { redacted }, next: "done" };
    const nextRoom = { room: at + 1, redacted };
    const room = await findRoomIdentity(edges, roomId);
    const left = Math.min(EVENTS_AT_ONCE, params.limit - ofRoom);
    if (!room || left <= 0) return { progress: nextRoom, next: "more" };
    const { events, reached } = await listRedactableOf(edges.db, {
      ...{ roomNid: room.roomNid, sender: job.userId ?? "" },
      ...{ before: position, lookedAt: LOOKED_AT, limit: left },
      ...{ afterTs: params.afterTs, beforeTs: params.beforeTs },
    });
    const done = await redactAll(edges, room, events, params, jobId);
    if (reached === null) {
      const progress = { ...nextRoom, redacted: redacted + done };
      return { progress, next: "more" };
    }
    const progress = {
      ...{ room: at, position: reached, ofRoom: ofRoom + events.length },
      redacted: redacted + done,
    };
    return { progress, next: "more" };
  },
};

/** Each by itself: what one refuses is noted, and keeps no other from going. Answers how many went. */
async function redactAll(
  edges: TaskEdges,
  room: RoomIdentity,
  events: readonly EventHead[],
  params: RedactionParams,
  jobId: string,
): Promise<number> {
  const [first] = events;
  if (!first) return 0;
  const by = await redactorOf(edges, room, first.sender, params);
  const { reason } = params;
  const content = reason === null ? {} : { reason };
  const failures: WriteRows["adminJobItems"] = [];
  await Promise.all(
    events.map(async (event) => {
      const proposal = redactionOf(room.rules, by, event, content);
      try {
        await writeToRoom(edges, room.roomNid, [proposal]);
      } catch (error) {
        const isRefused =
          error instanceof MatrixError && error.errcode === "M_FORBIDDEN";
        if (!isRefused) throw error;
        const item = { jobId, item: event.eventId, reason: error.message };
        failures.push({ ...item, kind: "not-redacted" });
      }
    }),
  );
  if (failures.length > 0)
    await edges.committer.commit({
      positions: 1,
      rows: { adminJobItems: failures },
    });
  return events.length - failures.length;
}

/** Whoever said it, where they are still in the room; else the administrator. */
async function redactorOf(
  { db }: TaskEdges,
  { roomNid }: RoomIdentity,
  sender: string,
  { adminId, usesAdmin }: RedactionParams,
): Promise<string> {
  if (usesAdmin) return adminId;
  const [standing] = await listMembershipsIn(db, sender, [roomNid]);
  return standing?.membership === "join" ? sender : adminId;
}
