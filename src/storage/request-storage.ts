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

/** What the processes' requests share. */
interface Shared {
  db: Sql;
  committer: Fence;
  notifier: Notifier;
}

/**
 * The database as one request uses it. Its waits have one deadline together: where
 * every connection is busy with what hangs, each query may be answered, and late. What
 * waited in vain for one answer waits for no other, whatever its use-case makes of the
 * error. What began before the process was stopped asks nothing more: its client may
 * have gone on elsewhere.
 */
class Patience {
  readonly shared: Shared;
  #spent: number;
  #countedUntil = 0;
  #isGivenUp = false;

  constructor(shared: Shared, waitedMs: number) {
    this.shared = shared;
    this.#spent = waitedMs > SLOW_MS ? waitedMs : 0;
  }

  async read<T>(begin: () => Promise<T>): Promise<T> {
    const left = PATIENCE_MS + GRACE_MS - this.#spent;
    this.#isGivenUp ||= left <= 0;
    const begun = performance.now();
    try {
      return await this.#ask(() =>
        this.#spent === 0
          ? begin()
          : within(left, begin(), () => unanswered(false)),
      );
    } finally {
      this.#count(begun);
    }
  }

  /** What is under way is waited for: until then nobody knows what becomes of it. */
  write<T>(begin: () => Promise<T>): Promise<T> {
    this.#isGivenUp ||= this.#spent > LATEST_WRITE_MS;
    return this.#ask(begin);
  }

  async #ask<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#isGivenUp || this.shared.committer.isShut) throw unanswered(true);
    try {
      return await begin();
    } catch (error) {
      this.#isGivenUp ||= isUnanswered(error);
      throw error;
    }
  }

  /** Waits at the same time count once. */
  #count(begun: number): void {
    const now = performance.now();
    if (now - begun <= SLOW_MS && this.#spent <= PATIENCE_MS) return;
    this.#spent += now - Math.max(begun, this.#countedUntil);
    this.#countedUntil = now;
  }
}

/**
 * Makes views of what requests share. A view is made for each of them, and many wait
 * with theirs for long: what it is made of is made when it is first asked for.
 */
export function createRequestStorage<S extends Shared, C>(
  shared: S,
  committerOf: (own: Committer) => C,
): (waitedMs: number) => Omit<S, "committer"> & { committer: C } {
  const patience = Symbol("patience");
  interface View {
    [patience]: Patience;
  }
  const define = (target: View, name: keyof Shared, value: unknown) =>
    Object.defineProperty(target, name, { value, enumerable: true });
  const ofNotifier = Object.create(shared.notifier, {
    refresh: {
      value(this: View) {
        return this[patience].read(() => shared.notifier.refresh());
      },
    },
    caughtUp: {
      value(this: View, position: number) {
        return this[patience].read(() => shared.notifier.caughtUp(position));
      },
    },
  }) as object;
  const ofRequest = Object.create(shared, {
    db: {
      get(this: View) {
        const db = openDatabase(this[patience]);
        define(this, "db", db);
        return db;
      },
    },
    committer: {
      get(this: View): C {
        const { [patience]: own } = this;
        return committerOf({
          commit: (rows) => own.write(() => shared.committer.commit(rows)),
        });
      },
    },
    notifier: {
      get(this: View) {
        const notifier = Object.create(ofNotifier) as View;
        notifier[patience] = this[patience];
        define(this, "notifier", notifier);
        return notifier;
      },
    },
  }) as object;
  return (waitedMs) => {
    const view = Object.create(ofRequest) as View;
    view[patience] = new Patience(shared, waitedMs);
    return view as unknown as ReturnType<
      ReturnType<typeof createRequestStorage<S, C>>
    >;
  };
}

const openDatabase = (patience: Patience): Sql =>
  new Proxy(patience.shared.db, {
    apply(target, self, args: unknown[]) {
      const query: unknown = Reflect.apply(target, self, args);
      if (!(query instanceof Promise)) return query;
      // A query begins when it is awaited; one within another one never is.
      const begin = query.then.bind(query);
      let asked: Promise<unknown> | undefined;
      const run = () => (asked ??= patience.read(() => begin()));
      query.then = ((...listeners: Parameters<typeof query.then>) =>
        run().then(...listeners)) as typeof query.then;
      query.catch = ((listener: Parameters<typeof query.catch>[0]) =>
        run().catch(listener)) as typeof query.catch;
      query.finally = (listener) => run().finally(listener);
      return query;
    },
  });

const unanswered = (isKnown: boolean) =>
  new StorageUnavailable("The request waited for too long.", isKnown);
