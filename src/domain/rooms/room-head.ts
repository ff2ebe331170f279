import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { EventReference, RoomEvent } from "../../core/event.ts";
import { toRoomEvent as nameEvent } from "../../core/event-id.ts";
import { getRoomRules } from "../../core/room-version.ts";
import { stateKeyOf } from "../../core/state/state-map.ts";
import { escapeText } from "../../storage/json-text.ts";
import { REJECTED } from "../../storage/write.ts";
import { referenceTo } from "./event-reference.ts";
import { mapEvents, openEvents } from "./event-store.ts";
import { readHeadRow, readStateHeads } from "./head-reads.ts";
import type { StoredEvent } from "./stored-event.ts";
import type { RoomIdentity } from "./room-identity.ts";

/** An entry of a room's current state, as auth reads it. */
export interface StateEntry {
  nid: number;
  event: RoomEvent;
}

export interface Extremity {
  nid: number;
  eventId: string;
  depth: number;
  /** How an event cites it. */
  reference: EventReference;
}

export interface SnapshotInfo {
  snapshotId: number;
  hops: number;
  size: number;
  hash: Uint8Array;
}

/**
 * What a room's next event is built on, as far as this process knows. Its state
 * version is compared when a run commits, so a stale head loses and is read anew.
 */
export interface RoomHead {
  room: RoomIdentity;
  stateVersion: number | null;
  snapshot: SnapshotInfo | null;
  extremities: readonly Extremity[];
  /** Entries read so far; null: known to be absent. */
  state: Map<string, StateEntry | null>;
  /** Whether what is said there is sealed under a key of the day. */
  hasDailyKeys: boolean;
  /** The position up to which the head is known to be right. */
  seenTo: number;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** What an earlier head read of the state is kept where the state is still the same. */
export async function loadRoomHead(
  edges: Needs & Pick<Edges, "notifier">,
  roomNid: number,
  earlier?: RoomHead,
): Promise<RoomHead> {
  const seenTo = edges.notifier.position;
  const row = await readHeadRow(edges, roomNid);
  if (!row)
    throw new MatrixError("M_NOT_FOUND", "This room is not known here.");
  const room = {
    roomNid,
    roomId: row.roomId,
    rules: getRoomRules(row.roomVersion),
  };
  return {
    room,
    stateVersion: row.stateVersion,
    snapshot:
      row.snapshotId === null || row.snapshot === null
        ? null
        : { snapshotId: row.snapshotId, ...row.snapshot },
    extremities: await readExtremities(edges, room, row.extremities),
    state:
      earlier?.stateVersion === row.stateVersion ? earlier.state : new Map(),
    hasDailyKeys: row.hasDailyKeys,
    seenTo,
  };
}

/** The head of a room that is yet to be written. */
export const newRoomHead = (room: RoomIdentity): RoomHead => ({
  room,
  stateVersion: null,
  snapshot: null,
  extremities: [],
  state: new Map(),
  hasDailyKeys: false,
  seenTo: 0,
});

/** Only room versions that cite hashes need the events themselves. */
async function readExtremities(
  edges: Needs,
  { rules }: RoomIdentity,
  rows: readonly Omit<Extremity, "reference">[],
): Promise<Extremity[]> {
  if (rules.eventIdFormat !== "domain") {
    return rows.map((row) => ({ ...row, reference: row.eventId }));
  }
  const events = await mapEvents(
    edges,
    rows.map(({ nid }) => nid),
  );
  return rows.map((row) => ({
    ...row,
    reference: referenceTo(rules, events.get(row.nid)!),
  }));
}

/**
 * Whether nobody else has written in the room since the head was read, as far as
 * this process has heard. A head that is behind would make forks, and events
 * that stand too deep in the room's history.
 */
export function isHeadCurrent(
  { notifier }: Pick<Edges, "notifier">,
  head: RoomHead,
): boolean {
  if (notifier.touchesSince(head.room.roomNid, head.seenTo) !== 0) return false;
  head.seenTo = Math.max(head.seenTo, notifier.position);
  return true;
}

/** Reads the entries that the head does not hold yet, in one query. */
export async function readState(
  edges: Needs,
  head: RoomHead,
  places: Iterable<readonly [type: string, stateKey: string]>,
): Promise<void> {
  const missing = new Map<string, readonly [string, string]>();
  for (const [type, stateKey] of places) {
    const key = stateKeyOf(type, stateKey);
    if (!head.state.has(key)) missing.set(key, [type, stateKey]);
  }
  if (missing.size === 0) return;
  for (const key of missing.keys()) head.state.set(key, null);
  if (head.stateVersion === null) return;
  const heads = await readStateHeads(
    edges,
    head.room.roomNid,
    [...missing.values()].map(([type, key]) => ({
      type: escapeText(type),
      stateKey: escapeText(key),
    })),
  );
  for (const event of await openEvents(edges, heads)) {
    head.state.set(stateKeyOf(event.type, event.stateKey ?? ""), {
      nid: event.nid,
      event: toRoomEvent(event),
    });
  }
}

/** An entry that `readState` has read. */
export const stateAt = (
  head: RoomHead,
  type: string,
  stateKey: string,
): RoomEvent | undefined => head.state.get(stateKeyOf(type, stateKey))?.event;

export const toRoomEvent = (event: StoredEvent): RoomEvent => ({
  ...nameEvent(event.room.rules, event.pdu, event.eventId),
  roomId: event.room.roomId,
  isRejected: event.status === REJECTED,
});
