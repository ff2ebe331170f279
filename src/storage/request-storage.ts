import type { Fence } from "./fence.ts";
import type { Notifier } from "./notifier.ts";
import { isUnanswered, StorageUnavailable } from "./storage-unavailable.ts";
import type { Sql } from "./database.ts";
import type { Committer } from "./write.ts";

/** What a request waits for the database in all. */
const PATIENCE_MS = 4800;
/** No query of ours takes that long, unless it waits for others: only then it counts. */
const SLOW_MS = 1000;
/** Whoever has no patience left still takes what comes at once. */
const GRACE_MS = 500;

export interface RequestStorage {
  db: Sql;
  committer: Committer;
  notifier: Notifier;
}

/**
 * The database as one request uses it. Its waits have one deadline together: where
 * every connection is busy with what hangs, each query may be answered, and late. What
 * waited in vain for one answer waits for no other, whatever its use-case makes of the
 * error. What began before the process was stopped asks nothing more: its client may
 * have gone on elsewhere.
 * @param waitedMs for the database, before the request came here
 */
export function storageOfRequest(
  shared: { db: Sql; committer: Fence; notifier: Notifier },
  waitedMs: number,
): RequestStorage {
  const { committer, notifier } = shared;
  let patience = PATIENCE_MS;
  let isGivenUp = false;

  const charge = (ms: number) => {
    if (ms > SLOW_MS) patience -= ms;
  };

  const ask = async <T>(begin: () => Promise<T>, mayGiveUp: boolean) => {
    isGivenUp ||= !mayGiveUp && patience < GRACE_MS;
    if (isGivenUp || committer.isShut) throw unanswered(true);
    const begun = performance.now();
    try {
      if (!mayGiveUp || patience === PATIENCE_MS) return await begin();
      return await within(Math.max(patience, GRACE_MS), begin());
    } catch (error) {
      isGivenUp ||= isUnanswered(error);
      throw error;
    } finally {
      charge(performance.now() - begun);
    }
  };

  charge(waitedMs);
  return {
    db: new Proxy(shared.db, {
      apply(target, self, args: unknown[]) {
        const query: unknown = Reflect.apply(target, self, args);
        if (!(query instanceof Promise)) return query;
        // A query begins when it is awaited; one within another one never is.
        const begin = query.then.bind(query);
        let asked: Promise<unknown> | undefined;
        const run = () => (asked ??= ask(() => begin(), true));
        return Object.assign(query, {
          then: (...listeners: Parameters<Promise<unknown>["then"]>) =>
            run().then(...listeners),
          catch: (listener: (error: unknown) => unknown) =>
            run().catch(listener),
          finally: (listener: () => void) => run().finally(listener),
        });
      },
    }),
    committer: {
      // A write that is under way is waited for: until then nobody knows of it.
      commit: (write) => ask(() => committer.commit(write), false),
    },
    notifier: Object.assign(Object.create(notifier) as Notifier, {
      refresh: () => ask(() => notifier.refresh(), true),
      caughtUp: (position: number) =>
        ask(() => notifier.caughtUp(position), true),
    }),
  };
}

const unanswered = (isKnown: boolean) =>
  new StorageUnavailable("The request waited for too long.", isKnown);

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unanswered(false)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
}
