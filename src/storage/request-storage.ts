import { isUnanswered, StorageUnavailable } from "./storage-unavailable.ts";
import type { Sql } from "./database.ts";
import type { Committer } from "./write.ts";

export interface Storage {
  db: Sql;
  committer: Committer;
}

/**
 * The database as one request uses it: what has waited in vain for one answer waits
 * for no other, whatever its use-case makes of the error. So no request waits for a
 * database that hangs longer than one query or one write may.
 */
export function storageOfRequest({ db, committer }: Storage): Storage {
  let isGivenUp = false;

  const note = (error: unknown): never => {
    isGivenUp ||= isUnanswered(error);
    throw error;
  };

  const askOnce = <T>(begin: () => Promise<T>): Promise<T> =>
    isGivenUp ? Promise.reject(unanswered()) : begin();

  return {
    db: new Proxy(db, {
      apply(target, self, args: unknown[]) {
        const query: unknown = Reflect.apply(target, self, args);
        if (!(query instanceof Promise)) return query;
        // A query begins when it is awaited; one within another one never is.
        const begin = query.then.bind(query);
        let asked: Promise<unknown> | undefined;
        query.then = ((...listeners: Parameters<typeof query.then>) =>
          (asked ??= askOnce(() => begin(undefined, note))).then(
            ...listeners,
          )) as typeof query.then;
        return query;
      },
    }),
    committer: {
      commit: (write) => askOnce(() => committer.commit(write).catch(note)),
    },
  };
}

const unanswered = () =>
  new StorageUnavailable("The database did not answer before.", true);
