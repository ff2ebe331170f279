import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  findJob,
  listJobs,
  type AdminJobRow,
  type JobSearch,
} from "../../storage/admin-jobs.ts";
import { recordOf, type ActingAdministrator } from "./administrator.ts";
import type { DeletionParams } from "./tasks/delete-room-task.ts";
import { readParams } from "./tasks/task.ts";

/** A page of the tasks, and how many there are in all. */
export const searchJobs = (
  { db }: Pick<Edges, "db">,
  search: JobSearch,
): Promise<{ jobs: AdminJobRow[]; total: number }> => listJobs(db, search);

/** @throws MatrixError M_NOT_FOUND */
export async function readJob(
  { db }: Pick<Edges, "db">,
  jobId: string,
): Promise<AdminJobRow> {
  const job = await findJob(db, jobId);
  if (job) return job;
  throw new MatrixError("M_NOT_FOUND", "No such task is known here.");
}

/**
 * Takes a task back. What it has not done yet stays as it is; a room that was only to be
 * blocked until it is destroyed is open again.
 */
export async function cancelJob(
  edges: Pick<Edges, "committer" | "db" | "now">,
  by: ActingAdministrator,
  jobId: string,
): Promise<AdminJobRow> {
  const { kind, roomId, ...job } = await readJob(edges, jobId);
  const isUnderWay = job.state === "scheduled" || job.state === "active";
  if (!isUnderWay)
    throw new MatrixError("M_UNKNOWN", "This task has come to its end.");
  if (kind === "erase-user")
    throw new MatrixError(
      "M_FORBIDDEN",
      "An erasure that has begun cannot be taken back.",
    );
  const isUnblocked =
    kind === "delete-room" &&
    roomId !== null &&
    !readParams<DeletionParams>({ ...job, kind, roomId }).keepsBlock;
  await edges.committer.commit({
    positions: 1,
    rows: {
      cancelledAdminJobs: [{ jobId }],
      ...(isUnblocked && { removedRoomBlocks: [{ roomId }] }),
    },
    audit: [recordOf(by, roomId ?? jobId, edges.now(), { cancelled: jobId })],
  });
  const after = await readJob(edges, jobId);
  if (after.state === "cancelled") return after;
  throw new MatrixError("M_UNKNOWN", "This task has come to its end.");
}
