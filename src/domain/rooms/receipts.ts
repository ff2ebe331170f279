import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { listEventHeadsById } from "../../storage/events.ts";
import type { WriteRows } from "../../storage/write.ts";
import type { Requester } from "../accounts/requester.ts";
import {
  prepareAccountData,
  type PreparedChange,
} from "../accounts/update-account-data.ts";
import { openEvents } from "./event-store.ts";
import type { StoredEvent } from "./stored-event.ts";
import { showEvents } from "./gate.ts";
import { getJoinedRoom } from "./joined-room.ts";
import type { RoomIdentity } from "./room-identity.ts";
import { findThreads, leadsUpTo } from "./threads.ts";

/** Public and private read receipts, and the read marker, which is account data. */
export const receiptTypes = [
  "m.read",
  "m.read.private",
  "m.fully_read",
] as const;
export type ReceiptType = (typeof receiptTypes)[number];

export interface Receipt {
  type: ReceiptType;
  eventId: string;
  /** `main` or a thread's root; absent for a receipt of the whole room. */
  threadId?: string;
}

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "memory" | "now" | "settings"
>;

const MARKER = "m.fully_read";
const MAX_ATTEMPTS = 50;

/**
 * Marks events as read, up to and including each.
 * https://spec.matrix.org/v1.19/client-server-api/#receipts
 * https://spec.matrix.org/v1.19/client-server-api/#fully-read-markers
 */
export async function setReceipts(
  edges: Needs,
  { userId }: Requester,
  roomId: string,
  receipts: readonly Receipt[],
): Promise<void> {
  const room = await getJoinedRoom(edges, userId, roomId);
  if (receipts.length === 0) return;
  const events = await readEvents(edges, userId, room, receipts);
  for (const receipt of receipts) {
    await assertThread(edges, room, receipt, events.get(receipt.eventId)!);
  }
  const rows = receipts.flatMap((receipt) =>
    receipt.type === MARKER
      ? []
      : [receiptRow(edges, userId, receipt, events.get(receipt.eventId)!)],
  );
  const marker = receipts.find(({ type }) => type === MARKER);
  const marked = marker && events.get(marker.eventId);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const moved = marked && (await prepareMarker(edges, userId, marked));
    if (rows.length === 0 && !moved) return;
    const outcome = await edges.committer.commit({
      positions: 1,
      idempotency: moved ? [{ key: moved.claim, answer: "" }] : [],
      rows: { receipts: rows, ...moved?.rowsAt(0) },
      wake: { users: [userId], rooms: rows.length > 0 ? [room.roomNid] : [] },
    });
    if (outcome.status === "committed") return;
    if (outcome.status === "conflict" && moved)
      edges.keyring.forget([moved.keyId]);
  }
  throw new MatrixError(
    "M_LIMIT_EXCEEDED",
    "Too many changes at once. Try again shortly.",
    { retry_after_ms: 500 },
  );
}

function receiptRow(
  { now }: Pick<Edges, "now">,
  userId: string,
  { type, eventId, threadId = "" }: Receipt,
  { roomNid, position }: StoredEvent,
): WriteRows["receipts"][number] {
  return {
    at: 0,
    roomNid,
    userId,
    receiptType: type,
    thread: threadId,
    eventId,
    eventPosition: position ?? 0,
    receiptTs: now(),
  };
}

/** The events that the receipts name; what the user may not see is not there. */
async function readEvents(
  edges: Needs,
  userId: string,
  { roomNid }: RoomIdentity,
  receipts: readonly Receipt[],
): Promise<Map<string, StoredEvent>> {
  const eventIds = [...new Set(receipts.map(({ eventId }) => eventId))];
  const heads = await listEventHeadsById(edges.db, roomNid, eventIds);
  const opened = await openEvents(edges, heads);
  const shown = await showEvents(edges, userId, opened);
  if (shown.length < eventIds.length) {
    throw new MatrixError(
      "M_NOT_FOUND",
      "This event is not known in the room.",
    );
  }
  return new Map(shown.map(({ event }) => [event.eventId, event]));
}

/** @throws MatrixError M_INVALID_PARAM where the event is not of the thread */
async function assertThread(
  edges: Pick<Edges, "db">,
  { roomNid }: RoomIdentity,
  { type, threadId }: Receipt,
  event: StoredEvent,
): Promise<void> {
  if (threadId === undefined) return;
  if (type === MARKER) {
    throw invalid("A read marker is of the whole room and has no thread.");
  }
  // The root is where its thread begins too: nothing in the thread comes before it.
  if (threadId === event.eventId) return;
  const [thread = null] = await findThreads(edges, roomNid, [event]);
  if ((thread ?? "main") === threadId) return;
  // What relates to a root is of the main timeline; clients show it with the thread too.
  if (thread === null && threadId !== "main") {
    if (await leadsUpTo(edges, roomNid, event, threadId)) return;
  }
  throw invalid("The event is not related to the thread_id.");
}

const invalid = (message: string): MatrixError =>
  new MatrixError("M_INVALID_PARAM", message);

/** What moves the read marker; nothing where it would not move forward. */
const prepareMarker = (
  edges: Needs,
  userId: string,
  { roomNid, eventId, position }: StoredEvent,
): Promise<PreparedChange | undefined> =>
  prepareAccountData(
    edges,
    { userId, roomNid, type: MARKER },
    async ({ event_id: known }) => {
      if (typeof known === "string") {
        const [before] = await listEventHeadsById(edges.db, roomNid, [known]);
        if ((before?.position ?? 0) >= (position ?? 0)) return undefined;
      }
      return { event_id: eventId };
    },
  );
