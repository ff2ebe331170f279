import { setTimeout as sleep } from "node:timers/promises";
import {
  claimJob,
  renewJob,
  saveProgress,
  settleJob,
  type AdminJobRow,
  type JobClaim,
  type JobRest,
} from "../../../storage/admin-jobs.ts";
import { StorageUnavailable } from "../../../storage/storage-unavailable.ts";
import type { AdminJobKind } from "../../../storage/write.ts";
import { createLoopMeter, restFor } from "../../../util/loop-load.ts";
import { deleteRoomTask } from "./delete-room-task.ts";
import { eraseUserTask } from "./erase-user-task.ts";
import { campaignTask } from "./campaign-task.ts";
import { endSessionsTask } from "./end-sessions-task.ts";
import { importUsersTask } from "./import-users-task.ts";
import { purgeHistoryTask } from "./purge-history-task.ts";
import { retentionTask } from "./retention-task.ts";
import { recordHeld } from "./record-held.ts";
import { redactUserTask } from "./redact-user-task.ts";
import {
  readProgress,
  TaskFailed,
  type StepEnd,
  type TaskEdges,
  type TaskKind,
} from "./task.ts";

const KINDS: Readonly<Record<AdminJobKind, TaskKind>> = {
  "delete-room": deleteRoomTask,
  "purge-history": purgeHistoryTask,
  "redact-user": redactUserTask,
  retention: retentionTask,
  "erase-user": eraseUserTask,
  "import-users": importUsersTask,
  campaign: campaignTask,
  "end-sessions": endSessionsTask,
};

/** Longer than any step; after it the task of a process that died goes on elsewhere. */
const CLAIM_MS = 30_000;
const RENEWED_AFTER_MS = CLAIM_MS / 3;
const RESTS = { mostTimes: 30, longestMs: 1000 };
const MOST_FAILURES = 5;
const RETRY_MS = 5_000;
/** How often a hold is asked whether it is over. */
const HELD_MS = 60 * 60 * 1000;

export interface RunOptions {
  /** This one alone. */
  jobId?: string;
  signal?: AbortSignal;
  /** So many steps at the most. */
  steps?: number;
}

/** Does a task that is due, as far as it goes by itself; false where there was none. */
export async function runTask(
  edges: TaskEdges,
  { jobId, signal, steps = Infinity }: RunOptions = {},
): Promise<boolean> {
  const claimed = await claimJob(edges.db, CLAIM_MS, jobId);
  if (!claimed) return false;
  const { claim } = claimed;
  const { isHeld, ...left } = readProgress<Held>(claimed.job);
  let job: AdminJobRow = { ...claimed.job, progress: JSON.stringify(left) };
  let wasHeld = isHeld === true;
  const measureLoop = createLoopMeter();
  let heldSince = performance.now();
  try {
    for (let taken = 0; taken < steps; taken += 1) {
      const begunAt = performance.now();
      const end = await KINDS[job.kind].step(edges, job, claim);
      if (end.next === "held" && !wasHeld) await recordHeld(edges, job);
      const progress = JSON.stringify(end.progress);
      job = { ...job, progress };
      if (end.next !== "more") {
        await settleJob(edges.db, claim, restOf(end));
        return true;
      }
      wasHeld = false;
      // What was taken back, or taken over, is left where it is.
      if (!(await saveProgress(edges.db, claim, progress))) return true;
      const tookMs = performance.now() - begunAt;
      await rest(restFor(tookMs, measureLoop(), RESTS), signal);
      if (signal?.aborted) break;
      if (performance.now() - heldSince < RENEWED_AFTER_MS) continue;
      if (!(await renewJob(edges.db, claim, CLAIM_MS))) return true;
      heldSince = performance.now();
    }
    const { progress } = job;
    await settleJob(edges.db, claim, { state: "active", progress });
  } catch (error) {
    await settleFailure(edges, job, claim, error);
  }
  return true;
}

/** Stands in the progress of what waits for a hold, which is recorded once. */
interface Held {
  isHeld: true;
}

function restOf({ next, progress, waitMs = 0 }: StepEnd): JobRest {
  const held: Held = { isHeld: true };
  return next === "held"
    ? {
        ...{ state: "scheduled", waitMs: HELD_MS },
        progress: JSON.stringify({ ...progress, ...held }),
      }
    : {
        state: next === "done" ? "complete" : "scheduled",
        ...{ progress: JSON.stringify(progress), waitMs },
      };
}

async function settleFailure(
  edges: TaskEdges,
  { jobId, kind, progress, failures }: AdminJobRow,
  claim: JobClaim,
  error: unknown,
): Promise<void> {
  // Where the database is away the claim runs out, and the task goes on later.
  if (error instanceof StorageUnavailable) throw error;
  const isTold = error instanceof TaskFailed;
  const isLast = failures + 1 >= MOST_FAILURES;
  edges.log.warn({ err: error, jobId, kind }, "A task did not get on.");
  await settleJob(edges.db, claim, {
    progress,
    hasFailed: true,
    ...(isTold || isLast
      ? {
          state: "failed",
          error: isTold ? error.message : "It failed again and again.",
        }
      : { state: "active", waitMs: RETRY_MS }),
  });
}

async function rest(ms: number, signal: AbortSignal | undefined) {
  if (ms < 1 || signal?.aborted) return;
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
