import type { Edges } from "../../edges.ts";
import {
  type DeltaFacts,
  type DeltaRange,
  listDeltaFacts,
  listReceiptsBetween,
} from "../../storage/room-delta.ts";
import type { EventHead } from "../../storage/events.ts";
import type { PlainNews } from "../../storage/plain-news.ts";
import type { Span } from "../../storage/span.ts";
import { listBundledTypes } from "../../storage/relations.ts";
import type { ReceiptRow } from "../../storage/sync-extras.ts";
import { listTimelines } from "../../storage/sync-timeline.ts";
import { groupBy } from "../../util/group-by.ts";
import { openedSlot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { openEvents } from "../rooms/event-store.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import { type MemberNids, readSenderMembers } from "./sender-members.ts";
import { NO_CONDITIONS } from "./sync-filter.ts";

/** What happened in a room between two places of the stream, read once for all who wait for it. */
export interface RoomDelta {
  /** Oldest first; none of them state, redacted, of a thread, or what another one relates to. */
  events: readonly StoredEvent[];
  countable: number;
  /** Who has rows of notifications; '' stands for everybody. */
  notified: ReadonlySet<string>;
  receipts: readonly ReceiptRow[];
  /**
   * Member events of the senders, for clients that load members lazily: by room and
   * user, read together for all rooms that were.
   */
  readMemberNids(): Promise<MemberNids>;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier" | "settings">;
/** Null where it is more than a few plain messages and receipts. */
type Delta = RoomDelta | null;

export const MOST_EVENTS_A_ROOM = 50;
const MOST_BYTES = 32 * 1024 * 1024;

interface Shared {
  delta: Promise<Delta>;
  /** About how many bytes it holds, once that is known. */
  weight: number;
}

const deltas = openedSlot(
  () => new WeightedCache<string, Shared>(MOST_BYTES, ({ weight }) => weight),
);

/**
 * What happened in rooms in batches that touched them, whole ones whatever a token
 * says, since it is shared. Those that nobody has asked for yet are read together.
 */
export async function readRoomDeltas(
  edges: Needs,
  spans: ReadonlyMap<number, Span>,
): Promise<Map<number, Delta>> {
  const cache = edges.memory.of(deltas);
  const wanted = new Map<number, Promise<Delta>>();
  const missing = new Map<number, string>();
  for (const [roomNid, { after, upTo }] of spans) {
    const key = `${roomNid} ${after} ${upTo}`;
    const known = cache.get(key);
    if (known) wanted.set(roomNid, known.delta);
    else missing.set(roomNid, key);
  }
  const ranges = [...missing.keys()].map((roomNid) => ({
    roomNid,
    ...spans.get(roomNid)!,
  }));
  const loading = loadDeltas(edges, ranges);
  for (const [roomNid, key] of missing) {
    const delta = loading.then((loaded) => loaded.get(roomNid) ?? null);
    cache.set(key, { delta, weight: 1000 });
    delta.then(
      (loaded) => cache.set(key, { delta, weight: weigh(loaded) }),
      () => cache.delete(key),
    );
    wanted.set(roomNid, delta);
  }
  const entries = await Promise.all(
    [...wanted].map(
      async ([roomNid, delta]) => [roomNid, await delta] as const,
    ),
  );
  return new Map(entries);
}

async function loadDeltas(
  edges: Needs,
  ranges: readonly DeltaRange[],
): Promise<Map<number, RoomDelta>> {
  if (ranges.length === 0) return new Map();
  const { db } = edges;
  const { facts, heads } = await readRanges(edges, ranges);
  const opened = await openEvents(edges, heads);
  const eventsOf = groupBy(opened, ({ roomNid }) => roomNid);
  const withChildren = await listRoomsOfParents(edges, opened);
  const plain = facts.filter(
    ({ roomNid, hasStateChanges }) =>
      !hasStateChanges &&
      !withChildren.has(roomNid) &&
      isPlain(eventsOf.get(roomNid) ?? []),
  );
  const withReceipts = new Set(
    plain.flatMap((room) => (room.hasReceipts ? room.roomNid : [])),
  );
  const receipts = await listReceiptsBetween(
    db,
    ranges.filter(({ roomNid }) => withReceipts.has(roomNid)),
  );
  const receiptsOf = groupBy(receipts, ({ roomNid }) => roomNid);
  let members: Promise<MemberNids> | undefined;
  const readMemberNids = () =>
    (members ??= readSenderMembers(
      edges,
      plain.flatMap(({ roomNid }) => eventsOf.get(roomNid) ?? []),
    ).catch((error: unknown) => {
      members = undefined;
      throw error;
    }));
  const deltaOf = ({ roomNid, countable, notified }: DeltaFacts): RoomDelta => {
    const events = eventsOf.get(roomNid) ?? [];
    return {
      events,
      countable,
      notified: new Set(notified),
      receipts: receiptsOf.get(roomNid) ?? [],
      readMemberNids,
    };
  };
  return new Map(plain.map((room) => [room.roomNid, deltaOf(room)]));
}

/** Rooms of events that something relates to which came before them: other servers' may. */
async function listRoomsOfParents(
  { db, settings }: Needs,
  events: readonly StoredEvent[],
): Promise<ReadonlySet<number>> {
  const foreign = events.filter(({ sender }) => !isLocalUser(settings, sender));
  const related = await listBundledTypes(db, foreign);
  const parents = new Set(related.map(({ eventId }) => eventId));
  return new Set(
    foreign.flatMap((e) => (parents.has(e.eventId) ? e.roomNid : [])),
  );
}

/** What the ranges hold, known to the process that wrote it, or read. Events come oldest first. */
async function readRanges(
  { db, notifier }: Needs,
  ranges: readonly DeltaRange[],
): Promise<{ facts: DeltaFacts[]; heads: EventHead[] }> {
  const known: PlainNews[] = [];
  const unknown: DeltaRange[] = [];
  for (const range of ranges) {
    const news = notifier.plainNews(range.roomNid, range);
    if (news) known.push(news);
    else unknown.push({ ...range });
  }
  const most = unknown.map((range) => ({
    ...range,
    limit: MOST_EVENTS_A_ROOM + 1,
  }));
  const [facts, heads] = await Promise.all([
    listDeltaFacts(db, unknown),
    listTimelines(db, most, NO_CONDITIONS),
  ]);
  return {
    facts: [...known, ...facts],
    heads: [...known.flatMap((news) => news.heads), ...heads.reverse()],
  };
}

const weigh = (delta: Delta): number =>
  1000 +
  200 * (delta?.receipts.length ?? 0) +
  (delta?.events.reduce((sum, e) => sum + 1000 + 4 * e.clientJson.length, 0) ??
    0);

function isPlain(events: readonly StoredEvent[]): boolean {
  const ids = new Set(events.map(({ eventId }) => eventId));
  return (
    events.length <= MOST_EVENTS_A_ROOM &&
    events.every(
      ({ stateKey, redacts, redactedBy, thread, relatesTo }) =>
        stateKey === null &&
        redacts === null &&
        redactedBy === null &&
        thread === null &&
        // What relates to a message here is shown with it.
        (relatesTo === null || !ids.has(relatesTo)),
    )
  );
}
