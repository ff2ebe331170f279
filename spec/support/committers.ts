import { createCommitter } from "../../src/storage/committer.ts";
import type { CommitterOptions } from "../../src/storage/committer-options.ts";
import type { CommitResult, Committer } from "../../src/storage/write.ts";
import type { TestDatabase } from "./database.ts";
import { quiet } from "./database.ts";

/** Committers of as many processes on one database, closed after the specs. */
export function useCommitters(
  database: TestDatabase,
  count: number,
  options: Partial<CommitterOptions> = {},
): Committer[] {
  const committers: (Committer & { close(): Promise<void> })[] = [];
  before(() => {
    for (let i = 0; i < count; i += 1) {
      const defaults = { now: () => 5, log: quiet };
      committers.push(
        createCommitter(database.open(), { ...defaults, ...options }),
      );
    }
  });
  after(() => Promise.all(committers.map((committer) => committer.close())));
  return committers;
}

/** The positions of a write that was committed; throws for another result. */
export function committed(result: CommitResult) {
  if (result.status === "committed") return result;
  throw new Error(`It was not committed: ${JSON.stringify(result)}`);
}
