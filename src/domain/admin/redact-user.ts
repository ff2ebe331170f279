import { MatrixError } from "../../core/errors.ts";
import { isRoomId } from "../../core/ids.ts";
import type { Edges } from "../../edges.ts";
import {
  findJob,
  listJobItems,
  type AdminJobRow,
} from "../../storage/admin-jobs.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";
import { findUser } from "../../storage/users.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import type { RedactionParams } from "./tasks/redact-user-task.ts";
import { taskAlarmOf } from "./tasks/task-alarm.ts";
import type { TaskEdges } from "./tasks/task.ts";

export interface UserRedaction {
  /** Empty for all that the user was ever in. */
  rooms: readonly string[];
  reason: string | null;
  /** So many events of each room, the newest. */
  limit: number;
  /** By the administrator in every room, also where the user could do it. */
  usesAdmin: boolean;
  afterTs: number | null;
  beforeTs: number | null;
}

const MOST_ROOMS = 10_000;

/**
 * The rooms in which a user's words would be redacted.
 * @throws MatrixError what keeps that from being done so as things are
 */
export async function findRedactable(
  { db }: Pick<Edges, "db">,
  userId: string,
  { rooms, afterTs, beforeTs }: UserRedaction,
): Promise<string[]> {
  if (rooms.some((roomId) => !isRoomId(roomId)))
    throw invalid("rooms must be room IDs.");
  if (afterTs !== null && beforeTs !== null && afterTs > beforeTs)
    throw invalid("after_ts must not come after before_ts.");
  if (rooms.length > 0) return [...rooms];
  const known = await listMembershipsOf(db, userId);
  if (known.length === 0 && !(await findUser(db, userId)))
    throw new MatrixError("M_NOT_FOUND", "No such user is known here.");
  return known.map(({ roomId }) => roomId);
}

const invalid = (message: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", message);

/** Has what a user said redacted, in a task. */
export async function scheduleRedactions(
  edges: TaskEdges,
  by: ActingAdministrator,
  userId: string,
  wanted: UserRedaction,
): Promise<string> {
  const { rooms, ...others } = wanted;
  const roomIds = await findRedactable(edges, userId, wanted);
  const params: RedactionParams = {
    ...others,
    rooms: roomIds.slice(0, MOST_ROOMS),
    adminId: by.actor.userId,
  };
  const jobId = edges.random.token(16);
  await edges.committer.commit({
    positions: 1,
    rows: {
      adminJobs: [
        {
          ...{ jobId, userId, roomId: null, createdBy: by.actor.userId },
          ...{ kind: "redact-user", waitMs: 0 },
          params: JSON.stringify(params),
        },
      ],
    },
    audit: [
      recordOf(by, userId, edges.now(), {
        ...{ job: jobId, rooms: rooms.length === 0 ? null : rooms.length },
      }),
    ],
  });
  taskAlarmOf(edges).ring();
  return jobId;
}

/** @throws MatrixError M_NOT_FOUND */
export async function readRedactions(
  { db }: Pick<Edges, "db">,
  jobId: string,
): Promise<{ job: AdminJobRow; failed: Record<string, string> }> {
  const job = await findJob(db, jobId);
  if (job?.kind !== "redact-user")
    throw new MatrixError("M_NOT_FOUND", "No such redaction is known here.");
  const items = await listJobItems(db, [jobId]);
  const failed = items.flatMap(({ item, kind, reason }) =>
    kind === "not-redacted" ? [[item, reason ?? ""] as const] : [],
  );
  return { job, failed: Object.fromEntries(failed) };
}
