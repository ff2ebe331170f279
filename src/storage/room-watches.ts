/** One set of rooms, with those who wait for any of them: mostly one. */
interface Watch<T> {
  rooms: ReadonlySet<number>;
  waiting: T | Set<T> | undefined;
}

const MOST_IDLE = 10_000;
const MOST_IDLE_ROOMS = 200_000;

/**
 * Who waits for which rooms. Clients come back for the same set of rooms again and
 * again, so the index of a set outlives its waits: waiting for 5,000 rooms costs what
 * waiting for one does. Sets are known by identity and must not change.
 */
export class RoomWatches<T> {
  readonly #watches = new Map<ReadonlySet<number>, Watch<T>>();
  readonly #byRoom = new Map<number, Set<Watch<T>>>();
  /** Watches that nobody waits by, the longest idle first. */
  readonly #idle = new Set<Watch<T>>();
  #idleRooms = 0;

  add(rooms: ReadonlySet<number>, waiter: T): void {
    const watch = this.#watches.get(rooms) ?? this.#index(rooms);
    const { waiting } = watch;
    if (waiting instanceof Set) waiting.add(waiter);
    else if (waiting !== undefined) watch.waiting = new Set([waiting, waiter]);
    else {
      watch.waiting = waiter;
      if (this.#idle.delete(watch)) this.#idleRooms -= rooms.size;
    }
  }

  remove(rooms: ReadonlySet<number>, waiter: T): void {
    const watch = this.#watches.get(rooms);
    if (!watch) return;
    const { waiting } = watch;
    if (waiting instanceof Set) {
      if (!waiting.delete(waiter) || waiting.size > 0) return;
    } else if (waiting !== waiter) return;
    watch.waiting = undefined;
    this.#idle.add(watch);
    this.#idleRooms += rooms.size;
    for (const longest of this.#idle) {
      const isMuch =
        this.#idle.size > MOST_IDLE || this.#idleRooms > MOST_IDLE_ROOMS;
      if (!isMuch) break;
      this.#forget(longest);
    }
  }

  /** Everyone who waits for a room. */
  *list(room: number): Generator<T> {
    for (const { waiting } of this.#byRoom.get(room) ?? []) {
      if (waiting instanceof Set) yield* waiting;
      else if (waiting !== undefined) yield waiting;
    }
  }

  #index(rooms: ReadonlySet<number>): Watch<T> {
    const watch: Watch<T> = { rooms, waiting: undefined };
    this.#watches.set(rooms, watch);
    for (const room of rooms) {
      const watches = this.#byRoom.get(room);
      if (watches) watches.add(watch);
      else this.#byRoom.set(room, new Set([watch]));
    }
    return watch;
  }

  #forget(watch: Watch<T>): void {
    this.#idle.delete(watch);
    this.#idleRooms -= watch.rooms.size;
    this.#watches.delete(watch.rooms);
    for (const room of watch.rooms) {
      const watches = this.#byRoom.get(room);
      if (watches?.delete(watch) && watches.size === 0)
        this.#byRoom.delete(room);
    }
  }
}
