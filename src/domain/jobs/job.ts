import { setTimeout as sleep } from "node:timers/promises";
import type { Edges } from "../../edges.ts";
import { endLease, renewLease, takeLease } from "../../storage/leases.ts";
import type { Lease } from "../../storage/leases.ts";
import { createLoopMeter, restFor } from "../../util/loop-load.ts";

/** Work that one process at a time does, whichever is free, and that outlives any of them. */
export interface Job<Needs = Pick<Edges, "db">> {
  /** Of its lease. */
  name: string;
  /** How long it rests when nothing is left to do. */
  restMs: number;
  /** Goes on while jobs are paused: who pauses them must not blind who watches them. */
  isNeverPaused?: true;
  /**
   * Does a bounded piece of it and tells whether more is left. Each of its writes
   * holds only with the lease, so who slept and wakes writes nothing.
   */
  step(edges: Needs, lease: Lease): Promise<boolean>;
}

/** Longer than any step; after it the job of a process that died goes on elsewhere. */
const LEASE_MS = 30_000;
const RENEWED_AFTER_MS = LEASE_MS / 3;

/** Between two steps: a job takes what those who are served leave of the process. */
const RESTS = { mostTimes: 30, longestMs: 1000 };

/** Does what is left of a job, unless another process is at it. */
export async function runJob<Needs extends Pick<Edges, "db">>(
  edges: Needs,
  job: Job<Needs>,
  signal?: AbortSignal,
): Promise<void> {
  const lease = await takeLease(
    edges.db,
    job.name,
    LEASE_MS,
    job.isNeverPaused,
  );
  if (!lease) return;
  const measureLoop = createLoopMeter();
  let begunAt = performance.now();
  let heldSince = begunAt;
  while (await job.step(edges, lease)) {
    const tookMs = performance.now() - begunAt;
    await rest(restFor(tookMs, measureLoop(), RESTS), signal);
    if (signal?.aborted) return endLease(edges.db, lease, 0);
    begunAt = performance.now();
    if (begunAt - heldSince < RENEWED_AFTER_MS) continue;
    if (!(await renewLease(edges.db, lease, LEASE_MS))) return;
    heldSince = begunAt;
  }
  await endLease(edges.db, lease, job.restMs);
}

/** Ends at once where the process stops. */
async function rest(ms: number, signal: AbortSignal | undefined) {
  if (ms < 1 || signal?.aborted) return;
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
