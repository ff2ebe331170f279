import type { EventHead } from "./events.ts";
import { escapeText } from "./json-text.ts";
import type { Span } from "./span.ts";
import type { DeltaFacts } from "./room-delta.ts";
import { ACCEPTED } from "./write.ts";
import type { EventRow, Write } from "./write.ts";

/** All that happened in a room in a span of the stream: messages, and nothing else. */
export interface PlainNews extends DeltaFacts {
  /** Oldest first. */
  heads: readonly EventHead[];
}

/** A write that was committed, and the position before its first one. */
export interface CommittedWrite {
  write: Write;
  start: number;
}

const MOST_ENTRIES = 200;

/** What this process's own last batches brought to rooms, so that nobody reads it again. */
export class PlainNewsMemory {
  readonly #news = new Map<string, PlainNews>();

  /** Remembers the rooms that got nothing but messages by a batch. */
  add(span: Span, writes: readonly CommittedWrite[]): void {
    for (const [roomNid, news] of collect(writes)) {
      this.#news.set(keyOf(roomNid, span), news);
    }
    for (const oldest of this.#news.keys()) {
      if (this.#news.size <= MOST_ENTRIES) break;
      this.#news.delete(oldest);
    }
  }

  /** Undefined where it is more than one batch, another process's, or not only messages. */
  find(roomNid: number, span: Span): PlainNews | undefined {
    return this.#news.get(keyOf(roomNid, span));
  }
}

const keyOf = (roomNid: number, { after, upTo }: Span): string =>
  `${roomNid} ${after} ${upTo}`;

function collect(writes: readonly CommittedWrite[]): Map<number, PlainNews> {
  const rooms = new Map<number, CommittedWrite[]>();
  const others = new Set<number>();
  for (const committed of writes) {
    const { write } = committed;
    const [first] = write.events ?? [];
    if (first && isPlain(write)) {
      const list = rooms.get(first.roomNid);
      if (list) list.push(committed);
      else rooms.set(first.roomNid, [committed]);
    } else {
      for (const roomNid of listRooms(write)) others.add(roomNid);
    }
  }
  const news = new Map<number, PlainNews>();
  for (const [roomNid, list] of rooms) {
    if (!others.has(roomNid)) news.set(roomNid, newsOf(roomNid, list));
  }
  return news;
}

/** Messages of one room, and who is notified of them. */
function isPlain({ events = [], rows = {}, ...rest }: Write): boolean {
  const { snapshots, stateChanges, memberships } = rest;
  const [first] = events;
  return (
    isEmpty(snapshots) &&
    isEmpty(stateChanges) &&
    isEmpty(memberships) &&
    Object.entries(rows).every(
      ([table, list]) => table === "notifications" || isEmpty(list),
    ) &&
    events.every(
      (event) =>
        event.roomNid === first?.roomNid &&
        event.status === ACCEPTED &&
        event.stateKey === null &&
        event.redacts === null &&
        !event.isOutlier,
    )
  );
}

const isEmpty = (list: readonly unknown[] | undefined): boolean =>
  list === undefined || list.length === 0;

const listRooms = ({ events = [], wake, rows }: Write): number[] => [
  ...events.map(({ roomNid }) => roomNid),
  ...(wake?.rooms ?? []),
  ...(rows?.receipts ?? []).map(({ roomNid }) => roomNid),
];

function newsOf(roomNid: number, writes: readonly CommittedWrite[]): PlainNews {
  const events = writes.flatMap(({ write }) => write.events ?? []);
  const rows = writes.flatMap(({ write }) => write.rows?.notifications ?? []);
  return {
    heads: writes.flatMap(({ write, start }) =>
      (write.events ?? []).map((event, at) => headOf(event, start + at + 1)),
    ),
    roomNid,
    hasStateChanges: false,
    hasReceipts: false,
    countable: events.filter(({ isCountable }) => isCountable).length,
    notified: [...new Set(rows.map(({ userId }) => userId))],
  };
}

/** The row as it was stored. */
const headOf = (event: EventRow, position: number): EventHead => ({
  nid: event.nid,
  roomNid: event.roomNid,
  eventId: event.eventId,
  position,
  depth: event.depth,
  arrival: position,
  originServerTs: event.originServerTs,
  receivedTs: event.receivedTs,
  snapshotId: event.snapshotId,
  snapshotAfter: event.snapshotAfter,
  replacesNid: event.replacesNid,
  redactedBy: null,
  status: event.status,
  type: escapeText(event.type),
  stateKey: null,
  sender: event.sender,
  deviceId: event.deviceId,
  txnId: event.txnId,
  redacts: null,
  relType: event.relType,
  relatesTo: event.relatesTo,
  thread: event.thread,
});
