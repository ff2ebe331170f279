import { isUnanswered, StorageUnavailable } from "./storage-unavailable.ts";
import type { Sql } from "./database.ts";
import type { Fence } from "./fence.ts";
import type { Committer } from "./write.ts";

/**
 * The database as one request uses it: what has waited in vain for one answer waits
 * for no other, whatever its use-case makes of the error. So no request waits for a
 * database that hangs longer than one query or one write may. And what began before
 * the process was stopped asks nothing more: its client may have gone on elsewhere.
 */
export function storageOfRequest(
  db: Sql,
  committer: Fence,
): { db: Sql; committer: Committer } {
  let isGivenUp = false;

  const note = (error: unknown): never => {
    isGivenUp ||= isUnanswered(error);
    throw error;
  };

  const askOnce = <T>(begin: () => Promise<T>): Promise<T> =>
    isGivenUp || committer.isShut ? Promise.reject(refused()) : begin();

  return {
    db: new Proxy(db, {
      apply(target, self, args: unknown[]) {
        const query: unknown = Reflect.apply(target, self, args);
        if (!(query instanceof Promise)) return query;
        // A query begins when it is awaited; one within another one never is.
        const begin = query.then.bind(query);
        let asked: Promise<unknown> | undefined;
        const ask = () => (asked ??= askOnce(() => begin(undefined, note)));
        return Object.assign(query, {
          then: (...listeners: Parameters<Promise<unknown>["then"]>) =>
            ask().then(...listeners),
          catch: (listener: (error: unknown) => unknown) =>
            ask().catch(listener),
          finally: (listener: () => void) => ask().finally(listener),
        });
      },
    }),
    committer: {
      commit: (write) => askOnce(() => committer.commit(write).catch(note)),
    },
  };
}

const refused = () =>
  new StorageUnavailable("The request waited in vain before.", true);
