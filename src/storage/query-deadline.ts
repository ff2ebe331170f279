import type postgres from "postgres";
import { StorageUnavailable } from "./storage-unavailable.ts";

interface Pending {
  since: number;
  reject(error: unknown): void;
}

const CHECK_MS = 100;

/**
 * A pool whose queries are given up after a time that includes the wait for a
 * connection: a database that hangs does not let requests pile up behind it.
 */
export function withDeadline(sql: postgres.Sql, ms: number): postgres.Sql {
  // In the order of their beginning, so that only the first ones need a look.
  const pending = new Set<Pending>();
  let timer: NodeJS.Timeout | undefined;

  const check = () => {
    const latest = performance.now() - ms;
    for (const query of pending) {
      if (query.since > latest) break;
      pending.delete(query);
      const message = "The database does not answer.";
      query.reject(new StorageUnavailable(message, false));
    }
    timer = pending.size > 0 ? setTimeout(check, CHECK_MS) : undefined;
  };

  const watch = <T>(begin: Promise<T>["then"]): Promise<T> =>
    new Promise((resolve, reject) => {
      const query = { since: performance.now(), reject };
      pending.add(query);
      timer ??= setTimeout(check, CHECK_MS);
      void begin(
        (rows) => {
          pending.delete(query);
          resolve(rows);
        },
        (error: unknown) => {
          pending.delete(query);
          reject(error);
        },
      );
    });

  return new Proxy(sql, {
    apply(target, self, args: unknown[]) {
      const query: unknown = Reflect.apply(target, self, args);
      if (!(query instanceof Promise)) return query;
      // A query begins when it is awaited; one within another one never is.
      const begin = query.then.bind(query);
      let watched: Promise<unknown> | undefined;
      query.then = ((...listeners: Parameters<typeof query.then>) =>
        (watched ??= watch(begin)).then(...listeners)) as typeof query.then;
      return query;
    },
  });
}
