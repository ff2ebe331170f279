import type { Edges } from "../../edges.ts";
import { runJob, type Job } from "./job.ts";

const POLL_MS = 30_000;

/**
 * Looks now and then for jobs that no process is at. One that has much to do keeps
 * none of the others waiting.
 * @param edgesNow what a job that begins now is done with
 */
export function startJobs<Needs extends Pick<Edges, "db" | "log">>(
  edgesNow: () => Needs,
  jobs: readonly Job<Needs>[],
  pollMs = POLL_MS,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const running = new Map<Job<Needs>, Promise<void>>();
  const run = async (job: Job<Needs>): Promise<void> => {
    const edges = edgesNow();
    try {
      await runJob(edges, job, stopping.signal);
    } catch (error) {
      edges.log.warn({ err: error, job: job.name }, "A job is done later.");
    }
  };
  const poll = (): void => {
    for (const job of jobs) {
      if (running.has(job)) continue;
      const end = () => void running.delete(job);
      running.set(job, run(job).finally(end));
    }
  };
  const timer = setInterval(poll, pollMs);
  poll();
  return {
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await Promise.all(running.values());
    },
  };
}
