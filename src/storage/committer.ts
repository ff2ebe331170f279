import { BatchRunner } from "./batch-runner.ts";
import type { CommitterOptions } from "./committer-options.ts";
import type { Sql } from "./database.ts";
import { StorageUnavailable } from "./storage-unavailable.ts";
import type { Committer, CommitResult, Write } from "./write.ts";
import type { Entry } from "./write-queue.ts";
import { estimateBytes, listClaims, WriteQueue } from "./write-queue.ts";

/** The part of the last wait for other processes for which the next batch stays here, at most 4 ms. */
const GATHERING = 0.75;
const MOST_GATHERING_MS = 4;

export interface ClosingCommitter extends Committer {
  /** Refuses what has not been sent. */
  refuseWaiting(): void;
  close(): Promise<void>;
}

/**
 * The committer of this process, with connections of its own to the database
 * of `sql`. While a batch runs, writes queue and make the next one. Rejects
 * with `StorageUnavailable` within five seconds where the database is away.
 */
export function createCommitter(
  sql: Sql,
  options: CommitterOptions,
): ClosingCommitter {
  const { connections = 1, isStalled = () => false } = options;
  const queue = new WriteQueue();
  const runner = new BatchRunner(sql, options);
  let running = 0;
  let isClosed = false;
  let isDue = false;
  let rest: NodeJS.Timeout | undefined;
  let drained: () => void = () => undefined;

  function refuseWaiting(): void {
    const message = "The process did not run.";
    queue.rejectAll(new StorageUnavailable(message, true));
  }

  function pump(): void {
    if (isStalled()) refuseWaiting();
    while (!rest && running < connections && queue.length > 0) {
      const batch = queue.takeBatch();
      if (batch.length === 0) break;
      running += 1;
      void run(batch);
    }
    if (running === 0 && queue.length === 0) drained();
  }

  async function run(batch: Entry[]): Promise<void> {
    try {
      await runner.run(batch);
    } catch (error) {
      // Whoever waited for this batch waited long enough.
      if (error instanceof StorageUnavailable)
        queue.rejectAll(
          new StorageUnavailable(error.message, true, { cause: error }),
        );
    }
    running -= 1;
    queue.release(batch);
    gatherMore();
    pump();
  }

  /**
   * Where processes wait for each other's batches, the next one stays here for most of
   * that time: others join it, who would make a batch of their own.
   */
  function gatherMore(): void {
    const ms = Math.min(runner.waitedMs * GATHERING, MOST_GATHERING_MS);
    if (rest || ms < 1 || isClosed) return;
    rest = setTimeout(() => {
      rest = undefined;
      pump();
    }, ms);
  }

  /** What arrives in the same turn of the event loop goes together. */
  function pumpSoon(): void {
    if (isDue || running >= connections) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      pump();
    });
  }

  return {
    commit(write: Write): Promise<CommitResult> {
      return new Promise((resolve, reject) => {
        if (isClosed)
          throw new StorageUnavailable("The server is stopping.", true);
        const claims = listClaims(write);
        const bytes = estimateBytes(write);
        queue.push({ write, bytes, claims, resolve, reject });
        pumpSoon();
      });
    },
    refuseWaiting,
    async close() {
      isClosed = true;
      if (running > 0 || queue.length > 0)
        await new Promise<void>((resolve) => (drained = resolve));
      await runner.close();
    },
  };
}
