import { checkAuth, type Verdict } from "../../src/core/auth/check.ts";
import { selectAuthEvents } from "../../src/core/auth/select.ts";
import type { Pdu, RoomEvent } from "../../src/core/event.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { getRoomRules, type RoomRules } from "../../src/core/room-version.ts";
import { applyToState } from "../../src/core/state/linear.ts";
import { stateKeyOf, type StateMap } from "../../src/core/state/state-map.ts";

export const alice = "@alice:a.example";
export const bob = "@bob:b.example";
export const carol = "@carol:c.example";
export const dave = "@dave:d.example";

export const VERSIONS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(String);

/** The versions from one to another, both included. */
export const versions = (from: number, to = 12): string[] =>
  VERSIONS.slice(from - 1, to);

export interface Draft {
  type: string;
  sender?: string;
  stateKey?: string;
  content?: JsonObject;
  prev?: string[];
  auth?: string[];
  ts?: number;
  depth?: number;
  redacts?: string;
  roomId?: string;
  eventId?: string;
  signedBy?: string[];
  isRejected?: boolean;
}

/** What the forks of one room share. */
interface Shared {
  rules: RoomRules;
  roomId: string;
  creator: string;
  events: Map<string, RoomEvent>;
  counter: number;
}

const serverOf = (userId: string): string =>
  userId.slice(userId.indexOf(":") + 1);

/** Builds a room event by event; every event added must be allowed where it stands. */
export class Room {
  readonly shared: Shared;
  state: StateMap;
  head: RoomEvent | undefined;

  constructor(shared: Shared, state: StateMap, head?: RoomEvent) {
    this.shared = shared;
    this.state = state;
    this.head = head;
  }

  /** Another branch that starts from here. */
  fork(): Room {
    return new Room(this.shared, this.state, this.head);
  }

  /** By id; what state resolution is given. */
  readonly event = (eventId: string): RoomEvent | undefined =>
    this.shared.events.get(eventId);

  readonly lookup = (type: string, stateKey: string): RoomEvent | undefined =>
    this.event(this.state.get(stateKeyOf(type, stateKey)) ?? "");

  get(type: string, stateKey = ""): RoomEvent {
    const found = this.lookup(type, stateKey);
    if (found === undefined) throw new Error(`no ${type} ${stateKey}`);
    return found;
  }

  /** An event on top of this branch, not yet part of it. */
  draft(draft: Draft): RoomEvent {
    const { shared, head } = this;
    const { rules } = shared;
    const number = ++shared.counter;
    const sender = draft.sender ?? shared.creator;
    const name = `$${String(number).padStart(4, "0")}`;
    const eventId =
      draft.eventId ??
      (rules.eventIdFormat === "domain" ? `${name}:${serverOf(sender)}` : name);
    const isCreate = draft.type === "m.room.create";
    const pdu: Pdu = {
      type: draft.type,
      sender,
      content: draft.content ?? {},
      origin_server_ts: draft.ts ?? number * 1000,
      depth: draft.depth ?? (head?.pdu.depth ?? 0) + 1,
      prev_events: [],
      auth_events: [],
      hashes: { sha256: "" },
      signatures: Object.fromEntries(
        (draft.signedBy ?? [serverOf(sender)]).map((server) => [
          server,
          { "ed25519:1": "c2lnbmF0dXJl" },
        ]),
      ),
    };
    if (draft.stateKey !== undefined) pdu.state_key = draft.stateKey;
    if (draft.redacts !== undefined) pdu.redacts = draft.redacts;
    if (!(isCreate && rules.roomIdFormat === "create-hash")) {
      pdu.room_id = draft.roomId ?? shared.roomId;
    }
    const auth =
      draft.auth ??
      selectAuthEvents(rules, pdu).flatMap(
        ([type, key]) => this.state.get(stateKeyOf(type, key)) ?? [],
      );
    const prev = draft.prev ?? (head === undefined ? [] : [head.eventId]);
    pdu.auth_events = auth;
    pdu.prev_events = prev;
    return {
      eventId,
      roomId: draft.roomId ?? shared.roomId,
      pdu,
      prevEventIds: prev,
      authEventIds: auth,
      isRejected: draft.isRejected ?? false,
    };
  }

  /** What the rules say of an event here. */
  check(draft: Draft): Verdict {
    return checkAuth(this.shared.rules, this.draft(draft), this.lookup);
  }

  /** Adds an event without asking the rules. */
  force(draft: Draft): RoomEvent {
    return this.append(this.draft(draft));
  }

  add(draft: Draft): RoomEvent {
    const event = this.draft(draft);
    const verdict = checkAuth(this.shared.rules, event, this.lookup);
    if (verdict !== "allowed") throw new Error(verdict.rejected);
    return this.append(event);
  }

  append(event: RoomEvent): RoomEvent {
    this.shared.events.set(event.eventId, event);
    this.state = applyToState(this.state, event);
    this.head = event;
    return event;
  }

  with(draft: Draft): this {
    this.add(draft);
    return this;
  }

  member(
    target: string,
    membership: string,
    sender = target,
    more: JsonObject = {},
  ): this {
    return this.with(memberDraft(target, membership, sender, more));
  }

  join(user: string): this {
    return this.member(user, "join");
  }

  leave(user: string): this {
    return this.member(user, "leave");
  }

  invite(user: string, by = this.shared.creator): this {
    return this.member(user, "invite", by);
  }

  kick(user: string, by = this.shared.creator): this {
    return this.member(user, "leave", by);
  }

  ban(user: string, by = this.shared.creator): this {
    return this.member(user, "ban", by);
  }

  powerLevels(content: JsonObject, by = this.shared.creator): this {
    return this.with(powerLevelsDraft(content, by));
  }

  joinRule(rule: string, by = this.shared.creator): this {
    return this.with({
      type: "m.room.join_rules",
      stateKey: "",
      sender: by,
      content: { join_rule: rule },
    });
  }

  topic(topic: string, by = this.shared.creator): this {
    return this.with(topicDraft(topic, by));
  }
}

export const memberDraft = (
  target: string,
  membership: string,
  sender = target,
  more: JsonObject = {},
): Draft => ({
  type: "m.room.member",
  stateKey: target,
  sender,
  content: { membership, ...more },
});

export const powerLevelsDraft = (content: JsonObject, by = alice): Draft => ({
  type: "m.room.power_levels",
  stateKey: "",
  sender: by,
  content,
});

export const topicDraft = (topic: string, by = alice): Draft => ({
  type: "m.room.topic",
  stateKey: "",
  sender: by,
  content: { topic },
});

/** Only the create event. */
export function emptyRoom(
  version: string,
  content: JsonObject = {},
  creator = alice,
): Room {
  const rules = getRoomRules(version);
  const isHash = rules.roomIdFormat === "create-hash";
  const room = new Room(
    {
      rules,
      roomId: isHash ? "!0001" : `!room:${serverOf(creator)}`,
      creator,
      events: new Map(),
      counter: 0,
    },
    new Map(),
  );
  return room.with({
    type: "m.room.create",
    stateKey: "",
    content: {
      room_version: version,
      ...(rules.authorization.creatorFromSender ? {} : { creator }),
      ...content,
    },
  });
}

/** A public room of Alice's, with power levels in which she alone has power. */
export const room = (version: string, content: JsonObject = {}): Room =>
  emptyRoom(version, content)
    .join(alice)
    .powerLevels(powers(version))
    .joinRule("public");

/** Content of power levels; the creator is listed where the version lists creators. */
export const powers = (
  version: string,
  users: Record<string, number> = {},
  more: JsonObject = {},
): JsonObject => ({
  users: {
    ...(getRoomRules(version).authorization.explicitlyPrivilegedCreators
      ? {}
      : { [alice]: 100 }),
    ...users,
  },
  ...more,
});
