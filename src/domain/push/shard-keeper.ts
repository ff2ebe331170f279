import type { Edges } from "../../edges.ts";
import {
  keepShards,
  releaseShards,
  type PushShard,
} from "../../storage/push-shards.ts";
import { listFirstPushers } from "../../storage/pushers.ts";

/** Long enough for a stall; after it the shards of a process that died go on elsewhere. */
const HELD_MS = 20_000;

/** The shards that this process holds, and how far each was read. */
export class ShardKeeper {
  readonly holder: string;
  #shards: PushShard[] = [];
  /** Shards that have pushers at all. */
  #inhabited: ReadonlySet<number> = new Set();

  constructor(holder: string) {
    this.holder = holder;
  }

  get shards(): readonly PushShard[] {
    return this.#shards;
  }

  holds(shard: number): boolean {
    return this.#shards.some((held) => held.shard === shard);
  }

  isInhabited(shard: number): boolean {
    return this.#inhabited.has(shard);
  }

  /**
   * Holds on to them, takes what is free up to this process's share, and lets go of what
   * is beyond it. Answers which ones are new: nothing before their first pusher, and
   * nothing of a shard without one, has to be read.
   */
  async keep({
    db,
    notifier,
  }: Pick<Edges, "db" | "notifier">): Promise<number[]> {
    const before = this.#shards;
    const kept = await keepShards(db, this.holder, before, HELD_MS);
    const known = new Map(
      this.#shards.map((held) => [`${held.shard} ${held.generation}`, held]),
    );
    const head = notifier.position;
    const first = await listFirstPushers(
      db,
      kept.map(({ shard }) => shard),
    );
    const taken: number[] = [];
    this.#shards = kept.map((row) => {
      const held = known.get(`${row.shard} ${row.generation}`);
      if (held) return held;
      taken.push(row.shard);
      const since = first.get(row.shard) ?? head;
      return { ...row, position: Math.max(row.position, since) };
    });
    this.#inhabited = new Set(first.keys());
    return taken;
  }

  /** Somebody has set a pusher. */
  async lookAnew({ db }: Pick<Edges, "db">): Promise<void> {
    const shards = this.#shards.map(({ shard }) => shard);
    this.#inhabited = new Set((await listFirstPushers(db, shards)).keys());
  }

  /** These were read up to here. */
  moveOn(shards: readonly number[], position: number): void {
    for (const held of this.#shards)
      if (shards.includes(held.shard) && held.position < position)
        held.position = position;
  }

  /** Another process has these. */
  lose(shards: readonly number[]): void {
    this.#shards = this.#shards.filter(({ shard }) => !shards.includes(shard));
  }

  async release({ db }: Pick<Edges, "db">): Promise<void> {
    const held = this.#shards;
    this.#shards = [];
    await releaseShards(db, this.holder, held);
  }
}
