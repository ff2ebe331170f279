import { randomInt, randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchAnswer } from "./commit-batch.ts";
import { callCommitBatch, settleBatch, toResults } from "./commit-batch.ts";
import { faultOf } from "./commit-fault.ts";
import type { CommitterOptions } from "./committer-options.ts";
import { toBatchArguments } from "./committer-payload.ts";
import { openSameDatabase } from "./database.ts";
import type { Sql } from "./database.ts";
import { within } from "../util/within.ts";
import { StorageUnavailable } from "./storage-unavailable.ts";
import type { Entry } from "./write-queue.ts";

/** How long a batch may take with all tries, and one call of it. */
const LONGEST_MS = 4800;
const LONGEST_CALL_MS = 3500;
const MAX_TRIES = 5;

/** The batch was not committed and never will be; whether it is at fault is not known. */
class Voided extends Error {}

/** Runs batches to their end, whatever happens to the connection. */
export class BatchRunner {
  readonly #options: CommitterOptions;
  readonly #origin: Sql;
  #sql: Sql;
  /** How long the last batch waited for those of other processes, in ms. */
  waitedMs = 0;

  constructor(origin: Sql, options: CommitterOptions) {
    this.#options = options;
    this.#origin = origin;
    this.#sql = this.#open();
  }

  /** Settles every entry. Throws `StorageUnavailable` where the database was away. */
  async run(entries: readonly Entry[]): Promise<void> {
    const deadline = performance.now() + LONGEST_MS;
    this.waitedMs = 0;
    try {
      await this.#commit(entries, deadline);
    } catch (error) {
      const isShared = error instanceof Voided || faultOf(error) === "bad";
      if (isShared && entries.length > 1) {
        await this.#runEach(entries, deadline);
        return;
      }
      const shown =
        error instanceof Voided ? unavailable(error.cause, true) : error;
      for (const entry of entries) entry.reject(shown);
      if (shown instanceof StorageUnavailable) throw shown;
    }
  }

  close(): Promise<void> {
    return this.#sql.end({ timeout: 1 });
  }

  /** So that one bad write hurts nobody but itself. */
  async #runEach(entries: readonly Entry[], deadline: number): Promise<void> {
    for (const entry of entries) {
      try {
        await this.#commit([entry], deadline);
      } catch (error) {
        const { log } = this.#options;
        log.error({ err: error }, "a write could not be committed");
        entry.reject(
          error instanceof Voided ? unavailable(error.cause, true) : error,
        );
      }
    }
  }

  async #commit(entries: readonly Entry[], deadline: number): Promise<void> {
    const { now, onCommit, log } = this.#options;
    const args = toBatchArguments(entries.map(({ write }) => write));
    const { answer, end } = await this.#tryCall(args, deadline, now());
    this.waitedMs = answer.waitedMs ?? 0;
    const results = toResults(answer, args.positions);
    // Writers go on before those whom the batch wakes: what they keep is there by then.
    results.forEach((result, i) => entries[i]!.resolve(result));
    if (answer.head > answer.base) {
      const writes = results.flatMap((result, i) =>
        result.status === "committed"
          ? { write: entries[i]!.write, start: result.firstPosition - 1 }
          : [],
      );
      try {
        onCommit?.({ ...answer, writes });
      } catch (error) {
        log.error({ err: error }, "a listener of commits failed");
      }
    }
    end?.();
  }

  /** Tries until the batch is committed, or is known not to be. */
  async #tryCall(
    args: ReturnType<typeof toBatchArguments>,
    deadline: number,
    now: number,
  ): Promise<{ answer: BatchAnswer; end: (() => void) | undefined }> {
    for (let tries = 1; ; tries += 1) {
      const batchId = randomUUID();
      const left = deadline - performance.now();
      const sql = this.#sql;
      if (left <= 0) throw unavailable(undefined, true);
      const end = this.#options.onCall?.(batchId);
      try {
        const call = callCommitBatch(sql, batchId, now, args);
        const ms = Math.min(left, LONGEST_CALL_MS);
        return { answer: await within(ms, call, noAnswer), end };
      } catch (error) {
        const fault = faultOf(error);
        if (fault === "unknown") {
          this.#replace(sql);
          const settling = this.#settle(batchId, args, deadline, error);
          const answer = await settling.catch((late: unknown) => {
            end?.();
            throw late;
          });
          if (answer) return { answer, end };
          end?.();
          if (args.positions.length === 1 && tries < MAX_TRIES) continue;
          throw new Voided("The batch was not committed.", { cause: error });
        }
        end?.();
        if (fault === "deadlock" && tries < MAX_TRIES) {
          const { log } = this.#options;
          log.warn(
            { err: error },
            "a batch was in a deadlock and is tried again",
          );
          await sleep(randomInt(5, 20 * 2 ** tries));
        } else if (fault === "unsent" && left > 600) {
          await sleep(randomInt(50, 200));
        } else {
          throw fault === "bad" ? error : unavailable(error, true);
        }
      }
    }
  }

  async #settle(
    batchId: string,
    args: ReturnType<typeof toBatchArguments>,
    deadline: number,
    cause: unknown,
  ): Promise<BatchAnswer | undefined> {
    const { log, now } = this.#options;
    for (;;) {
      const sql = this.#sql;
      const left = deadline - performance.now();
      if (left <= 0) throw unavailable(cause, false);
      try {
        const settling = settleBatch(sql, batchId, now(), args.positions);
        const answer = await within(left, settling, noAnswer);
        const details = { batchId, isCommitted: answer !== undefined };
        log.warn(details, "a batch whose answer was lost is settled");
        return answer;
      } catch (error) {
        if (faultOf(error) === "unknown") this.#replace(sql);
        await sleep(randomInt(20, 100));
      }
    }
  }

  /** A connection that broke or hangs is never used again. */
  #replace(broken: Sql): void {
    if (this.#sql !== broken) return;
    this.#sql = this.#open();
    void broken.end({ timeout: 0 }).catch(() => undefined);
  }

  #open(): Sql {
    return openSameDatabase(this.#origin, {
      poolSize: this.#options.connections ?? 1,
      settings: {
        application_name: "myelin committer",
        statement_timeout: "3000",
        lock_timeout: "3000",
        // A batch has a few rows: each finds its own by an index. Joined otherwise, a
        // plan that was made while rooms were few read all of them for each commit.
        enable_hashjoin: "off",
        enable_mergejoin: "off",
      },
    });
  }
}

const unavailable = (cause: unknown, isKnown: boolean) =>
  cause instanceof StorageUnavailable
    ? cause
    : new StorageUnavailable("The database cannot be reached.", isKnown, {
        cause,
      });

const noAnswer = () => new Error("The database does not answer.");
