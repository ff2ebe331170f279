import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { InspectedEvent } from "../../core/inspect-event.ts";
import type { JsonValue } from "../../core/json.ts";
import { StorageUnavailable } from "../../storage/storage-unavailable.ts";
import { inReceivingOrder } from "./receiving-order.ts";
import { judgeReceived, receiptOf } from "./judge-received.ts";
import { orderReceived } from "./order-received.ts";
import { persistReceived } from "./persist-received.ts";
import { dropped, type Receipt } from "./receipt.ts";
import { loadGround } from "./receive-ground.ts";
import {
  derive,
  moveCurrent,
  moveTips,
  placeEvent,
  startReceiving,
} from "./receive-run.ts";
import { createResolver } from "./resolve-room-state.ts";
import { mapRoomIdentities, type RoomIdentity } from "./room-identity.ts";
import { tooBusy } from "./room-queue.ts";
import { type Source, verifyEvents } from "./verify-event.ts";

type Needs = Pick<
  Edges,
  | "committer"
  | "db"
  | "keyring"
  | "log"
  | "memory"
  | "nids"
  | "notifier"
  | "now"
  | "settings"
>;

const MAX_LOSSES = 16;
/** After so many lost races a batch is content with a short fork of messages beside it. */
const MAX_EXCLUSIVE = 8;

/**
 * Receives events from another server into a room: each is verified, judged by
 * auth and kept, or named missing or dropped, in the order in which they were
 * given. One bad event never fails the others.
 *
 * Throws `M_NOT_FOUND` for a room that is not known here, `M_LIMIT_EXCEEDED` for
 * one that is too busy; then nothing of the batch is kept.
 * https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export async function receiveEvents(
  edges: Needs,
  roomNid: number,
  inputs: readonly (Uint8Array | JsonValue)[],
  source: Source,
): Promise<Receipt[]> {
  const room = (await mapRoomIdentities(edges, [roomNid])).get(roomNid);
  if (!room)
    throw new MatrixError("M_NOT_FOUND", "This room is not known here.");
  const verified = await verifyEvents(edges, room, inputs, source);
  const events = verified.flatMap((event) =>
    "status" in event ? [] : [event],
  );
  const receipts =
    events.length === 0
      ? new Map<string, Receipt>()
      : await inReceivingOrder(edges, roomNid, () =>
          settle(edges, room, orderReceived(events)),
        );
  return verified.map((event) =>
    "status" in event ? event : receipts.get(event.eventId)!,
  );
}

/** Events that cannot be stored together are stored one by one. */
async function settle(
  edges: Needs,
  room: RoomIdentity,
  events: readonly InspectedEvent[],
): Promise<Map<string, Receipt>> {
  try {
    return await settleTogether(edges, room, events);
  } catch (error) {
    if (error instanceof StorageUnavailable || error instanceof MatrixError) {
      throw error;
    }
    const [{ eventId }, ...others] = events as [InspectedEvent];
    if (others.length === 0) {
      edges.log.error(
        { err: error, eventId },
        "an event could not be received",
      );
      const reason = "The event could not be received.";
      return new Map([[eventId, dropped(reason, eventId)]]);
    }
    const receipts = new Map<string, Receipt>();
    for (const event of events) {
      for (const [id, receipt] of await settle(edges, room, [event])) {
        receipts.set(id, receipt);
      }
    }
    return receipts;
  }
}

async function settleTogether(
  edges: Needs,
  room: RoomIdentity,
  events: readonly InspectedEvent[],
): Promise<Map<string, Receipt>> {
  const contents = new Map(
    events.map((event) => [event.eventId, event.content]),
  );
  for (let losses = 0; losses < MAX_LOSSES; losses += 1) {
    const now = edges.now();
    const { run, receipts } = await placeAll(edges, room, events, now);
    if (!run || run.rows.length === 0) return receipts;
    const isExclusive = losses < MAX_EXCLUSIVE;
    const outcome = await persistReceived(edges, run, contents, {
      now,
      isExclusive,
    });
    if (outcome.status === "committed") return receipts;
    if (outcome.status === "conflict" && outcome.over === "push-rules") {
      await edges.notifier.refresh();
    }
  }
  throw tooBusy();
}

/** Places one event after the other, each in the room that the last one left. */
async function placeAll(
  edges: Needs,
  room: RoomIdentity,
  events: readonly InspectedEvent[],
  now: number,
) {
  const receipts = new Map<string, Receipt>();
  const ground = await loadGround(edges, room, events);
  if (!ground) {
    for (const { eventId } of events) {
      const reason = "This server is not in the room.";
      receipts.set(eventId, dropped(reason, eventId));
    }
    return { receipts };
  }
  // An event, the state before it, the state after it, the room's state.
  const nids = await edges.nids.take(events.length * 4);
  const run = startReceiving(ground, () => nids.pop()!);
  const resolve = createResolver(edges, ground, (...change) =>
    derive(run, ...change),
  );
  for (const event of events) {
    const { eventId } = event;
    const judged = await judgeReceived(run, event, resolve);
    if (!("before" in judged)) {
      receipts.set(eventId, judged);
      continue;
    }
    const placed = placeEvent(run, event, judged, now);
    const { status, refusal } = placed;
    receipts.set(eventId, receiptOf(status, eventId, true, refusal ?? ""));
    if (refusal !== null) continue;
    moveTips(run, placed);
    const states = [...run.tips.values()].map(({ state }) => state);
    moveCurrent(run, await resolve(states));
  }
  return { run, receipts };
}
