import type { BatchAnswer } from "./commit-batch.ts";

export interface CommitterOptions {
  now(): number;
  log: {
    warn(details: object, message: string): void;
    error(details: object, message: string): void;
  };
  /** Called after a batch that moved the stream, before its writes resolve. */
  onCommit?(
    answer: Pick<BatchAnswer, "base" | "head" | "rooms" | "users">,
  ): void;
  /** What queued before this was true is out of date, and refused. */
  isStalled?(): boolean;
  /** Batches on their way at a time, each on a connection of its own. */
  connections?: number;
}
