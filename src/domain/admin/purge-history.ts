import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  findJob,
  listJobsOfRoom,
  type AdminJobRow,
} from "../../storage/admin-jobs.ts";
import { listEventHeadsById } from "../../storage/events.ts";
import type { PagingKey } from "../../storage/paging.ts";
import { listHeadsByTime } from "../../storage/surroundings.ts";
import { getRoomIdentity, type RoomIdentity } from "../rooms/room-identity.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import { assertRoomId } from "./block-room.ts";
import type { PurgeParams, PurgeProgress } from "./tasks/purge-history-task.ts";
import { taskAlarmOf } from "./tasks/task-alarm.ts";
import { readProgress, type TaskEdges } from "./tasks/task.ts";

/** What comes before this event is purged, or before the last one up to this time. */
export type PurgePoint = { eventId: string } | { ts: number };

/**
 * Where a purge would end.
 * @throws MatrixError what keeps a room's history from being purged so as things are
 */
export async function findPurgeable(
  edges: Pick<Edges, "db" | "memory">,
  roomId: string,
  point: PurgePoint,
): Promise<PagingKey> {
  assertRoomId(roomId);
  const room = await getRoomIdentity(edges, roomId);
  const earlier = await listJobsOfRoom(edges.db, roomId, "purge-history");
  if (earlier.some(({ state }) => state === "scheduled" || state === "active"))
    throw new MatrixError(
      "M_UNKNOWN",
      "A purge of this room's history is under way already.",
    );
  return findPoint(edges, room, point);
}

/**
 * Has a room's history destroyed up to a point, when the undo window is over. The room
 * keeps its state and its graph; users of this server keep what they said unless told.
 */
export async function schedulePurge(
  edges: TaskEdges,
  by: ActingAdministrator,
  roomId: string,
  { point, deletesLocal }: { point: PurgePoint; deletesLocal: boolean },
): Promise<string> {
  const before = await findPurgeable(edges, roomId, point);
  const params: PurgeParams = { before, deletesLocal };
  const jobId = edges.random.token(16);
  await edges.committer.commit({
    positions: 1,
    rows: {
      adminJobs: [
        {
          ...{ jobId, roomId, userId: null, createdBy: by.actor.userId },
          kind: "purge-history",
          params: JSON.stringify(params),
          waitMs: edges.settings.undoWindowMs,
        },
      ],
    },
    audit: [
      recordOf(by, roomId, edges.now(), {
        ...{ job: jobId, delete_local_events: deletesLocal },
        ...("ts" in point
          ? { up_to_ts: point.ts }
          : { up_to_event: point.eventId }),
      }),
    ],
  });
  taskAlarmOf(edges).ring();
  return jobId;
}

async function findPoint(
  { db }: Pick<Edges, "db">,
  { roomNid }: RoomIdentity,
  point: PurgePoint,
): Promise<PagingKey> {
  const [head] =
    "ts" in point
      ? await listHeadsByTime(db, roomNid, {
          ts: point.ts,
          isBackwards: true,
          parts: null,
          mostPassed: 1,
          limit: 1,
        })
      : await listEventHeadsById(db, roomNid, [point.eventId]);
  if (head && head.arrival !== null)
    return { depth: head.depth, arrival: head.arrival };
  throw new MatrixError(
    "M_NOT_FOUND",
    "ts" in point
      ? "This room has no event as old as that."
      : "This event is not known in this room.",
  );
}

/** @throws MatrixError M_NOT_FOUND */
export async function readPurge(
  { db }: Pick<Edges, "db">,
  jobId: string,
): Promise<AdminJobRow & { held: number }> {
  const job = await findJob(db, jobId);
  if (job?.kind === "purge-history")
    return { ...job, held: readProgress<PurgeProgress>(job).held ?? 0 };
  throw new MatrixError("M_NOT_FOUND", "No such purge is known here.");
}
