import { checkAuth } from "../../../src/core/auth/check.ts";
import { checkAuthEvents } from "../../../src/core/auth/check-auth-events.ts";
import { selectAuthEvents } from "../../../src/core/auth/select.ts";
import { toRoomEvent } from "../../../src/core/event-id.ts";
import type {
  EventReference,
  EventTemplate,
  RoomEvent,
} from "../../../src/core/event.ts";
import type { FinishedEvent } from "../../../src/core/finish-event.ts";
import { referenceHash } from "../../../src/core/hash.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { applyToState } from "../../../src/core/state/linear.ts";
import { resolveState } from "../../../src/core/state/resolve.ts";
import {
  stateKeyOf,
  type StateMap,
} from "../../../src/core/state/state-map.ts";
import { openEvents } from "../../../src/domain/rooms/event-store.ts";
import {
  getRoomIdentity,
  type RoomIdentity,
} from "../../../src/domain/rooms/room-identity.ts";
import type { Edges } from "../../../src/edges.ts";
import { listEventHeads } from "../../../src/storage/events.ts";
import { foreignKey, signForeign } from "../../support/foreign-server.ts";

export type Fate = "accepted" | "soft-failed" | "rejected";

export interface ForeignDraft {
  type?: string;
  sender: string;
  stateKey?: string;
  content?: JsonObject;
  /** The ends of the graph, unless given. */
  prev?: readonly string[];
  auth?: readonly string[];
  ts?: number;
  depth?: number;
  with?: JsonObject;
}

interface Node {
  event: RoomEvent;
  fate: Fate;
  before: StateMap;
  after: StateMap;
}

let counter = 0;

/**
 * A room as another server sees it: it makes events, and judges what it is told
 * of in the plainest way there is, to compare with.
 */
export class ForeignRoom {
  readonly room: RoomIdentity;
  readonly nodes = new Map<string, Node>();
  current: StateMap = new Map();

  constructor(room: RoomIdentity) {
    this.room = room;
  }

  /** All that this server has in the room, in its order. */
  static async read(
    edges: Pick<Edges, "db" | "keyring" | "memory">,
    roomId: string,
  ): Promise<ForeignRoom> {
    const room = await getRoomIdentity(edges, roomId);
    const rows = await edges.db<{ nid: number }[]>`
      select nid from events where room_nid = ${room.roomNid} and position is not null order by position`;
    const nids = rows.map(({ nid }) => nid);
    const heads = await listEventHeads(edges.db, nids);
    heads.sort((a, b) => nids.indexOf(a.nid) - nids.indexOf(b.nid));
    const read = new ForeignRoom(room);
    for (const { eventId, pdu } of await openEvents(edges, heads)) {
      read.arrive(toRoomEvent(room.rules, pdu, eventId));
    }
    return read;
  }

  readonly event = (eventId: string): RoomEvent | undefined =>
    this.nodes.get(eventId)?.event;

  readonly lookup =
    (state: StateMap) =>
    (type: string, stateKey: string): RoomEvent | undefined =>
      this.event(state.get(stateKeyOf(type, stateKey)) ?? "");

  stateAfter(eventIds: readonly string[]): StateMap {
    const { rules } = this.room;
    const states = eventIds.map((id) => this.nodes.get(id)!.after);
    return resolveState(rules, states, this.event);
  }

  /** Accepted events that no accepted event comes after. */
  get tips(): string[] {
    const behind = new Set<string>();
    const visit = (eventId: string): void => {
      for (const id of this.event(eventId)?.prevEventIds ?? []) {
        if (behind.has(id)) continue;
        behind.add(id);
        visit(id);
      }
    };
    const accepted = [...this.nodes].flatMap(([id, { fate }]) =>
      fate === "accepted" ? [id] : [],
    );
    accepted.forEach(visit);
    return accepted.filter((id) => !behind.has(id)).sort();
  }

  /** An event that is allowed where it stands, unless the draft says otherwise. */
  make(
    draft: ForeignDraft,
    key = foreignKey(serverOf(draft.sender)),
  ): FinishedEvent {
    const { roomId, rules } = this.room;
    const { type = "m.room.message", sender, content = {}, stateKey } = draft;
    const prev = draft.prev ?? this.tips;
    const place = stateKey === undefined ? {} : { state_key: stateKey };
    const state = this.stateAfter(prev);
    const auth =
      draft.auth ??
      selectAuthEvents(rules, { type, sender, content, ...place }).flatMap(
        ([ofType, ofKey]) => state.get(stateKeyOf(ofType, ofKey)) ?? [],
      );
    counter += 1;
    const depths = prev.map((id) => this.event(id)!.pdu.depth);
    const template: EventTemplate = {
      ...(rules.eventIdFormat === "domain"
        ? { event_id: `$${counter}:${serverOf(sender)}` }
        : {}),
      type,
      sender,
      room_id: roomId,
      content,
      ...place,
      origin_server_ts: draft.ts ?? 1_700_000_000_000 + counter,
      depth: draft.depth ?? Math.max(...depths) + 1,
      prev_events: prev.map((id) => this.refer(id)),
      auth_events: auth.map((id) => this.refer(id)),
      ...draft.with,
    };
    return signForeign(rules, template, key);
  }

  refer(eventId: string): EventReference {
    const { rules } = this.room;
    if (rules.eventIdFormat !== "domain") return eventId;
    const known = this.event(eventId);
    const hash = known ? referenceHash(rules, known.pdu) : "";
    return [eventId, { sha256: hash }];
  }

  /** What must become of an event that arrives now, all that it cites being here. */
  arrive(event: RoomEvent): Fate {
    const { rules } = this.room;
    const before = this.stateAfter(event.prevEventIds);
    const authEvents = event.authEventIds.map((id) => this.event(id)!);
    const create = this.lookup(this.current)("m.room.create", "");
    const cited = (type: string, stateKey: string) =>
      type === "m.room.create" && create
        ? create
        : authEvents.find(
            ({ pdu }) => pdu.type === type && pdu.state_key === stateKey,
          );
    const isRejected =
      checkAuthEvents(rules, event, authEvents) !== "allowed" ||
      checkAuth(rules, event, cited) !== "allowed" ||
      checkAuth(rules, event, this.lookup(before)) !== "allowed";
    const isSoftFailed =
      !isRejected &&
      checkAuth(rules, event, this.lookup(this.current)) !== "allowed";
    const fate = isRejected
      ? "rejected"
      : isSoftFailed
        ? "soft-failed"
        : "accepted";
    const judged = { ...event, isRejected };
    const after = applyToState(before, judged);
    this.nodes.set(event.eventId, { event: judged, fate, before, after });
    if (fate === "accepted") this.current = this.stateAfter(this.tips);
    return fate;
  }

  /** Makes an event that arrives here at once. */
  add(draft: ForeignDraft): FinishedEvent {
    const made = this.make(draft);
    this.arrive(toRoomEvent(this.room.rules, made.pdu, made.eventId));
    return made;
  }

  join(userId: string): FinishedEvent {
    return this.add({
      type: "m.room.member",
      sender: userId,
      stateKey: userId,
      content: { membership: "join" },
    });
  }
}

const serverOf = (userId: string): string =>
  userId.slice(userId.indexOf(":") + 1);
