import type { Edges } from "../../edges.ts";
import { checkAuth } from "../../core/auth/check.ts";
import { selectAuthEvents } from "../../core/auth/select.ts";
import { canonicalJsonAsReceived } from "../../core/canonical-json.ts";
import { listCitedMedia } from "../../core/cited-media.ts";
import { MatrixError } from "../../core/errors.ts";
import { referencedIds, type Pdu } from "../../core/event.ts";
import { finishEvent, type FinishedEvent } from "../../core/finish-event.ts";
import type { JsonObject } from "../../core/json.ts";
import { stateKeyOf } from "../../core/state/state-map.ts";
import {
  ACCEPTED,
  type EventRow,
  type MembershipRow,
} from "../../storage/write.ts";
import { referencesTo } from "../media/references.ts";
import { referenceTo } from "./event-reference.ts";
import { nextSnapshot } from "./next-snapshot.ts";
import type { BuiltEvent, EventDraft, Proposal } from "./proposal.ts";
import { relationOf } from "./relation.ts";
import type { RoomHead } from "./room-head.ts";
import { entryAt, lookupOf, type Run } from "./run.ts";

const MAX_DEPTH = Number.MAX_SAFE_INTEGER;

/** The same for a room that one is not in and for one that does not exist. */
export const notJoined = (): MatrixError =>
  new MatrixError("M_FORBIDDEN", "You are not joined to this room.");

/** The same for a stranger whom a room does not let in and for a room that does not exist. */
export const notLetIn = (): MatrixError =>
  new MatrixError(
    "M_FORBIDDEN",
    "This room does not let you in, or it is not known here.",
  );

/** The places of current state that a draft's auth, and its own replacement, read. */
export function placesOf(
  head: RoomHead,
  { draft, reads = [] }: Proposal,
): (readonly [type: string, stateKey: string])[] {
  const places: (readonly [string, string])[] = [
    ["m.room.create", ""],
    ["m.room.power_levels", ""],
    ...selectAuthEvents(head.room.rules, authView(draft)),
    ...reads,
  ];
  if (draft.stateKey !== undefined) places.push([draft.type, draft.stateKey]);
  return places;
}

/** What building needs and cannot take synchronously. */
export interface Supplies {
  takeNid(): number;
  now: number;
}

type Needs = Pick<Edges, "random" | "serverKey" | "settings">;

/** The event that stands where an unchanged state event would go, if it says the same. */
export function findUnchanged(
  run: Run,
  { draft, skipUnchanged }: Proposal,
): string | undefined {
  if (!skipUnchanged || draft.stateKey === undefined) return undefined;
  const standing = entryAt(run, draft.type, draft.stateKey);
  const isSame =
    standing !== undefined &&
    standing.event.pdu.sender === draft.sender &&
    canonicalJsonAsReceived(standing.event.pdu.content) ===
      canonicalJsonAsReceived(draft.content);
  return isSame ? standing.event.eventId : undefined;
}

/**
 * Builds one event on the run's end: auth events, auth against the state that it
 * meets, hashes, signature, rows. Throws `M_FORBIDDEN` where auth
 * refuses, leaving the run as it was.
 */
export function appendEvent(
  edges: Needs,
  run: Run,
  proposal: Proposal,
  supplies: Supplies,
): void {
  const { draft, transaction } = proposal;
  const { room } = run.head;
  const finished = finish(edges, run, draft, supplies.now);
  const { eventId, pdu } = finished;
  assertAllowed(run, finished);

  const nid = supplies.takeNid();
  const at = run.rows.length;
  const row: EventRow = {
    nid,
    roomNid: room.roomNid,
    eventId,
    type: draft.type,
    stateKey: draft.stateKey ?? null,
    sender: draft.sender,
    depth: pdu.depth,
    originServerTs: pdu.origin_server_ts,
    receivedTs: supplies.now,
    snapshotId: run.snapshot?.snapshotId ?? null,
    snapshotAfter: null,
    replacesNid: null,
    status: ACCEPTED,
    refusal: null,
    isCountable: false,
    hasUrl: typeof draft.content["url"] === "string",
    deviceId: transaction?.deviceId ?? proposal.deviceId ?? null,
    txnId: transaction?.txnId ?? null,
    redacts: draft.redacts ?? null,
    ...relationOf(pdu),
    skeleton: finished.skeleton,
    content: null,
    isOutlier: false,
  };
  const cited = listCitedMedia(draft.content, edges.settings.serverName);
  if (cited.length > 0) run.extra.push(referencesTo(cited, nid));
  const event: BuiltEvent = { nid, roomNid: room.roomNid, eventId, pdu };
  if (proposal.extra) run.extra.push(proposal.extra(event, at, lookupOf(run)));
  if (draft.stateKey !== undefined) {
    setState(run, row, draft.stateKey, event, at, supplies);
  }
  run.rows.push(row);
  if (finished.content !== null)
    run.unsealed.push({ row, draft, text: finished.content });
  run.events.push(event);
  run.tips = [
    {
      nid,
      eventId,
      depth: pdu.depth,
      reference: referenceTo(room.rules, event),
    },
  ];
}

function finish(
  { random, serverKey, settings }: Needs,
  run: Run,
  draft: EventDraft,
  now: number,
): FinishedEvent {
  const { roomId, rules } = run.head.room;
  const authEvents = selectAuthEvents(rules, authView(draft)).flatMap(
    ([type, stateKey]) => {
      const event = entryAt(run, type, stateKey)?.event;
      return event ? [referenceTo(rules, event)] : [];
    },
  );
  const isNamedByHash =
    rules.authorization.roomIdIsCreateHash && draft.type === "m.room.create";
  const { serverName } = settings;
  return finishEvent(
    rules,
    {
      ...(rules.eventIdFormat === "domain"
        ? { event_id: `$${random.letters(18)}:${serverName}` }
        : {}),
      type: draft.type,
      sender: draft.sender,
      ...(isNamedByHash ? {} : { room_id: roomId }),
      ...(draft.stateKey === undefined ? {} : { state_key: draft.stateKey }),
      ...placeRedacts(draft, rules.redaction.redactsInContent),
      origin_server_ts: draft.originServerTs ?? now,
      depth: Math.min(
        MAX_DEPTH,
        1 +
          run.tips.reduce((deepest, { depth }) => Math.max(deepest, depth), 0),
      ),
      prev_events: run.tips.map(({ reference }) => reference),
      auth_events: authEvents,
    },
    { serverName, ...serverKey },
  );
}

function assertAllowed(
  run: Run,
  { eventId, pdu }: { eventId: string; pdu: Pdu },
): void {
  const { roomId, rules } = run.head.room;
  const state = lookupOf(run);
  const verdict = checkAuth(rules, roomEventOf(roomId, eventId, pdu), state);
  if (verdict === "allowed") return;
  const membership = state("m.room.member", pdu.sender)?.pdu.content[
    "membership"
  ];
  const isOwn = pdu.type === "m.room.member" && pdu.state_key === pdu.sender;
  const isFirst = pdu.type === "m.room.create";
  if (membership !== "join" && !isOwn && !isFirst) throw notJoined();
  if (membership === undefined && isOwn) throw notLetIn();
  throw new MatrixError(
    "M_FORBIDDEN",
    `This is not allowed in the room: ${verdict.rejected}`,
  );
}

function setState(
  run: Run,
  row: EventRow,
  stateKey: string,
  { nid, eventId, pdu }: BuiltEvent,
  at: number,
  { takeNid }: Supplies,
): void {
  const { roomNid, roomId } = run.head.room;
  const { type } = row;
  const old = entryAt(run, type, stateKey)?.nid ?? null;
  const snapshot = nextSnapshot(
    run.snapshot,
    roomNid,
    takeNid(),
    nid,
    old,
    run.allNids,
  );
  run.snapshots.push(snapshot);
  run.snapshot = snapshot;
  row.snapshotAfter = snapshot.snapshotId;
  row.replacesNid = old;
  run.stateVersion += 1;
  run.stateChanges.push({
    at,
    roomNid,
    type,
    stateKey,
    oldNid: old,
    newNid: nid,
  });
  const event = roomEventOf(roomId, eventId, pdu);
  run.changed.set(stateKeyOf(type, stateKey), { nid, event });
  if (type === "m.room.member") {
    run.memberships.push({
      at,
      userId: stateKey,
      roomNid,
      membership: pdu.content["membership"] as MembershipRow["membership"],
      sender: pdu.sender,
      nid,
    });
  }
}

const roomEventOf = (roomId: string, eventId: string, pdu: Pdu) => ({
  eventId,
  roomId,
  pdu,
  prevEventIds: referencedIds(pdu.prev_events),
  authEventIds: referencedIds(pdu.auth_events),
  isRejected: false,
});

const authView = ({ type, sender, content, stateKey }: EventDraft) => ({
  type,
  sender,
  content,
  ...(stateKey === undefined ? {} : { state_key: stateKey }),
});

function placeRedacts(
  { content, redacts }: EventDraft,
  isInContent: boolean,
): { content: JsonObject; redacts?: string } {
  if (redacts === undefined) return { content };
  return isInContent
    ? { content: { ...content, redacts } }
    : { content, redacts };
}
