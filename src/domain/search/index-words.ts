import type { Edges } from "../../edges.ts";
import { listWords } from "../../core/words.ts";
import { listBatchesAfter } from "../../storage/batches.ts";
import type { EventHead } from "../../storage/events.ts";
import type { Lease } from "../../storage/leases.ts";
import { listDailyRooms } from "../../storage/rooms.ts";
import {
  clearSearchSpan,
  findPendingSpan,
  getSearchPosition,
  insertSearchRows,
  insertSpanRows,
  listSearchedBetween,
  listSearchedOfSpan,
  type PendingSpan,
  type SearchRow,
  settleSearchSpans,
} from "../../storage/search.ts";
import type { Job } from "../jobs/job.ts";
import { openEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import { searchedText } from "./searched-text.ts";
import { wordsContext } from "./word-hashes.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** Positions of the stream that one step reads: the process serves others between two. */
const MOST_POSITIONS = 100;
const MOST_BATCHES = 200;
/** Different words of one event; what comes after them is not found. */
const MOST_WORDS = 500;

/**
 * Follows the stream and notes which words events hold, as keyed hashes; encrypted
 * events hold none. Nothing of it is done while a message is sent.
 */
export const indexWords: Job<Needs> = {
  name: "index words",
  restMs: 1000,
  async step(edges, lease) {
    const hasRead = await readOn(edges, lease);
    return (await readSpanAnew(edges, lease)) || hasRead;
  },
};

/** Whether there was anything. */
async function readOn(edges: Needs, lease: Lease): Promise<boolean> {
  const from = await getSearchPosition(edges.db);
  const stretch = await findStretch(edges, from);
  if (!stretch) return false;
  const { upTo, roomNids } = stretch;
  const heads = await listSearchedBetween(edges.db, roomNids, from, upTo);
  const daily = new Set(await listDailyRooms(edges.db, roomNids));
  const rows = await makeRows(edges, lease, heads, (event) =>
    edges.keyring.spanAt(event.receivedTs, daily.has(event.roomNid)),
  );
  await insertSearchRows(edges.db, lease, { from, upTo }, rows);
  return true;
}

async function findStretch(
  { db }: Needs,
  from: number,
): Promise<{ upTo: number; roomNids: number[] } | undefined> {
  const batches = await listBatchesAfter(db, from, MOST_BATCHES);
  const beyond = batches.findIndex(({ to }) => to > from + MOST_POSITIONS);
  const some = beyond === -1 ? batches : batches.slice(0, beyond || 1);
  const last = some.at(-1);
  if (!last) return undefined;
  const roomNids = [...new Set(some.flatMap(({ rooms }) => rooms))];
  return { upTo: last.to, roomNids };
}

async function makeRows(
  edges: Needs,
  lease: Lease,
  heads: readonly EventHead[],
  spanOf: (event: StoredEvent) => string,
): Promise<SearchRow[]> {
  const events = await openEvents(edges, heads);
  const found = events.flatMap((event) => {
    const text = searchedText(event.pdu);
    const words = text === undefined ? [] : listWords(text, MOST_WORDS);
    if (words.length === 0) return [];
    return [{ event, words, span: spanOf(event) }];
  });
  const spans = await findSpans(edges, lease, found);
  const keys = await edges.keyring.findByIds(spans.values());
  return found.flatMap(({ event, words, span }) => {
    const { nid, roomNid, position } = event;
    const keyId = spans.get(nameOf(roomNid, span));
    const key = keyId === 0 ? { keyId } : keys.get(keyId ?? -1);
    // Its key was destroyed meanwhile: the span is read anew later.
    if (!key || position === null) return [];
    const context = wordsContext({ roomNid, span });
    const hashes = edges.keyring.hashWords(words, context, key);
    return [{ nid, roomNid, position, span, keyId: key.keyId, words: hashes }];
  });
}

const nameOf = (roomNid: number, span: string): string => `${roomNid} ${span}`;

/** The keys of the spans that these are in, by the spans' names. */
async function findSpans(
  { db, keyring }: Needs,
  lease: Lease,
  found: readonly { event: StoredEvent; span: string }[],
): Promise<Map<string, number>> {
  const wanted = new Map(
    found.map(({ event: { roomNid, room }, span }) => [
      nameOf(roomNid, span),
      { roomNid, span, owner: room.roomId },
    ]),
  );
  const names = [...wanted.values()];
  const made = await keyring.prepare(
    names.map(({ owner, span }) => ({ scope: "room-words", owner, span })),
  );
  const spans = names.map(({ roomNid, span }, i) => ({
    roomNid,
    span,
    keyId: made[i]!.keyId,
  }));
  const settled = await settleSearchSpans(db, lease, spans);
  return new Map(
    settled.map(({ roomNid, span, keyId }) => [nameOf(roomNid, span), keyId]),
  );
}

/** One piece of a span whose key was destroyed; whether there was one. */
async function readSpanAnew(edges: Needs, lease: Lease): Promise<boolean> {
  const pending = await findPendingSpan(edges.db);
  if (!pending) return false;
  if (pending.pendingFrom === 0) {
    const { roomId: owner, span } = pending;
    const names = [{ scope: "room-words" as const, owner, span }];
    const [key] = await edges.keyring.prepare(names);
    await clearSearchSpan(edges.db, lease, pending, key!.keyId);
    return true;
  }
  const upTo = await getSearchPosition(edges.db);
  const heads = await listSearchedOfSpan(
    edges.db,
    pending,
    upTo,
    timesOf(pending),
    MOST_POSITIONS,
  );
  const rows = await makeRows(edges, lease, heads, () => pending.span);
  const last = heads.at(-1)?.position ?? null;
  const isMore = heads.length === MOST_POSITIONS && last !== null;
  const next = isMore ? last + 1 : null;
  await insertSpanRows(edges.db, lease, pending, next, rows);
  return true;
}

function timesOf({ span }: PendingSpan): { since: number; until: number } {
  const [year = 0, month = 1, day] = span.split("-").map(Number);
  return day === undefined
    ? { since: Date.UTC(year, month - 1), until: Date.UTC(year, month) }
    : {
        since: Date.UTC(year, month - 1, day),
        until: Date.UTC(year, month - 1, day + 1),
      };
}
