import { checkAuth, type Verdict } from "../../core/auth/check.ts";
import type { RoomEvent } from "../../core/event.ts";
import { toRoomEvent } from "../../core/event-id.ts";
import type { InspectedEvent } from "../../core/inspect-event.ts";
import {
  ACCEPTED,
  type EventStatus,
  REJECTED,
  SOFT_FAILED,
} from "../../storage/write.ts";
import { checkCited } from "./check-cited.ts";
import { dropped, type Receipt } from "./receipt.ts";
import { findStateAfter, type ReceiveRun } from "./receive-run.ts";
import type { Resolve } from "./resolve-room-state.ts";
import type { StateSet } from "./state-set.ts";

export interface Judged {
  status: EventStatus;
  refusal: string | null;
  before: StateSet;
}

/**
 * What becomes of a verified event: what auth says of it by the events that it
 * cites, by the state before it, and by the room's current state. A receipt
 * stands for an event that gets no place, or has one already.
 * https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export async function judgeReceived(
  run: ReceiveRun,
  inspected: InspectedEvent,
  resolve: Resolve,
): Promise<Judged | Receipt> {
  const { index, room } = run.ground;
  const { eventId, pdu } = inspected;
  const known = findKnown(run, eventId);
  if (known) return known;
  if (pdu.type === "m.room.create") {
    return dropped("The room has a create event.", eventId);
  }
  const event = toRoomEvent(room.rules, pdu, eventId);
  if (event.prevEventIds.length === 0) {
    return dropped("The event follows no other.", eventId);
  }
  const cited = findCited(run, event);
  if ("status" in cited) return cited;
  const { authEvents, states } = cited;
  const before = await resolve(states);
  const create = index.at(run.current, "m.room.create", "")?.event;
  const rejected = firstRefusal(
    () => checkCited(room.rules, event, authEvents, create),
    () => checkAuth(room.rules, event, index.lookup(before)),
  );
  if (rejected !== null) return { status: REJECTED, refusal: rejected, before };
  const refusal = firstRefusal(() =>
    checkAuth(room.rules, event, index.lookup(run.current)),
  );
  const status = refusal === null ? ACCEPTED : SOFT_FAILED;
  return { status, refusal, before };
}

/** An event that has its place; outliers have none yet. */
function findKnown(
  { ground }: ReceiveRun,
  eventId: string,
): Receipt | undefined {
  const head = ground.heads.get(eventId);
  if (head && head.roomNid !== ground.room.roomNid) {
    return dropped("An event of another room has this id.", eventId);
  }
  if (!head || head.arrival === null) return undefined;
  return receiptOf(head.status, eventId, false, "It was refused before.");
}

export function receiptOf(
  status: number,
  eventId: string,
  isNew: boolean,
  reason: string,
): Receipt {
  if (status === ACCEPTED) return { status: "accepted", eventId, isNew };
  const name = status === REJECTED ? "rejected" : "soft-failed";
  return { status: name, eventId, isNew, reason };
}

/** What the event cites, or why it has to wait for that. */
function findCited(
  run: ReceiveRun,
  { eventId, prevEventIds, authEventIds }: RoomEvent,
): { authEvents: RoomEvent[]; states: StateSet[] } | Receipt {
  const { ground, placed } = run;
  const missing = new Set<string>();
  const states: StateSet[] = [];
  for (const id of prevEventIds) {
    const head = ground.heads.get(id);
    if (head && head.roomNid !== ground.room.roomNid) {
      return dropped("The event follows one of another room.", eventId);
    }
    const state = findStateAfter(run, id);
    if (state) states.push(state);
    else missing.add(id);
  }
  const authEvents: RoomEvent[] = [];
  for (const id of authEventIds) {
    const event = placed.get(id)?.event ?? ground.authEvents.get(id);
    if (event) authEvents.push(event);
    else missing.add(id);
  }
  return missing.size > 0
    ? { status: "missing", eventId, missing: [...missing] }
    : { authEvents, states };
}

function firstRefusal(...checks: (() => Verdict)[]): string | null {
  for (const check of checks) {
    const verdict = check();
    if (verdict !== "allowed") return verdict.rejected;
  }
  return null;
}
