import { clampDepth } from "../../core/event-format.ts";
import type { RoomEvent } from "../../core/event.ts";
import type { InspectedEvent } from "../../core/inspect-event.ts";
import { toRoomEvent } from "../../core/event-id.ts";
import {
  ACCEPTED,
  type EventRow,
  type EventStatus,
  type MembershipRow,
  REJECTED,
  type SnapshotRow,
  type StateChangeRow,
} from "../../storage/write.ts";
import { snapshotAfter, type Ground, type Tip } from "./receive-ground.ts";
import { listRedacted } from "./redacted.ts";
import { relationOf } from "./relation.ts";
import {
  changedSet,
  differenceOf,
  hashAfter,
  keyOfHash,
  type StateSet,
} from "./state-set.ts";

/** A received event that has its place in the room. */
export interface Placed {
  nid: number;
  event: RoomEvent;
  status: EventStatus;
  refusal: string | null;
  before: StateSet;
  /** The same as `before`, unless it is a state event that passed auth. */
  after: StateSet;
}

/** The room while a batch of received events is placed in it. */
export interface ReceiveRun {
  ground: Ground;
  current: StateSet;
  tips: Map<string, Tip>;
  placed: Map<string, Placed>;
  rows: EventRow[];
  snapshots: SnapshotRow[];
  /** States that this run made, by key. */
  made: Map<string, StateSet>;
  stateChanges: StateChangeRow[];
  memberships: MembershipRow[];
  placedOutliers: { nid: number }[];
  takeNid(): number;
}

export const startReceiving = (
  ground: Ground,
  takeNid: () => number,
): ReceiveRun => ({
  ground,
  current: ground.current,
  tips: new Map(ground.tips.map((tip) => [tip.eventId, tip])),
  placed: new Map(),
  rows: [],
  snapshots: [],
  made: new Map(),
  stateChanges: [],
  memberships: [],
  placedOutliers: [],
  takeNid,
});

/** A state that differs from another; equal ones are one. */
export function derive(
  run: ReceiveRun,
  base: StateSet,
  added: ReadonlySet<number>,
  removed: ReadonlySet<number>,
): StateSet {
  const { room, states } = run.ground;
  const key = keyOfHash(hashAfter(base, added, removed));
  const known =
    run.made.get(key) ?? [...states.values()].find((set) => set.key === key);
  if (known) return known;
  const { set, row } = changedSet(
    base,
    room.roomNid,
    run.takeNid(),
    added,
    removed,
  );
  run.made.set(key, set);
  run.snapshots.push(row);
  return set;
}

/** The state after an event that the room knows; undefined for one that it does not. */
export function findStateAfter(
  { ground, placed }: ReceiveRun,
  eventId: string,
): StateSet | undefined {
  const here = placed.get(eventId);
  if (here) return here.after;
  const head = ground.heads.get(eventId);
  if (head?.roomNid !== ground.room.roomNid) return undefined;
  const snapshotId = snapshotAfter(head);
  return snapshotId === null ? undefined : ground.states.get(snapshotId);
}

/** Gives an event its row and, where it passed auth, its part in the state after it. */
export function placeEvent(
  run: ReceiveRun,
  inspected: InspectedEvent,
  judged: { status: EventStatus; refusal: string | null; before: StateSet },
  now: number,
): Placed {
  const { ground, takeNid } = run;
  const { room, index } = ground;
  const { eventId, pdu, skeleton } = inspected;
  const { status, refusal, before } = judged;
  const outlier = ground.heads.get(eventId);
  const nid = outlier?.nid ?? takeNid();
  if (outlier) run.placedOutliers.push({ nid });
  const event = toRoomEvent(room.rules, pdu, eventId, status === REJECTED);
  const { type, state_key: stateKey } = pdu;
  let after = before;
  let replaced: number | undefined;
  if (stateKey !== undefined && status !== REJECTED) {
    replaced = index.at(before, type, stateKey)?.nid;
    index.add(nid, event);
    const removed = new Set(replaced === undefined ? [] : [replaced]);
    after = derive(run, before, new Set([nid]), removed);
  }
  const placed: Placed = { nid, event, status, refusal, before, after };
  run.placed.set(eventId, placed);
  run.rows.push({
    nid,
    roomNid: room.roomNid,
    eventId,
    type,
    stateKey: stateKey ?? null,
    sender: pdu.sender,
    depth: clampDepth(pdu.depth),
    originServerTs: clampTime(pdu.origin_server_ts),
    receivedTs: now,
    snapshotId: before.snapshot.snapshotId,
    snapshotAfter: after === before ? null : after.snapshot.snapshotId,
    replacesNid: replaced ?? null,
    status,
    refusal,
    isCountable: false,
    hasUrl: typeof pdu.content["url"] === "string",
    deviceId: null,
    txnId: null,
    redacts: listRedacted(room.rules, pdu)[0] ?? null,
    ...relationOf(pdu),
    skeleton,
    content: null,
    isOutlier: false,
  });
  return placed;
}

/** Others write any number there; none orders anything. */
export const clampTime = (ts: number): number =>
  Math.max(
    -Number.MAX_SAFE_INTEGER,
    Math.min(Number.MAX_SAFE_INTEGER, Math.trunc(ts)),
  );

/** Makes an accepted event an end of the graph instead of those that lie behind it. */
export function moveTips(run: ReceiveRun, { nid, event, after }: Placed): void {
  const { ground, placed, tips } = run;
  const seen = new Set<string>();
  const pending = [...event.prevEventIds];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    tips.delete(next);
    // What failed was never an end, so what lies behind it may be one still.
    const here = placed.get(next);
    if (here && here.status !== ACCEPTED) {
      pending.push(...here.event.prevEventIds);
    } else {
      pending.push(...(ground.failed.get(next) ?? []));
    }
  }
  const { eventId } = event;
  tips.set(eventId, { nid, eventId, state: after });
}

/** Replaces current state, noting what changed at the place of the last event. */
export function moveCurrent(run: ReceiveRun, next: StateSet): void {
  const { current, ground } = run;
  if (next.key === current.key) return;
  const { added, removed } =
    next.base === current ? next : differenceOf(current, next);
  run.current = next;
  const at = run.rows.length - 1;
  const { roomNid } = ground.room;
  const changes = new Map<string, StateChangeRow>();
  const changeAt = (nid: number): StateChangeRow => {
    const { type, state_key: stateKey = "" } = ground.index.get(nid).pdu;
    const place = JSON.stringify([type, stateKey]);
    const known = changes.get(place);
    if (known) return known;
    const change = { at, roomNid, type, stateKey, oldNid: null, newNid: null };
    changes.set(place, change);
    return change;
  };
  for (const nid of removed) changeAt(nid).oldNid = nid;
  for (const nid of added) changeAt(nid).newNid = nid;
  for (const change of changes.values()) {
    run.stateChanges.push(change);
    if (change.type === "m.room.member") addMembership(run, change);
  }
}

function addMembership(
  { ground: { index }, memberships }: ReceiveRun,
  { at, roomNid, stateKey: userId, oldNid, newNid }: StateChangeRow,
): void {
  const nid = (newNid ?? oldNid)!;
  const { content, sender } = index.get(nid).pdu;
  // Whose membership was resolved away is as one who never came.
  const membership = newNid === null ? "leave" : content["membership"];
  memberships.push({
    at,
    userId,
    roomNid,
    membership: membership as MembershipRow["membership"],
    sender,
    nid,
  });
}
