import type { Edges } from "../../edges.ts";
import {
  deletePushers,
  listDuePushes,
  settlePushes,
  type Settlement,
} from "../../storage/push-queue.ts";
import { Alarm } from "../../util/alarm.ts";
import { within } from "../../util/within.ts";
import { WokenWork } from "../../util/woken-work.ts";
import { Gateways } from "./gateways.ts";
import { mailParcel } from "./mail-parcel.ts";
import { packParcels, type Parcel } from "./parcels.ts";
import type { ShardKeeper } from "./shard-keeper.ts";
import { tellPusher } from "./tell-pusher.ts";

export type CourierEdges = Pick<
  Edges,
  | "db"
  | "egress"
  | "keyring"
  | "log"
  | "mailer"
  | "memory"
  | "notifier"
  | "random"
  | "settings"
>;

/** Pushers that are told at once, and rows that each is told in one go. */
const MOST_BUSY = 10_000;
const MOST_AT_ONCE = 500;
const ROWS_EACH = 30;

const FIRST_REST_MS = 1000;
const LONGEST_REST_MS = 60 * 60 * 1000;
const STOP_MS = 5000;

interface Settled extends Settlement {
  isRejected: boolean;
  /** When to look at it again, if nothing else calls for that. */
  againInMs: number | null;
}

/**
 * Brings what is queued to the gateways: each pusher is told one thing after the
 * other, and none waits for another one. What is here in memory is when to look at
 * whom; what is to be told, and whether it was, is in the database.
 */
export class Courier {
  readonly #edgesNow: () => CourierEdges;
  readonly #keeper: ShardKeeper;
  readonly #gateways = new Gateways();
  /** When a pusher is to be looked at; one that rests is not looked at for news. */
  readonly #due = new Map<number, { at: number; isResting: boolean }>();
  /** Those that are being told, and whether there was news of them meanwhile. */
  readonly #busy = new Map<number, boolean>();
  readonly #delivering: WokenWork;
  readonly #settling: WokenWork;
  readonly #stopping = new AbortController();
  readonly #telling = new Set<Promise<void>>();
  readonly #alarm = new Alarm(() => this.#delivering.wake());
  #settled: Settled[] = [];

  constructor(edgesNow: () => CourierEdges, keeper: ShardKeeper) {
    this.#edgesNow = edgesNow;
    this.#keeper = keeper;
    const onError = (error: unknown) => {
      edgesNow().log.warn({ err: error }, "Notifications are pushed later.");
    };
    this.#delivering = new WokenWork(() => this.#deliver(), { onError });
    this.#settling = new WokenWork(() => this.#settle(), { onError });
  }

  /** There is something for a pusher. */
  expect(pusherId: number): void {
    if (this.#busy.has(pusherId)) this.#busy.set(pusherId, true);
    else if (!this.#due.get(pusherId)?.isResting) this.resume(pusherId, 0);
  }

  /** A pusher is to be looked at after a while, and not for news before. */
  resume(pusherId: number, waitMs: number): void {
    if (this.#busy.has(pusherId)) return;
    const at = performance.now() + waitMs;
    this.#due.set(pusherId, { at, isResting: waitMs > 0 });
    this.#wakeIn(waitMs);
  }

  /** Gives up what is under way: whoever takes the shards tells it again. */
  async stop(): Promise<void> {
    this.#alarm.clear();
    this.#stopping.abort();
    await this.#delivering.stop();
    const told = Promise.all(this.#telling);
    await within(STOP_MS, told, () => new Error()).catch(() => undefined);
    await this.#settling.stop();
    await this.#settle();
  }

  #wakeIn(ms: number): void {
    if (ms <= 0) this.#delivering.wake();
    else if (!this.#stopping.signal.aborted) this.#alarm.ringIn(ms);
  }

  async #deliver(): Promise<void> {
    const ready = this.#takeReady();
    if (ready.length > 0) {
      try {
        const parcels = await this.#pack(ready);
        for (const parcel of parcels) this.#tell(parcel);
        const told = new Set(parcels.map(({ pusherId }) => pusherId));
        for (const pusherId of ready)
          if (!told.has(pusherId)) this.#free(pusherId, null);
      } catch (error) {
        for (const pusherId of ready) this.#free(pusherId, FIRST_REST_MS);
        throw error;
      }
    }
    if (this.#busy.size >= MOST_BUSY) return;
    let next = Infinity;
    for (const { at } of this.#due.values()) next = Math.min(next, at);
    if (next !== Infinity) this.#wakeIn(next - performance.now());
  }

  #takeReady(): number[] {
    this.#alarm.clear();
    const now = performance.now();
    const ready: number[] = [];
    for (const [pusherId, { at }] of this.#due) {
      if (ready.length >= MOST_AT_ONCE || this.#busy.size >= MOST_BUSY) break;
      if (at > now) continue;
      this.#due.delete(pusherId);
      this.#busy.set(pusherId, false);
      ready.push(pusherId);
    }
    return ready;
  }

  async #pack(pusherIds: readonly number[]): Promise<Parcel[]> {
    const edges = this.#edgesNow();
    const rows = await listDuePushes(edges.db, pusherIds, ROWS_EACH);
    return packParcels(
      edges,
      rows.filter(({ shard }) => this.#keeper.holds(shard)),
    );
  }

  #tell(parcel: Parcel): void {
    const telling = this.#settlementOf(parcel)
      .then((settled) => {
        this.#settled.push(settled);
        this.#settling.wake();
      })
      .catch((error: unknown) => {
        const { log } = this.#edgesNow();
        log.error({ err: error }, "A notification could not be pushed.");
        this.#free(parcel.pusherId, LONGEST_REST_MS);
      })
      .finally(() => this.#telling.delete(telling));
    this.#telling.add(telling);
  }

  async #settlementOf(parcel: Parcel): Promise<Settled> {
    const edges = this.#edgesNow();
    const { pusherId, pusher, items } = parcel;
    if (pusher.kind === "email") {
      const mailed = await mailParcel(edges, parcel);
      const restMs = mailed.isFailed ? this.#restOf(pusher.failures) : null;
      const { position, mailRestMs, againInMs } = mailed;
      return {
        ...{ pusherId, position, badge: pusher.badge, restMs, mailRestMs },
        ...{ isRejected: false, againInMs },
      };
    }
    const { signal } = this.#stopping;
    const told = await tellPusher(edges, this.#gateways, parcel, signal);
    const { position, badge, outcome } = told;
    const isDelivered = outcome === "delivered" || outcome === "rejected";
    // What was given up because the process stops is no fault of the gateway.
    const isFailed = !isDelivered && !signal.aborted;
    return {
      ...{ pusherId, position, badge, mailRestMs: null },
      restMs: isFailed ? this.#restOf(pusher.failures) : null,
      isRejected: outcome === "rejected",
      againInMs: items.length === ROWS_EACH && isDelivered ? 0 : null,
    };
  }

  /** Twice as long each time, give or take an eighth. */
  #restOf(failures: number): number {
    const restMs = FIRST_REST_MS * 2 ** Math.min(failures, 20);
    const [byte] = this.#edgesNow().random.bytes(1);
    return Math.min(restMs, LONGEST_REST_MS) * (0.875 + byte! / 1024);
  }

  async #settle(): Promise<void> {
    const settled = this.#settled;
    if (settled.length === 0) return;
    this.#settled = [];
    try {
      await this.#write(settled);
    } catch (error) {
      this.#settled = [...settled, ...this.#settled];
      throw error;
    }
    for (const { pusherId, restMs, againInMs } of settled)
      this.#free(pusherId, restMs ?? againInMs);
  }

  async #write(settled: readonly Settled[]): Promise<void> {
    const { db } = this.#edgesNow();
    const { holder, shards } = this.#keeper;
    await settlePushes(db, holder, shards, settled);
    const rejected = settled.filter(({ isRejected }) => isRejected);
    if (rejected.length === 0) return;
    const ids = rejected.map(({ pusherId }) => pusherId);
    await deletePushers(db, holder, shards, ids);
  }

  #free(pusherId: number, againInMs: number | null): void {
    const hasNews = this.#busy.get(pusherId) ?? false;
    this.#busy.delete(pusherId);
    if (againInMs !== null) this.resume(pusherId, againInMs);
    else if (hasNews) this.expect(pusherId);
    else if (this.#due.size > 0) this.#delivering.wake();
  }
}
