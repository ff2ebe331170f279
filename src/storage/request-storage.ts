import { within } from "../util/within.ts";
import type { Fence } from "./fence.ts";
import type { Notifier } from "./notifier.ts";
import { isUnanswered, StorageUnavailable } from "./storage-unavailable.ts";
import type { Sql } from "./database.ts";
import type { Committer } from "./write.ts";

/** What a request waits for the database in all, and then for what comes at once. */
const PATIENCE_MS = 4800;
const GRACE_MS = 500;
/** No query of ours takes that long, unless it waits for others: only then it counts. */
const SLOW_MS = 500;
/** After this a write would be answered too late, and is not begun. */
const LATEST_WRITE_MS = PATIENCE_MS / 2;

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
  let spent = waitedMs > SLOW_MS ? waitedMs : 0;
  let countedUntil = 0;
  let isGivenUp = false;

  /** Waits at the same time count once. */
  const count = (begun: number): void => {
    const now = performance.now();
    if (now - begun <= SLOW_MS && spent <= PATIENCE_MS) return;
    spent += now - Math.max(begun, countedUntil);
    countedUntil = now;
  };

  const ask = async <T>(begin: () => Promise<T>): Promise<T> => {
    if (isGivenUp || committer.isShut) throw unanswered(true);
    try {
      return await begin();
    } catch (error) {
      isGivenUp ||= isUnanswered(error);
      throw error;
    }
  };

  const read = async <T>(begin: () => Promise<T>): Promise<T> => {
    const left = PATIENCE_MS + GRACE_MS - spent;
    isGivenUp ||= left <= 0;
    const begun = performance.now();
    try {
      return await ask(() =>
        spent === 0 ? begin() : within(left, begin(), () => unanswered(false)),
      );
    } finally {
      count(begun);
    }
  };

  // What is under way is waited for: until then nobody knows what becomes of it.
  const write = <T>(begin: () => Promise<T>): Promise<T> => {
    isGivenUp ||= spent > LATEST_WRITE_MS;
    return ask(begin);
  };

  return {
    db: new Proxy(shared.db, {
      apply(target, self, args: unknown[]) {
        const query: unknown = Reflect.apply(target, self, args);
        if (!(query instanceof Promise)) return query;
        // A query begins when it is awaited; one within another one never is.
        const begin = query.then.bind(query);
        let asked: Promise<unknown> | undefined;
        const run = () => (asked ??= read(() => begin()));
        query.then = ((...listeners: Parameters<typeof query.then>) =>
          run().then(...listeners)) as typeof query.then;
        query.catch = ((listener: Parameters<typeof query.catch>[0]) =>
          run().catch(listener)) as typeof query.catch;
        query.finally = (listener) => run().finally(listener);
        return query;
      },
    }),
    committer: { commit: (rows) => write(() => committer.commit(rows)) },
    notifier: Object.create(notifier, {
      refresh: { value: () => read(() => notifier.refresh()) },
      caughtUp: {
        value: (position: number) => read(() => notifier.caughtUp(position)),
      },
    }) as Notifier,
  };
}

const unanswered = (isKnown: boolean) =>
  new StorageUnavailable("The request waited for too long.", isKnown);
