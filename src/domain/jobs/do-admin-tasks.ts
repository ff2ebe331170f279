import { deleteEndedJobs } from "../../storage/admin-jobs.ts";
import { forgetWipes } from "../../storage/device-wipes.ts";
import { forgetImports } from "../../storage/import-rows.ts";
import { runTask } from "../admin/tasks/run-tasks.ts";
import { taskAlarmOf } from "../admin/tasks/task-alarm.ts";
import type { TaskEdges } from "../admin/tasks/task.ts";
import { WokenWork } from "../../util/woken-work.ts";
import type { Job } from "./job.ts";

/** How often a process looks for tasks that others were told of, or did not live to end. */
const POLL_MS = 5_000;
/** Tasks that a process does beside each other, so that a long one keeps none waiting. */
const AT_ONCE = 3;

/** Does administrators' tasks when they are due, those too that other processes were asked for. */
export function startAdminTasks(edgesNow: () => TaskEdges): {
  stop(): Promise<void>;
} {
  const stopping = new AbortController();
  const { signal } = stopping;
  const alarm = taskAlarmOf(edgesNow());
  const workers = Array.from(
    { length: AT_ONCE },
    () =>
      new WokenWork(
        async () => {
          while (!signal.aborted && (await runTask(edgesNow(), { signal })));
        },
        {
          retryMs: POLL_MS,
          onError: (err) =>
            edgesNow().log.warn({ err }, "A task is done later."),
        },
      ),
  );
  const wake = (): void => {
    for (const worker of workers) worker.wake();
  };
  const timer = setInterval(wake, POLL_MS);
  timer.unref();
  alarm.onRing(wake);
  wake();
  return {
    async stop() {
      stopping.abort();
      clearInterval(timer);
      alarm.onRing(undefined);
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}

const KEPT_MS = 90 * 24 * 60 * 60 * 1000;
/** A device that lay in a drawer for longer finds its token unknown like any other. */
const WIPES_KEPT_MS = 400 * 24 * 60 * 60 * 1000;
const DELETED_AT_ONCE = 100;
const ROWS_AT_ONCE = 500;

/** What became of a task is told for three months. */
export const forgetAdminTasks: Job = {
  name: "forget admin tasks",
  restMs: 60 * 60 * 1000,
  async step({ db }) {
    const count = await deleteEndedJobs(db, KEPT_MS, DELETED_AT_ONCE);
    const rows = await forgetImports(db, ROWS_AT_ONCE);
    const wipes = await forgetWipes(db, WIPES_KEPT_MS, ROWS_AT_ONCE);
    const isMore = rows === ROWS_AT_ONCE || wipes === ROWS_AT_ONCE;
    return count === DELETED_AT_ONCE || isMore;
  },
};
