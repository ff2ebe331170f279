import { getHead, listBatchesAfter } from "./batches.ts";
import type { BatchHint, SeenBatch } from "./bus-message.ts";
import type { Sql } from "./database.ts";

export interface FollowerOptions {
  sql: Sql;
  /** The head of the stream when it begins to follow. */
  position: number;
  /** Called for each batch, in order and without gaps. */
  onBatch(batch: SeenBatch): void;
  /** Called instead where it fell too far behind to read every batch. */
  onJump(position: number): void;
  log: { warn(details: object, message: string): void };
}

/** How long a hint that is ahead waits for those before it until they are read. */
const PATIENCE_MS = 5;
const PAGE = 5000;
const MOST_PAGES = 4;
const MOST_AHEAD = 1000;

/** Follows `batches`: hints move it on where they join up, the table where they do not. */
export class StreamFollower {
  readonly #options: FollowerOptions;
  #position: number;
  /** Hints that came before their predecessors, by where they begin. */
  readonly #ahead = new Map<number, SeenBatch>();
  #patience: NodeJS.Timeout | undefined;
  #running: Promise<number> | undefined;
  #next: Promise<number> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  get position(): number {
    return this.#position;
  }

  /** A batch was committed. */
  hint({ from, to, rooms, users }: BatchHint): void {
    if (to <= this.#position) return;
    if (!rooms || !users) {
      this.refreshLater();
    } else if (from === this.#position) {
      this.#apply({ to, rooms, users });
      this.#joinAhead();
    } else {
      if (this.#ahead.size < MOST_AHEAD) {
        this.#ahead.set(from, { to, rooms, users });
      }
      this.#patience ??= setTimeout(() => {
        this.#patience = undefined;
        if (this.#ahead.size > 0) this.refreshLater();
      }, PATIENCE_MS);
    }
  }

  /** Reads what the table holds when it is called, or later. */
  refresh(): Promise<number> {
    if (!this.#running) return this.#start();
    // The one under way may have read already: the next one answers.
    // Where that one fails, all who wait have waited long enough.
    this.#next ??= this.#running
      .finally(() => {
        this.#next = undefined;
      })
      .then(() => this.#running ?? this.#start());
    return this.#next;
  }

  /** Reads without anybody waiting for it; what fails is tried by the next one. */
  refreshLater(): void {
    this.refresh().catch((error: unknown) => {
      const { log } = this.#options;
      log.warn({ err: error }, "The stream cannot be read at the moment.");
    });
  }

  stop(): void {
    clearTimeout(this.#patience);
  }

  #start(): Promise<number> {
    this.#running = this.#read().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #read(): Promise<number> {
    const { sql, onJump } = this.#options;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const batches = await listBatchesAfter(sql, this.#position, PAGE);
      // Hints may have moved it on meanwhile.
      for (const batch of batches) {
        if (batch.to > this.#position) this.#apply(batch);
      }
      this.#joinAhead();
      if (batches.length < PAGE) return this.#position;
    }
    const position = await getHead(sql);
    if (position > this.#position) {
      this.#position = position;
      onJump(position);
    }
    return this.#position;
  }

  #apply(batch: SeenBatch): void {
    this.#position = batch.to;
    this.#options.onBatch(batch);
  }

  #joinAhead(): void {
    if (this.#ahead.size === 0) return;
    let next = this.#ahead.get(this.#position);
    while (next) {
      this.#apply(next);
      next = this.#ahead.get(this.#position);
    }
    for (const from of this.#ahead.keys()) {
      if (from < this.#position) this.#ahead.delete(from);
    }
  }
}
