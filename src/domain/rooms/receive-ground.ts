import type { Edges } from "../../edges.ts";
import { selectAuthEvents } from "../../core/auth/select.ts";
import { type Pdu, referencedIds, type RoomEvent } from "../../core/event.ts";
import type { InspectedEvent } from "../../core/inspect-event.ts";
import { listRedacted } from "./redacted.ts";
import {
  type EventHead,
  listCurrentStateHeads,
  listEventHeads,
} from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import {
  listEventHeadsAnywhere,
  listExtremities,
  listFailedHeads,
  listRedactionHeads,
  listSnapshotHeads,
} from "../../storage/received.ts";
import { findRoomHead } from "../../storage/rooms.ts";
import { listSnapshots } from "../../storage/snapshots.ts";
import { ACCEPTED } from "../../storage/write.ts";
import { openEvents } from "./event-store.ts";
import { STRIPPED_TYPES } from "./invitation.ts";
import { listCited } from "./order-received.ts";
import { toRoomEvent } from "./room-head.ts";
import type { RoomIdentity } from "./room-identity.ts";
import { StateIndex } from "./state-index.ts";
import { keyOfHash, storedSet, type StateSet } from "./state-set.ts";
import { MAX_HOPS } from "./next-snapshot.ts";

/** An end of the room's graph, with the state after it. */
export interface Tip {
  nid: number;
  eventId: string;
  state: StateSet;
}

/** What a batch of received events meets in the room, read before any of them is judged. */
export interface Ground {
  room: RoomIdentity;
  stateVersion: number;
  /** Whether what is said there is sealed under a key of the day. */
  hasDailyKeys: boolean;
  current: StateSet;
  tips: readonly Tip[];
  /** The events themselves and all that they cite, as far as known, in any room. */
  heads: ReadonlyMap<string, EventHead>;
  /** Those of `heads` that are cited as auth events. */
  authEvents: ReadonlyMap<string, RoomEvent>;
  /** Stored states by snapshot id; equal ones are one. */
  states: Map<number, StateSet>;
  /** Whether the stored states were read whole. */
  areWhole: boolean;
  index: StateIndex;
  /** What stored events that failed cite, for those newer than some tip. */
  failed: ReadonlyMap<string, readonly string[]>;
  /** Stored redactions of the events. */
  redactions: readonly EventHead[];
}

export type GroundEdges = Pick<Edges, "db" | "keyring" | "memory">;

const MAX_FAILED = 2000;

const listPrev = (pdu: Pdu): string[] => referencedIds(pdu.prev_events);

/** Undefined for a room that this server is not in. */
export async function loadGround(
  edges: GroundEdges,
  room: RoomIdentity,
  events: readonly InspectedEvent[],
): Promise<Ground | undefined> {
  const { db } = edges;
  const { roomNid } = room;
  const head = await findRoomHead(db, roomNid);
  if (!head?.snapshot || head.snapshotId === null) return undefined;
  const { stateVersion, snapshotId } = head;
  const extremities = await listExtremities(db, roomNid);
  const heads = await readHeads(edges, room, events);
  const redactions = await listRedactionHeads(
    db,
    roomNid,
    events.map(({ eventId }) => eventId),
  );
  const prevIds = new Set(events.flatMap(({ pdu }) => listPrev(pdu)));
  const prevHeads = [...heads.values()].filter(
    (prev) => prev.roomNid === roomNid && prevIds.has(prev.eventId),
  );
  const ground: Ground = {
    room,
    stateVersion,
    hasDailyKeys: head.hasDailyKeys,
    current: storedSet({ snapshotId, ...head.snapshot }, new Set()),
    tips: [],
    heads,
    authEvents: await openAuthEvents(edges, events, heads),
    states: new Map(),
    areWhole: false,
    index: new StateIndex(),
    failed: await readFailed(edges, room, prevHeads, extremities),
    redactions,
  };
  await readStates(edges, ground, [
    ...extremities.map((row) => row.snapshotId),
    ...prevHeads.flatMap((prev) => snapshotAfter(prev) ?? []),
    ...redactions.flatMap((redaction) => redaction.snapshotId ?? []),
  ]);
  await readPlaces(edges, ground, events, events.length);
  return {
    ...ground,
    tips: extremities.map(({ nid, eventId, snapshotId: after }) => ({
      nid,
      eventId,
      state: ground.states.get(after)!,
    })),
  };
}

/** Where the graph goes on after an event; null for outliers. */
export const snapshotAfter = ({
  arrival,
  snapshotAfter: after,
  snapshotId,
}: EventHead): number | null =>
  arrival === null ? null : (after ?? snapshotId);

async function readHeads(
  { db }: GroundEdges,
  { rules }: RoomIdentity,
  events: readonly InspectedEvent[],
): Promise<Map<string, EventHead>> {
  const ids = events.flatMap(({ eventId, pdu }) => [
    eventId,
    ...listCited(pdu),
    ...listRedacted(rules, pdu),
  ]);
  const heads = await listEventHeadsAnywhere(db, [...new Set(ids)]);
  return new Map(heads.map((head) => [head.eventId, head]));
}

async function openAuthEvents(
  edges: GroundEdges,
  events: readonly InspectedEvent[],
  heads: ReadonlyMap<string, EventHead>,
): Promise<Map<string, RoomEvent>> {
  const cited = new Set(
    events.flatMap(({ pdu }) => referencedIds(pdu.auth_events)),
  );
  const known = [...cited].flatMap((eventId) => heads.get(eventId) ?? []);
  const opened = await openEvents(edges, known);
  return new Map(opened.map((event) => [event.eventId, toRoomEvent(event)]));
}

/** Only where a failed event is built on does it matter what failed events cite. */
async function readFailed(
  edges: GroundEdges,
  { roomNid }: RoomIdentity,
  cited: readonly EventHead[],
  extremities: readonly { position: number }[],
): Promise<Map<string, string[]>> {
  if (cited.every(({ status }) => status === ACCEPTED)) return new Map();
  const after = Math.min(...extremities.map(({ position }) => position));
  const heads = await listFailedHeads(edges.db, roomNid, after, MAX_FAILED);
  const opened = await openEvents(edges, heads);
  return new Map(opened.map(({ eventId, pdu }) => [eventId, listPrev(pdu)]));
}

/** The states that the batch builds on; whole only where they differ. */
async function readStates(
  edges: GroundEdges,
  ground: Ground,
  snapshotIds: readonly number[],
): Promise<void> {
  const { current, states } = ground;
  const currentId = current.snapshot.snapshotId;
  states.set(currentId, current);
  const others = new Set(snapshotIds);
  others.delete(currentId);
  const byKey = new Map([[current.key, current]]);
  for (const snapshot of await listSnapshotHeads(edges.db, [...others])) {
    const key = keyOfHash(snapshot.hash);
    const set = byKey.get(key) ?? storedSet(snapshot, new Set());
    byKey.set(key, set);
    states.set(snapshot.snapshotId, set);
  }
  if (byKey.size > 1) await readWhole(edges, ground);
}

/** Makes the stored states whole, and knows what differs between them. */
export async function readWhole(
  edges: GroundEdges,
  ground: Ground,
): Promise<void> {
  if (ground.areWhole) return;
  const { current, index } = ground;
  const sets = [...new Set(ground.states.values())];
  const nidsById = await listSnapshots(
    edges.db,
    sets.map(({ snapshot }) => snapshot.snapshotId),
  );
  const unequal = new Set<number>();
  const ofCurrent = nidsById.get(current.snapshot.snapshotId) ?? new Set();
  for (const set of sets) {
    const nids = nidsById.get(set.snapshot.snapshotId) ?? new Set();
    set.added = nids;
    for (const nid of nids) if (!ofCurrent.has(nid)) unequal.add(nid);
    for (const nid of ofCurrent) if (!nids.has(nid)) unequal.add(nid);
  }
  ground.areWhole = true;
  await readEntries(edges, index, unequal);
}

/** Reads state events by number, unless they are known. */
export async function readEntries(
  edges: GroundEdges,
  index: StateIndex,
  nids: Iterable<number>,
): Promise<void> {
  const missing = [...nids].filter((nid) => !index.has(nid));
  const heads = await listEventHeads(edges.db, missing);
  for (const event of await openEvents(edges, heads)) {
    index.add(event.nid, toRoomEvent(event));
  }
}

/** Current state wherever auth, redactions and invites will look. */
async function readPlaces(
  edges: GroundEdges,
  ground: Ground,
  events: readonly InspectedEvent[],
  growth: number,
): Promise<void> {
  const { current, index, room } = ground;
  const places = new Map<string, readonly [string, string]>();
  const want = (type: string, stateKey: string) => {
    const place = [escapeText(type), escapeText(stateKey)] as const;
    places.set(JSON.stringify(place), place);
  };
  want("m.room.create", "");
  want("m.room.power_levels", "");
  for (const { pdu } of events) {
    for (const [type, key] of selectAuthEvents(room.rules, pdu))
      want(type, key);
    if (pdu.state_key !== undefined) want(pdu.type, pdu.state_key);
    if (pdu.content["membership"] === "invite") {
      for (const type of STRIPPED_TYPES) want(type, "");
    }
  }
  const heads = await listCurrentStateHeads(edges.db, room.roomNid, [
    ...places.values(),
  ]);
  const nids = new Set(heads.map(({ nid }) => nid));
  if (!ground.areWhole) current.added = nids;
  for (const event of await openEvents(edges, heads)) {
    index.add(event.nid, toRoomEvent(event));
  }
  if (current.snapshot.hops + growth > MAX_HOPS) await readWhole(edges, ground);
}
