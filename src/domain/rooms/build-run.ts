import type { Edges } from "../../edges.ts";
import { checkAuth, type StateLookup } from "../../core/auth/check.ts";
import { selectAuthEvents } from "../../core/auth/select.ts";
import { MatrixError } from "../../core/errors.ts";
import { finishEvent } from "../../core/finish-event.ts";
import type { JsonObject } from "../../core/json.ts";
import { stateKeyOf } from "../../core/state/state-map.ts";
import type { KeyHandle } from "../../storage/keyring.ts";
import {
  type EventRow,
  type MembershipRow,
  type SnapshotRow,
  type StateChangeRow,
  type WriteRows,
} from "../../storage/write.ts";
import { relationOf } from "./relation.ts";
import type { BuiltEvent, EventDraft, Proposal } from "./proposal.ts";
import type { Extremity, RoomHead, SnapshotInfo, StateEntry } from "./room-head.ts";
import { nextSnapshot } from "./next-snapshot.ts";

const MAX_DEPTH = Number.MAX_SAFE_INTEGER;

/** The growing end of a room while one run is built; the head stays untouched. */
export interface RunBuilder {
  head: RoomHead;
  stateVersion: number;
  snapshot: SnapshotInfo | null;
  tips: readonly Extremity[];
  changed: Map<string, StateEntry>;
  /** All current state events, read only where a full snapshot is due. */
  allNids: Set<number> | null;
  events: BuiltEvent[];
  rows: EventRow[];
  snapshots: SnapshotRow[];
  stateChanges: StateChangeRow[];
  memberships: MembershipRow[];
  extra: Partial<WriteRows>[];
}

export const startRun = (
  head: RoomHead,
  allNids: Set<number> | null,
): RunBuilder => ({
  head,
  stateVersion: head.stateVersion ?? 0,
  snapshot: head.snapshot,
  tips: head.extremities,
  changed: new Map(),
  allNids,
  events: [],
  rows: [],
  snapshots: [],
  stateChanges: [],
  memberships: [],
  extra: [],
});

export const lookupOf =
  (run: RunBuilder): StateLookup =>
  (type, stateKey) => entryAt(run, type, stateKey)?.event;

const entryAt = (run: RunBuilder, type: string, stateKey: string) => {
  const key = stateKeyOf(type, stateKey);
  return run.changed.get(key) ?? run.head.state.get(key) ?? undefined;
};

/** The places of current state that a draft's auth, and its own replacement, read. */
export function placesOf(head: RoomHead, proposal: Proposal): (readonly [string, string])[] {
  const { draft } = proposal;
  const places: (readonly [string, string])[] = [
    ["m.room.create", ""],
    ["m.room.power_levels", ""],
    ...selectAuthEvents(head.room.rules, authView(draft)),
    ...(proposal.reads ?? []),
  ];
  if (draft.stateKey !== undefined) places.push([draft.type, draft.stateKey]);
  return places;
}

/** What building needs and cannot take synchronously. */
export interface Supplies {
  takeNid(): number;
  keysOf(draft: EventDraft): KeyHandle[];
  now: number;
}

type Needs = Pick<Edges, "keyring" | "serverKey" | "settings">;

/** The event that stands where an unchanged state event would go, if it says the same. */
export function findUnchanged(run: RunBuilder, proposal: Proposal): string | undefined {
  const { draft, skipUnchanged } = proposal;
  if (!skipUnchanged || draft.stateKey === undefined) return undefined;
  const standing = entryAt(run, draft.type, draft.stateKey);
  const isSame =
    standing !== undefined &&
    standing.event.pdu.sender === draft.sender &&
    JSON.stringify(standing.event.pdu.content) === JSON.stringify(draft.content);
  return isSame ? standing.event.eventId : undefined;
}

/**
 * Builds one event on the run's end: auth events, auth against the state that it
 * meets, hashes, signature, sealing, rows. Throws `M_FORBIDDEN` where auth
 * refuses, leaving the run as it was.
 */
export function appendEvent(
  { keyring, serverKey, settings }: Needs,
  run: RunBuilder,
  proposal: Proposal,
  supplies: Supplies,
): void {
  const { draft, transaction } = proposal;
  const { room } = run.head;
  const { rules } = room;
  const state = lookupOf(run);
  const authEventIds = selectAuthEvents(rules, authView(draft)).flatMap(
    ([type, stateKey]) => state(type, stateKey)?.eventId ?? [],
  );
  const depth = Math.min(
    MAX_DEPTH,
    1 + run.tips.reduce((deepest, tip) => Math.max(deepest, tip.depth), 0),
  );
  const isRoomIdHash = rules.authorization.roomIdIsCreateHash;
  const originServerTs = draft.originServerTs ?? supplies.now;
  const finished = finishEvent(
    rules,
    {
      type: draft.type,
      sender: draft.sender,
      ...(isRoomIdHash && draft.type === "m.room.create" ? {} : { room_id: room.roomId }),
      ...(draft.stateKey === undefined ? {} : { state_key: draft.stateKey }),
      ...placeRedacts(draft, rules.redaction.redactsInContent),
      origin_server_ts: originServerTs,
      depth,
      prev_events: run.tips.map(({ eventId }) => eventId),
      auth_events: authEventIds,
    },
    { serverName: settings.serverName, ...serverKey },
  );
  const { eventId, pdu } = finished;
  const verdict = checkAuth(
    rules,
    {
      eventId,
      roomId: room.roomId,
      pdu,
      prevEventIds: run.tips.map((tip) => tip.eventId),
      authEventIds,
      isRejected: false,
    },
    state,
  );
  if (verdict !== "allowed") {
    throw new MatrixError("M_FORBIDDEN", `This is not allowed in the room: ${verdict.rejected}.`);
  }

  const nid = supplies.takeNid();
  const at = run.rows.length;
  const { relType, relatesTo, thread } = relationOf(pdu);
  const [first, second] = supplies.keysOf(draft);
  const row: EventRow = {
    nid,
    roomNid: room.roomNid,
    eventId,
    type: draft.type,
    stateKey: draft.stateKey ?? null,
    sender: draft.sender,
    depth,
    originServerTs,
    receivedTs: supplies.now,
    snapshotId: run.snapshot?.snapshotId ?? null,
    snapshotAfter: null,
    replacesNid: null,
    status: 0,
    refusal: null,
    isCountable: false,
    hasUrl: typeof draft.content["url"] === "string",
    deviceId: transaction?.deviceId ?? null,
    txnId: transaction?.txnId ?? null,
    redacts: draft.redacts ?? null,
    relType,
    relatesTo,
    thread,
    skeleton: finished.skeleton,
    content: finished.content === null || !first ? null : keyring.seal(finished.content, eventId, first, second),
    isOutlier: false,
  };
  const event: BuiltEvent = { nid, roomNid: room.roomNid, eventId, pdu };
  if (proposal.extra) run.extra.push(proposal.extra(event, at, state));
  if (draft.stateKey !== undefined) setState(run, row, draft.stateKey, draft.type, { ...event, authEventIds }, at, supplies);
  run.rows.push(row);
  run.events.push(event);
  run.tips = [{ nid, eventId, depth }];
}

function setState(
  run: RunBuilder,
  row: EventRow,
  stateKey: string,
  type: string,
  { nid, eventId, pdu, authEventIds }: BuiltEvent & { authEventIds: string[] },
  at: number,
  { takeNid }: Supplies,
): void {
  const { room } = run.head;
  const old = entryAt(run, type, stateKey)?.nid ?? null;
  const snapshot = nextSnapshot(run.snapshot, room.roomNid, takeNid(), nid, old, run.allNids);
  run.snapshots.push(snapshot);
  run.snapshot = snapshot;
  row.snapshotAfter = snapshot.snapshotId;
  row.replacesNid = old;
  run.stateVersion += 1;
  run.stateChanges.push({
    at,
    roomNid: room.roomNid,
    type: row.type,
    stateKey: row.stateKey ?? "",
    oldNid: old,
    newNid: nid,
  });
  run.changed.set(stateKeyOf(type, stateKey), {
    nid,
    event: {
      eventId,
      roomId: room.roomId,
      pdu,
      prevEventIds: run.tips.map((tip) => tip.eventId),
      authEventIds,
      isRejected: false,
    },
  });
  if (type === "m.room.member") {
    run.memberships.push({
      at,
      userId: stateKey,
      roomNid: room.roomNid,
      membership: pdu.content["membership"] as MembershipRow["membership"],
      sender: pdu.sender,
      nid,
    });
  }
}

const authView = (draft: EventDraft) => ({
  type: draft.type,
  sender: draft.sender,
  content: draft.content,
  ...(draft.stateKey === undefined ? {} : { state_key: draft.stateKey }),
});

function placeRedacts(draft: EventDraft, isInContent: boolean): { content: JsonObject; redacts?: string } {
  if (draft.redacts === undefined) return { content: draft.content };
  if (isInContent) return { content: { ...draft.content, redacts: draft.redacts } };
  return { content: draft.content, redacts: draft.redacts };
}

