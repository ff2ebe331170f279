import type { Edges } from "../../edges.ts";
import { checkAuth } from "../../core/auth/check.ts";
import { clampDepth } from "../../core/event-format.ts";
import { toRoomEvent as nameEvent } from "../../core/event-id.ts";
import type { RoomEvent } from "../../core/event.ts";
import type { InspectedEvent } from "../../core/inspect-event.ts";
import type { JsonValue } from "../../core/json.ts";
import { getRoomRules } from "../../core/room-version.ts";
import { listEventHeadsAnywhere } from "../../storage/received.ts";
import { findRoomHead } from "../../storage/rooms.ts";
import {
  ACCEPTED,
  type EventRow,
  REJECTED,
  type Write,
} from "../../storage/write.ts";
import { checkCited } from "./check-cited.ts";
import { openEvents } from "./event-store.ts";
import { receiptOf } from "./judge-received.ts";
import { listCited, orderReceived } from "./order-received.ts";
import { spansAt } from "./content-keys.ts";
import { sealContents } from "./persist-received.ts";
import { dropped, type Receipt } from "./receipt.ts";
import { clampTime } from "./receive-run.ts";
import { listRedacted } from "./redacted.ts";
import { inReceivingOrder } from "./receiving-order.ts";
import { relationOf } from "./relation.ts";
import { toRoomEvent } from "./room-head.ts";
import { findRoomIdentity, type RoomIdentity } from "./room-identity.ts";
import { tooBusy } from "./room-queue.ts";
import { type Source, verifyEvents } from "./verify-event.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "log" | "memory" | "nids" | "now"
>;

const MAX_LOSSES = 16;

/**
 * Keeps events that have no place in their room's history here: the auth chains
 * of others, and the state of rooms that this server is not in, which the first
 * of their events make known. They are judged by their auth events alone and
 * nobody is told of them.
 *
 * Throws `M_UNSUPPORTED_ROOM_VERSION`, and `M_LIMIT_EXCEEDED` after too many lost races.
 */
export async function storeOutliers(
  edges: Needs,
  { roomId, roomVersion }: { roomId: string; roomVersion: string },
  inputs: readonly (Uint8Array | JsonValue)[],
  source: Source,
): Promise<{ roomNid: number | undefined; receipts: Receipt[] }> {
  const known = await findRoomIdentity(edges, roomId);
  const rules = known?.rules ?? getRoomRules(roomVersion);
  const verified = await verifyEvents(edges, { roomId, rules }, inputs, source);
  const events = orderReceived(
    verified.flatMap((event) => ("status" in event ? [] : [event])),
  );
  const [spare = 0] = await edges.nids.take(1);
  const room = known ?? { roomNid: spare, roomId, rules };
  const { roomNid, receipts } = await inReceivingOrder(
    edges,
    room.roomNid,
    () => settle(edges, room, events),
  );
  return {
    roomNid,
    receipts: verified.map((event) =>
      "status" in event ? event : receipts.get(event.eventId)!,
    ),
  };
}

async function settle(
  edges: Needs,
  wanted: RoomIdentity,
  events: readonly InspectedEvent[],
): Promise<{ roomNid: number | undefined; receipts: Map<string, Receipt> }> {
  for (let losses = 0; losses < MAX_LOSSES; losses += 1) {
    const known = await findRoomIdentity(edges, wanted.roomId);
    const room = known ?? wanted;
    const head = known && (await findRoomHead(edges.db, known.roomNid));
    const { rows, receipts } = await buildRows(edges, room, events);
    if (rows.length === 0) {
      // Another process may have made the room after it was looked for.
      if (!known && (await findRoomIdentity(edges, room.roomId))) continue;
      return { roomNid: known?.roomNid, receipts };
    }
    const outcome = await edges.committer.commit({
      positions: 1,
      events: rows,
      ...claimOf(room, head?.stateVersion, rows, edges.now()),
    });
    if (outcome.status === "committed") {
      return { roomNid: room.roomNid, receipts };
    }
    if (outcome.status === "conflict" && outcome.over === "key") {
      edges.keyring.forget(
        rows.flatMap(({ content }) =>
          content ? [content.firstKey, content.secondKey] : [],
        ),
      );
    }
  }
  throw tooBusy();
}

/** The room's row is made with its first events, or is locked while they are stored. */
const claimOf = (
  { roomNid, roomId, rules }: RoomIdentity,
  stateVersion: number | undefined,
  rows: readonly EventRow[],
  now: number,
): Pick<Write, "rooms" | "rows"> =>
  stateVersion === undefined
    ? {
        rows: {
          newRooms: [
            {
              roomNid,
              roomId,
              roomVersion: rules.version,
              isResident: false,
              createdTs: now,
            },
          ],
        },
      }
    : {
        rooms: [
          {
            roomNid,
            stateVersion,
            absent: rows.map(({ eventId }) => eventId),
            cited: [],
            left: [],
          },
        ],
      };

async function buildRows(
  edges: Needs,
  room: RoomIdentity,
  events: readonly InspectedEvent[],
): Promise<{ rows: EventRow[]; receipts: Map<string, Receipt> }> {
  const ids = new Set(
    events.flatMap(({ eventId, pdu }) => [
      eventId,
      ...listCited({ ...pdu, prev_events: [] }),
    ]),
  );
  // In room version 12 the room's id cites the create event.
  const createId = `$${room.roomId.slice(1)}`;
  const heads = await listEventHeadsAnywhere(edges.db, [...ids, createId]);
  const opened = await openEvents(edges, heads);
  const known = new Map<string, RoomEvent>(
    opened.map((event) => [event.eventId, toRoomEvent(event)]),
  );
  const stored = new Map(heads.map((head) => [head.eventId, head]));
  const receipts = new Map<string, Receipt>();
  const judged: { inspected: InspectedEvent; refusal: string | null }[] = [];
  for (const inspected of events) {
    const { eventId, pdu } = inspected;
    const head = stored.get(eventId);
    if (head) {
      const reason = "It was refused before.";
      receipts.set(
        eventId,
        head.roomNid === room.roomNid
          ? receiptOf(head.status, eventId, false, reason)
          : dropped("An event of another room has this id.", eventId),
      );
      continue;
    }
    const event = nameEvent(room.rules, pdu, eventId);
    const missing = event.authEventIds.filter((id) => !known.has(id));
    if (missing.length > 0) {
      receipts.set(eventId, { status: "missing", eventId, missing });
      continue;
    }
    const refusal = refusalOf(room, event, known, createId);
    const isRejected = refusal !== null;
    known.set(eventId, { ...event, isRejected });
    judged.push({ inspected, refusal });
    const status = isRejected ? REJECTED : ACCEPTED;
    receipts.set(eventId, receiptOf(status, eventId, true, refusal ?? ""));
  }
  return { rows: await toRows(edges, room, judged), receipts };
}

function refusalOf(
  { rules }: RoomIdentity,
  event: RoomEvent,
  known: ReadonlyMap<string, RoomEvent>,
  createId: string,
): string | null {
  const authEvents = event.authEventIds.map((id) => known.get(id)!);
  const verdict =
    event.pdu.type === "m.room.create"
      ? checkAuth(rules, event, () => undefined)
      : checkCited(rules, event, authEvents, known.get(createId));
  return verdict === "allowed" ? null : verdict.rejected;
}

async function toRows(
  edges: Needs,
  room: RoomIdentity,
  judged: readonly { inspected: InspectedEvent; refusal: string | null }[],
): Promise<EventRow[]> {
  const now = edges.now();
  const nids = await edges.nids.take(judged.length);
  const sealed = await sealContents(
    edges,
    room,
    judged.map(({ inspected }) => inspected),
    spansAt(edges.keyring, now, false),
  );
  return judged.map(({ inspected, refusal }, i) => {
    const { eventId, pdu, skeleton } = inspected;
    return {
      nid: nids[i]!,
      roomNid: room.roomNid,
      eventId,
      type: pdu.type,
      stateKey: pdu.state_key ?? null,
      sender: pdu.sender,
      depth: clampDepth(pdu.depth),
      originServerTs: clampTime(pdu.origin_server_ts),
      receivedTs: now,
      snapshotId: null,
      snapshotAfter: null,
      replacesNid: null,
      status: refusal === null ? ACCEPTED : REJECTED,
      refusal,
      isCountable: false,
      hasUrl: typeof pdu.content["url"] === "string",
      deviceId: null,
      txnId: null,
      redacts: listRedacted(room.rules, pdu)[0] ?? null,
      ...relationOf(pdu),
      skeleton,
      content: sealed[i]!,
      isOutlier: true,
    };
  });
}
