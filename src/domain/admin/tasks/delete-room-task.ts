import { MatrixError } from "../../../core/errors.ts";
import type { UserId } from "../../../core/ids.ts";
import type { JobClaim } from "../../../storage/admin-jobs.ts";
import { hasHeld } from "../../../storage/holds.ts";
import {
  hasLocalMember,
  listLocalMembers,
} from "../../../storage/room-members.ts";
import type { WriteRows } from "../../../storage/write.ts";
import { joinRoom } from "../../rooms/membership.ts";
import type { Proposal } from "../../rooms/proposal.ts";
import {
  findRoomIdentity,
  type RoomIdentity,
} from "../../rooms/room-identity.ts";
import { writeToRoom } from "../../rooms/room-writer.ts";
import { purgeRoom, type RoomPurge } from "./purge-room.ts";
import {
  readParams,
  readProgress,
  TaskFailed,
  type StepEnd,
  type TaskEdges,
  type TaskKind,
} from "./task.ts";

export interface DeletionParams {
  newRoomId: string | null;
  localAliases: string[];
  purges: boolean;
  forcesPurge: boolean;
  /** Whether the room stays blocked when all is done. */
  keepsBlock: boolean;
}

export interface DeletionProgress {
  phase: "emptying" | "purging";
  purge: RoomPurge;
}

/** Each takes some ten rows. */
const MEMBERS_AT_ONCE = 25;

/** Empties a room; then, when it is too late to take that back, destroys it. */
export const deleteRoomTask: TaskKind = {
  async step(edges, job, claim) {
    const params = readParams<DeletionParams>(job);
    const { phase = "emptying", purge = {} } =
      readProgress<DeletionProgress>(job);
    const room = await findRoomIdentity(edges, job.roomId ?? "");
    if (!room) return { progress: {}, next: "done" };
    if (phase === "emptying") return empty(edges, room, params, claim);
    if (!params.forcesPurge && (await hasLocalMember(edges.db, room.roomNid)))
      throw new TaskFailed("Users are still joined to this room.");
    if (await hasHeld(edges.db, room.roomNid))
      return { progress: { phase, purge }, next: "held" };
    const { left, isDone } = await purgeRoom(edges, claim, room, purge, {
      isUnblocked: !params.keepsBlock,
    });
    const progress = { phase, purge: left };
    return { progress, next: isDone ? "done" : "more" };
  },
};

async function empty(
  edges: TaskEdges,
  room: RoomIdentity,
  { newRoomId, purges }: DeletionParams,
  { jobId }: JobClaim,
): Promise<StepEnd> {
  const { db, settings } = edges;
  const members = await listLocalMembers(
    db,
    room.roomNid,
    jobId,
    MEMBERS_AT_ONCE,
  );
  if (members.length > 0) {
    const kicked = await takeOut(edges, room, jobId, members);
    if (newRoomId !== null) await bringIn(edges, newRoomId, kicked);
    return { progress: { phase: "emptying" }, next: "more" };
  }
  if (!purges) return { progress: { phase: "emptying" }, next: "done" };
  const progress = { phase: "purging" };
  const waitMs = settings.undoWindowMs;
  return waitMs > 0
    ? { progress, next: "wait", waitMs }
    : { progress, next: "more" };
}

/** All of them at once; where one cannot be, each by itself. */
async function takeOut(
  edges: TaskEdges,
  room: RoomIdentity,
  jobId: string,
  userIds: readonly string[],
): Promise<string[]> {
  const leave = (leaving: readonly string[]) =>
    writeToRoom(edges, room.roomNid, leaving.map(leaveOf), {
      rows: noteKicked(room, jobId, leaving),
    });
  try {
    await leave(userIds);
    return [...userIds];
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
  const kicked: string[] = [];
  for (const userId of userIds) {
    try {
      await leave([userId]);
      kicked.push(userId);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const item = { jobId, item: userId, reason: error.message };
      await edges.committer.commit({
        positions: 1,
        rows: { adminJobItems: [{ ...item, kind: "not-kicked" }] },
      });
    }
  }
  return kicked;
}

/** What is too much now is tried again. */
const isRefusal = (error: unknown): error is MatrixError =>
  error instanceof MatrixError && error.errcode === "M_FORBIDDEN";

const leaveOf = (userId: string): Proposal => ({
  draft: {
    type: "m.room.member",
    sender: userId,
    stateKey: userId,
    content: { membership: "leave" },
  },
});

const noteKicked = (
  { roomNid }: RoomIdentity,
  jobId: string,
  userIds: readonly string[],
): Partial<WriteRows> => ({
  forgotten: userIds.map((userId) => ({ userId, roomNid })),
  adminJobItems: userIds.map((item) => ({
    ...{ jobId, item, reason: null },
    kind: "kicked",
  })),
});

/** Who cannot come in is told of nothing there. */
async function bringIn(
  edges: TaskEdges,
  roomId: string,
  userIds: readonly string[],
): Promise<void> {
  for (const userId of userIds) {
    const who = { userId: userId as UserId, isGuest: false };
    await joinRoom(edges, who, roomId).catch((error: unknown) => {
      if (!(error instanceof MatrixError)) throw error;
      edges.log.warn({ err: error, roomId }, "a room could not be joined");
    });
  }
}
