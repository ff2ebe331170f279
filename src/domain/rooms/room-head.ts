import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { RoomEvent } from "../../core/event.ts";
import { getRoomRules } from "../../core/room-version.ts";
import { stateKeyOf } from "../../core/state/state-map.ts";
import { listCurrentStateHeads } from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import { findRoomHead } from "../../storage/rooms.ts";
import { openEvents, type StoredEvent } from "./event-store.ts";
import type { RoomIdentity } from "./room-identity.ts";
import { referencedIds } from "../../core/event.ts";

/** An entry of a room's current state, as auth reads it. */
export interface StateEntry {
  nid: number;
  event: RoomEvent;
}

export interface Extremity {
  nid: number;
  eventId: string;
  depth: number;
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
}

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

export async function loadRoomHead(
  { db }: Needs,
  roomNid: number,
): Promise<RoomHead> {
  const row = await findRoomHead(db, roomNid);
  if (!row) throw new MatrixError("M_NOT_FOUND", "This room is not known here.");
  return {
    room: {
      roomNid,
      roomId: row.roomId,
      rules: getRoomRules(row.roomVersion),
    },
    stateVersion: row.stateVersion,
    snapshot:
      row.snapshotId === null || row.snapshot === null
        ? null
        : { snapshotId: row.snapshotId, ...row.snapshot },
    extremities: row.extremities,
    state: new Map(),
  };
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
  const heads = await listCurrentStateHeads(
    edges.db,
    head.room.roomNid,
    [...missing.values()].map(
      ([type, key]) => [escapeText(type), escapeText(key)] as const,
    ),
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

export function toRoomEvent(event: StoredEvent): RoomEvent {
  return {
    eventId: event.eventId,
    roomId: event.room.roomId,
    pdu: event.pdu,
    prevEventIds: referencedIds(event.pdu.prev_events),
    authEventIds: referencedIds(event.pdu.auth_events),
    isRejected: event.status === 2,
  };
}
