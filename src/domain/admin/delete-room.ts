import { setTimeout as sleep } from "node:timers/promises";
import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  findJob,
  listJobItems,
  listJobsOfRoom,
  type AdminJobRow,
} from "../../storage/admin-jobs.ts";
import { listAliasesOfRoom } from "../../storage/aliases.ts";
import { findRoomBlock } from "../../storage/blocked-rooms.ts";
import { hasHeld } from "../../storage/holds.ts";
import type { WriteRows } from "../../storage/write.ts";
import { findRoomIdentity, type RoomIdentity } from "../rooms/room-identity.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import { assertRoomId } from "./block-room.ts";
import { heldError } from "./held-error.ts";
import { assertMayMakeRoomAs } from "./replacement-owner.ts";
import { makeRoomInstead } from "./replacement-room.ts";
import type {
  DeletionParams,
  DeletionProgress,
} from "./tasks/delete-room-task.ts";
import { runTask } from "./tasks/run-tasks.ts";
import { taskAlarmOf } from "./tasks/task-alarm.ts";
import { readParams, readProgress, type TaskEdges } from "./tasks/task.ts";

export interface RoomDeletion {
  /** Makes a room for those who are taken out of this one. */
  newRoomUserId: string | null;
  roomName: string | null;
  message: string | null;
  /** Nobody comes in any more. */
  blocks: boolean;
  /** All that it holds is destroyed, after the undo window. */
  purges: boolean;
  /** Also where somebody could not be taken out. */
  forcesPurge: boolean;
}

/** What has become of a room's deletion. */
export interface DeletionStatus {
  job: AdminJobRow;
  kickedUsers: string[];
  failedUsers: string[];
  localAliases: string[];
  newRoomId: string | null;
}

/**
 * Takes all users of this server out of a room, in a task. What is to be purged is blocked
 * until then, and can be kept by taking the task back as long as the undo window is open.
 */
export async function scheduleRoomDeletion(
  edges: TaskEdges,
  by: ActingAdministrator,
  roomId: string,
  wanted: RoomDeletion,
): Promise<string> {
  const jobId = await commitDeletion(edges, by, roomId, wanted);
  taskAlarmOf(edges).ring();
  return jobId;
}

/** The same, and waits until the room is empty. */
export async function deleteRoom(
  edges: TaskEdges,
  by: ActingAdministrator,
  roomId: string,
  wanted: RoomDeletion,
  signal: () => AbortSignal,
): Promise<DeletionStatus> {
  const jobId = await commitDeletion(edges, by, roomId, wanted);
  for (;;) {
    const isOurs = await runTask(edges, { jobId });
    const job = await findJob(edges.db, jobId);
    if (!job) throw noSuchDeletion();
    const { phase = "emptying" } = readProgress<DeletionProgress>(job);
    if (job.state === "failed")
      throw new MatrixError("M_UNKNOWN", job.error ?? "It failed.");
    const isUnderWay = job.state === "scheduled" || job.state === "active";
    if (!isUnderWay || (job.state === "scheduled" && phase !== "emptying")) {
      const [status] = await describeDeletions(edges, [job]);
      return status!;
    }
    // Another process may be at it.
    if (!isOurs) await sleep(POLL_MS, undefined, { signal: signal() });
  }
}

const POLL_MS = 100;

/**
 * The room, where it is known here.
 * @throws MatrixError what keeps it from being deleted so as things are
 */
export async function findDeletable(
  edges: TaskEdges,
  by: ActingAdministrator,
  roomId: string,
  { newRoomUserId, purges }: RoomDeletion,
): Promise<RoomIdentity | undefined> {
  assertRoomId(roomId);
  const { db } = edges;
  const earlier = await listJobsOfRoom(db, roomId, "delete-room");
  if (earlier.some(({ state }) => state === "scheduled" || state === "active"))
    throw new MatrixError("M_UNKNOWN", "This room is being deleted already.");
  if (newRoomUserId !== null)
    await assertMayMakeRoomAs(edges, by, newRoomUserId, roomId);
  const room = await findRoomIdentity(edges, roomId);
  if (room && purges && (await hasHeld(db, room.roomNid)))
    throw heldError("This room has what a legal hold keeps from destruction.");
  return room;
}

async function commitDeletion(
  edges: TaskEdges,
  by: ActingAdministrator,
  roomId: string,
  wanted: RoomDeletion,
): Promise<string> {
  const room = await findDeletable(edges, by, roomId, wanted);
  const { newRoomUserId, blocks, purges, forcesPurge } = wanted;
  const { db } = edges;
  const makesRoom = room !== undefined && newRoomUserId !== null;
  const aliases = makesRoom ? await listAliasesOfRoom(db, room.roomNid) : [];
  const wasBlocked = (await findRoomBlock(db, roomId)) !== undefined;
  const jobId = edges.random.token(16);
  const blockedBy = by.actor.userId;
  /** The task with all that is done at once, and its record. */
  const begun = (newRoom: { roomId: string; roomNid: number } | null) => {
    const params: DeletionParams = {
      newRoomId: newRoom?.roomId ?? null,
      localAliases: aliases.map(({ alias }) => alias),
      purges: purges && room !== undefined,
      forcesPurge,
      keepsBlock: blocks || wasBlocked,
    };
    const rows: Partial<WriteRows> = {
      adminJobs: [
        {
          ...{ jobId, roomId, userId: null, waitMs: 0, createdBy: blockedBy },
          kind: "delete-room",
          params: JSON.stringify(params),
        },
      ],
      ...((blocks || params.purges) && { roomBlocks: [{ roomId, blockedBy }] }),
      ...(room && {
        roomPublications: [{ roomNid: room.roomNid, isPublished: false }],
      }),
      ...(room &&
        newRoom && {
          movedAliases: aliases.map(({ alias }) => ({
            alias,
            fromRoomNid: room.roomNid,
            roomNid: newRoom.roomNid,
          })),
        }),
    };
    const details = {
      ...{ job: jobId, block: blocks, purge: purges },
      ...(newRoom && { new_room: newRoom.roomId }),
    };
    return { rows, audit: [recordOf(by, roomId, edges.now(), details)] };
  };
  if (makesRoom) await makeRoomInstead(edges, newRoomUserId, wanted, begun);
  else await edges.committer.commit({ positions: 1, ...begun(null) });
  return jobId;
}

/** @throws MatrixError M_NOT_FOUND */
export async function readDeletion(
  edges: Pick<Edges, "db">,
  jobId: string,
): Promise<DeletionStatus> {
  const job = await findJob(edges.db, jobId);
  if (job?.kind !== "delete-room") throw noSuchDeletion();
  const [status] = await describeDeletions(edges, [job]);
  return status!;
}

/** All that are known of a room. @throws MatrixError M_NOT_FOUND */
export async function readDeletionsOf(
  edges: Pick<Edges, "db">,
  roomId: string,
): Promise<DeletionStatus[]> {
  assertRoomId(roomId);
  const jobs = await listJobsOfRoom(edges.db, roomId, "delete-room");
  if (jobs.length === 0) throw noSuchDeletion();
  return describeDeletions(edges, jobs);
}

const noSuchDeletion = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "No such deletion of a room is known here.");

async function describeDeletions(
  { db }: Pick<Edges, "db">,
  jobs: readonly AdminJobRow[],
): Promise<DeletionStatus[]> {
  const items = await listJobItems(
    db,
    jobs.map(({ jobId }) => jobId),
  );
  return jobs.map((job) => {
    const { newRoomId, localAliases } = readParams<DeletionParams>(job);
    const named = (wanted: string): string[] =>
      items.flatMap(({ item, jobId, kind }) =>
        jobId === job.jobId && kind === wanted ? item : [],
      );
    return {
      ...{ job, newRoomId, localAliases },
      kickedUsers: named("kicked"),
      failedUsers: named("not-kicked"),
    };
  });
}
