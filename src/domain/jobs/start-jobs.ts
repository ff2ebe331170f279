import type { Edges } from "../../edges.ts";
import { runJob, type Job } from "./job.ts";

const POLL_MS = 30_000;

/**
 * Looks now and then for jobs that no process is at.
 * @param edgesNow what a job that begins now is done with
 */
export function startJobs<Needs extends Pick<Edges, "db" | "log">>(
  edgesNow: () => Needs,
  jobs: readonly Job<Needs>[],
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let running: Promise<unknown> | undefined;
  const run = async (job: Job<Needs>): Promise<void> => {
    const edges = edgesNow();
    try {
      await runJob(edges, job, stopping.signal);
    } catch (error) {
      edges.log.warn({ err: error, job: job.name }, "A job is done later.");
    }
  };
  const poll = (): void => {
    running ??= Promise.all(jobs.map(run)).finally(() => {
      running = undefined;
    });
  };
  const timer = setInterval(poll, POLL_MS);
  poll();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await running;
    },
  };
}
