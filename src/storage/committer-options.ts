import type { CommittedBatch } from "./notifier.ts";

export interface CommitterOptions {
  now(): number;
  log: {
    warn(details: object, message: string): void;
    error(details: object, message: string): void;
  };
  /** Called before each call of a batch; answers what is called when it is settled. */
  onCall?(batchId: string): () => void;
  /** Called after a batch that moved the stream, in the same turn in which its writes resolve. */
  onCommit?(batch: CommittedBatch): void;
  /** What queued before this was true is out of date, and refused. */
  isStalled?(): boolean;
  /** Batches on their way at a time, each on a connection of its own. */
  connections?: number;
}
