import type { Edges } from "../../../edges.ts";
import type { AdminJobRow, JobClaim } from "../../../storage/admin-jobs.ts";
import type { WriterEdges } from "../../rooms/room-writer.ts";

export type TaskEdges = WriterEdges &
  Pick<Edges, "auditKey" | "mediaStore" | "passwordHasher">;

/** What a step has come to, with the task's progress as JSON. */
export interface StepEnd {
  progress: object;
  /** `more` where the next step is due at once, `wait` where it is later, `held` while a legal hold keeps it from that. */
  next: "more" | "wait" | "held" | "done";
  waitMs?: number;
}

/**
 * A kind of task. A step is a bounded piece of it, and takes at most 500 rows in a
 * transaction; each of its writes holds only while the claim does, or does no harm twice.
 */
export interface TaskKind {
  step(edges: TaskEdges, job: AdminJobRow, claim: JobClaim): Promise<StepEnd>;
}

/** Why a task has come to its end before its time, for who asks how it gets on. */
export class TaskFailed extends Error {
  override name = "TaskFailed";
}

/** What this program wrote itself. */
export const readParams = <T>(job: AdminJobRow): T =>
  JSON.parse(job.params) as T;
export const readProgress = <T>(job: AdminJobRow): Partial<T> =>
  JSON.parse(job.progress) as Partial<T>;
