import { randomUUID } from "node:crypto";
import {
  getHead,
  listMissingTokens,
  listTypingAfter,
  getLastMark,
} from "./batches.ts";
import type { BatchHint } from "./bus-message.ts";
import type { Bus } from "./bus.ts";
import { ChangeRing } from "./change-ring.ts";
import type { Sql } from "./database.ts";
import { EphemeralRing } from "./ephemeral-ring.ts";
import { LONGEST_TRUST_MS, POLICIES_TOPIC } from "./notifier.ts";
import type { EphemeralHint, Notifier } from "./notifier.ts";
import { PlainNewsMemory } from "./plain-news.ts";
import { createRollCall } from "./roll-call.ts";
import { StreamFollower } from "./stream-follower.ts";
import { Waiters } from "./waiters.ts";

export interface NotifierOptions {
  sql: Sql;
  bus: Bus;
  log: { warn(details: object, message: string): void };
  /** How often the table is read in case that hints were lost. */
  pollMs?: number;
  /** How much the change ring remembers. */
  remembered?: { batches?: number; bytes?: number };
}

/** Tokens that were revoked lately, for waits that begin just then. */
const MOST_REVOKED = 10_000;

/** Follows the stream of the database from its head on. */
export async function createNotifier({
  sql,
  bus,
  log,
  pollMs = 1000,
  remembered,
}: NotifierOptions): Promise<Notifier> {
  const head = await getHead(sql);
  const ring = new ChangeRing(head, remembered);
  const ephemeral = new EphemeralRing(await getLastMark(sql));
  const waiters = new Waiters();
  const revokedListeners: ((tokenIds: readonly number[]) => void)[] = [];
  const gapListeners: (() => void)[] = [];
  const rewoundListeners: Parameters<Notifier["onRewound"]>[0][] = [];
  const advanceListeners = new Set<() => void>();
  const revoked = new Set<number>();
  const plainNews = new PlainNewsMemory();
  /** Batches of this process on their way, and what the bus has said of them. */
  const expected = new Map<string, BatchHint | undefined>();
  const rollCall = createRollCall(bus);
  const self = randomUUID();
  let isClosed = false;
  let isRewound = false;

  const follower = new StreamFollower({
    sql,
    log,
    position: head,
    onBatch(batch) {
      ring.add(batch);
      // What a policy says may hold for anybody.
      if (batch.users.includes(POLICIES_TOPIC)) waiters.endAll("woken");
      else waiters.wake(batch, { position: batch.to });
      for (const listener of advanceListeners) listener();
    },
    onJump(position) {
      ring.reset(position);
      waiters.endAll("woken");
      for (const listener of advanceListeners) listener();
    },
  });

  const hearEphemeral = (told: EphemeralHint) => {
    const { mark, rooms = [], users = [] } = told;
    const hint = { ...told, rooms, users };
    ephemeral.add(hint);
    waiters.wake(hint, { mark });
  };

  const hearRevoked = (tokenIds: readonly number[]) => {
    for (const id of tokenIds) {
      revoked.delete(id);
      revoked.add(id);
    }
    for (const oldest of revoked) {
      if (revoked.size <= MOST_REVOKED) break;
      revoked.delete(oldest);
    }
    for (const listener of revokedListeners) listener(tokenIds);
    waiters.revoke(tokenIds);
  };

  const lookBack = async () => {
    const seen = follower.position;
    const head = await getHead(sql);
    if (head >= seen || isRewound || isClosed) return;
    isRewound = true;
    for (const listener of rewoundListeners) listener({ seen, head });
  };

  /** What hints would have said while the connection was away. */
  const heal = async () => {
    await lookBack();
    await follower.refresh();
    const typing = await listTypingAfter(sql, ephemeral.mark);
    for (const { mark, roomNid } of typing) {
      hearEphemeral({ mark, rooms: [roomNid] });
    }
    const missing = await listMissingTokens(sql, waiters.tokenIds);
    if (missing.length > 0) hearRevoked(missing);
  };

  /** Who never says so is waited for no longer than a process trusts what it knows. */
  const answerWhenReached = (asked: { position: number; call: string }) => {
    const { position, call } = asked;
    const seen =
      follower.position < position ? follower.refresh() : Promise.resolve();
    seen.then(
      () => bus.publish({ kind: "heard", call, by: self }),
      () => undefined,
    );
  };

  bus.onMessage((message) => {
    if (isClosed) return;
    if (message.kind === "batch") {
      const { id = "" } = message.batch;
      if (expected.has(id)) expected.set(id, message.batch);
      else follower.hint(message.batch);
    }
    if (message.kind === "ephemeral") hearEphemeral(message.ephemeral);
    if (message.kind === "heard") rollCall.note(message.call, message.by);
    if (message.kind === "reached") answerWhenReached(message);
    if (message.kind === "revoked") {
      hearRevoked(message.tokenIds);
      const { call } = message;
      if (call !== undefined) bus.publish({ kind: "heard", call, by: self });
    }
  });
  bus.onGap(() => {
    if (isClosed) return;
    for (const listener of gapListeners) listener();
    heal().catch((error: unknown) => {
      log.warn({ err: error }, "Lost hints are healed later.");
    });
  });

  // Hints of the moment between the reading of the head and now.
  await follower.refresh();
  const poll = setInterval(() => {
    follower.refreshLater();
    // Where the database is away, the refresh says so.
    lookBack().catch(() => undefined);
  }, pollMs);
  poll.unref();

  return {
    get position() {
      return follower.position;
    },
    get ephemeralMark() {
      return ephemeral.mark;
    },
    refresh: () => follower.refresh(),

    async caughtUp(position) {
      if (follower.position < position) await follower.refresh();
    },

    wait(topics, after, timeoutMs, caller) {
      const { tokenId } = topics;
      if (isClosed || caller.isGone) return Promise.resolve("aborted");
      if (tokenId !== undefined && revoked.has(tokenId))
        return Promise.resolve("revoked");
      const isNews =
        ring.concerns(topics, after.position) ||
        ephemeral.concerns(topics, after.mark);
      return isNews
        ? Promise.resolve("woken")
        : waiters.wait(topics, after, timeoutMs, caller);
    },

    changesSince: (after) => ring.changesSince(after),
    spansBetween: (after, upTo) => ring.spansBetween(after, upTo),
    isTouched: (userId, after) => ring.isTouched(userId, after),
    ephemeralBetween: (after, upTo) => ephemeral.between(after, upTo),
    plainNews: (roomNid, span) => plainNews.find(roomNid, span),
    touchesSince: (roomNid, after) => ring.touchesSince(roomNid, after),

    expect(batchId) {
      expected.set(batchId, undefined);
      return () => {
        const hint = expected.get(batchId);
        expected.delete(batchId);
        if (hint && !isClosed) follower.hint(hint);
      };
    },

    committed({ base, head, rooms, users, writes }) {
      if (head === base) return;
      plainNews.add({ after: base, upTo: head }, writes);
      follower.hint({ from: base, to: head, rooms, users });
    },

    wakeEphemeral(hint) {
      hearEphemeral(hint);
      bus.publish({ kind: "ephemeral", ephemeral: hint });
    },

    async revoke(tokenIds) {
      if (tokenIds.length === 0) return;
      hearRevoked(tokenIds);
      await rollCall.ask(
        (call) => bus.publish({ kind: "revoked", tokenIds, call }),
        LONGEST_TRUST_MS,
      );
    },
    onRevoked: (listener) => void revokedListeners.push(listener),
    seenByAll: (position) =>
      rollCall.ask(
        (call) => bus.publish({ kind: "reached", position, call }),
        LONGEST_TRUST_MS,
      ),
    onAdvance(listener) {
      advanceListeners.add(listener);
      return () => void advanceListeners.delete(listener);
    },
    onGap: (listener) => void gapListeners.push(listener),
    onRewound: (listener) => void rewoundListeners.push(listener),

    async close() {
      isClosed = true;
      clearInterval(poll);
      follower.stop();
      rollCall.close();
      waiters.endAll("aborted");
    },
  };
}
