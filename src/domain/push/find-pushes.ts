import type { Edges } from "../../edges.ts";
import { parsePowerLevels, userPowerLevel } from "../../core/power-levels.ts";
import type { PushContext } from "../../core/push/conditions.ts";
import { defaultPushRules } from "../../core/push/default-rules.ts";
import { evaluatePushRules } from "../../core/push/evaluate.ts";
import { EventMatching } from "../../core/push/matching.ts";
import type { PushAction, PushRuleset } from "../../core/push/ruleset.ts";
import { asksForThreads } from "../../core/push/thread-rules.ts";
import {
  listNewEvents,
  listReaders,
  listStateVersions,
  type QueuedRow,
} from "../../storage/push-queue.ts";
import {
  listInvitedPushers,
  type RoomPusherRow,
} from "../../storage/pushers.ts";
import { mapIgnoredInviters } from "../accounts/ignored-inviters.ts";
import { openEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import { forgetBadge, noteUnread } from "./badges.ts";
import { readFollowers, threadOf } from "./followed-threads.ts";
import { readIgnoredBy } from "./ignored-by.ts";
import { judgeForAll, judgeForMentioned } from "./judge.ts";
import { mentionsIn } from "./mentions.ts";
import { readPushedRooms, type PushedRoom } from "./pushed-rooms.ts";
import { followRules, readRulesets } from "./rulesets.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;

export interface StreamRange {
  after: number;
  upTo: number;
}

const NO_ONE: PushedRoom = { stateVersion: -1, pushers: [], memberCount: 0 };

/**
 * What pushers of these shards are to be told of what rooms got in a part of the
 * stream. The number of queries does not depend on how many rooms, events or pushers
 * there are.
 */
export async function findPushes(
  edges: Needs,
  roomNids: readonly number[],
  range: StreamRange,
  shards: readonly number[],
): Promise<QueuedRow[]> {
  const { db } = edges;
  const [heads, readers, versions] = await Promise.all([
    listNewEvents(db, roomNids, range),
    listReaders(db, roomNids, shards, range),
    listStateVersions(db, roomNids),
  ]);
  for (const { userId } of readers) forgetBadge(edges, userId);
  const withNews = new Set(heads.map(({ roomNid }) => roomNid));
  const rooms = await readPushedRooms(
    edges,
    new Map([...versions].filter(([roomNid]) => withNews.has(roomNid))),
    shards,
  );
  const events = await openEvents(
    edges,
    heads.filter(
      ({ roomNid, type }) =>
        type === "m.room.member" || rooms.get(roomNid)?.pushers.length,
    ),
  );
  const invited = await findInvited(edges, events, shards);
  const pushers = [
    ...[...rooms.values()].flatMap((room) => room.pushers),
    ...[...invited.values()].flat(),
  ];
  const judge = await judgeFor(
    edges,
    pushers.map(({ userId }) => userId),
    events,
  );
  const rows = events.flatMap((event) => {
    const room = rooms.get(event.roomNid) ?? NO_ONE;
    noteEvent(edges, event, room);
    const targets = [
      ...listTargets(event, room),
      ...(invited.get(event.nid) ?? []),
    ];
    return targets.flatMap((pusher) => {
      const actions = judge(event, room, pusher.userId);
      if (!actions) return [];
      // An edit that nobody but the client can read is pushed to some, and never counted.
      if (isEncryptedEdit(event)) forgetBadge(edges, pusher.userId);
      else noteUnread(edges, pusher.userId, placeOf(event));
      return [rowOf(event, pusher, actions)];
    });
  });
  return [...rows, ...readers.map(countRow)];
}

/** Pushers of those who were in the room when the event came. */
const listTargets = (
  { position, sender }: StoredEvent,
  { pushers }: PushedRoom,
): RoomPusherRow[] =>
  pushers.filter(
    ({ since, userId }) => since < (position ?? 0) && userId !== sender,
  );

/** Pushers of those whom the events invite, and who hear of it, by event. */
async function findInvited(
  edges: Needs,
  events: readonly StoredEvent[],
  shards: readonly number[],
): Promise<Map<number, RoomPusherRow[]>> {
  const invites = events.filter(
    ({ type, pdu }) =>
      type === "m.room.member" && pdu.content["membership"] === "invite",
  );
  const positions = new Map(invites.map((e) => [e.nid, e.position ?? 0]));
  const found = new Map<number, RoomPusherRow[]>();
  const rows = await listInvitedPushers(
    edges.db,
    [...positions.keys()],
    shards,
  );
  const isIgnored = await mapIgnoredInviters(
    edges,
    rows.map(({ userId }) => userId),
  );
  const senderOf = new Map(invites.map(({ nid, sender }) => [nid, sender]));
  for (const { nid, ...pusher } of rows) {
    if (pusher.since >= positions.get(nid)!) continue;
    if (isIgnored(pusher.userId, senderOf.get(nid)!)) continue;
    found.set(nid, [...(found.get(nid) ?? []), pusher]);
  }
  return found;
}

/** Whoever speaks has read; what is redacted is unread no more. */
function noteEvent(edges: Needs, event: StoredEvent, room: PushedRoom): void {
  forgetBadge(edges, event.sender);
  if (event.type !== "m.room.redaction") return;
  for (const { userId } of room.pushers) forgetBadge(edges, userId);
}

type Judge = (
  event: StoredEvent,
  room: PushedRoom,
  userId: string,
) => readonly PushAction[] | undefined;

/**
 * What a user's push rules make of an event; undefined where that is nothing. The
 * default rules say the same to all whom an event does not mean in particular.
 */
async function judgeFor(
  edges: Needs,
  userIds: readonly string[],
  events: readonly StoredEvent[],
): Promise<Judge> {
  const users = new Set(userIds);
  followRules(edges);
  const [rulesets, ignored] = await Promise.all([
    readRulesets(edges, [...users]),
    readIgnoredBy(edges, users),
  ]);
  const askers = [...rulesets].filter(([, rules]) => asksForThreads(rules));
  const follows = await readFollowers(
    edges,
    askers.length > 0 ? events.map(threadOf) : [],
    askers.map(([userId]) => userId),
  );
  let last: { event: StoredEvent; verdicts: EventVerdicts } | undefined;
  return (event, room, userId) => {
    if (ignored.get(userId)?.has(event.sender)) return undefined;
    if (last?.event !== event)
      last = { event, verdicts: new EventVerdicts(event, room) };
    const { verdicts } = last;
    const ruleset = rulesets.get(userId);
    const { notify, actions } = ruleset
      ? verdicts.by(ruleset, userId, follows(userId, threadOf(event)))
      : verdicts.byDefault(userId);
    return notify ? actions : undefined;
  };
}

/** What push rules make of one event. */
class EventVerdicts {
  readonly #event: StoredEvent;
  readonly #context: Omit<PushContext, "userId">;
  readonly #mentioned: ReadonlySet<string>;
  readonly #matching = new EventMatching();
  #forAll: ReturnType<typeof judgeForAll> | undefined;
  #forMentioned: ReturnType<typeof judgeForMentioned> | undefined;

  constructor(event: StoredEvent, room: PushedRoom) {
    this.#event = event;
    this.#context = contextOf(event, room);
    this.#mentioned = new Set(mentionsIn(event.pdu));
  }

  by(ruleset: PushRuleset, userId: string, followsThread?: boolean) {
    const { eventId, room, pdu } = this.#event;
    const context = Object.create(this.#context, {
      userId: { value: userId },
      followsThread: { value: followsThread },
      matching: { value: this.#matching },
    }) as PushContext;
    return evaluatePushRules(
      ruleset,
      { eventId, roomId: room.roomId, pdu },
      context,
    );
  }

  byDefault(userId: string) {
    const event = this.#event;
    if (event.type === "m.room.member" && event.stateKey === userId)
      return this.by(defaultPushRules(userId), userId);
    if (!this.#mentioned.has(userId))
      return (this.#forAll ??= judgeForAll(event.room, event, this.#context));
    return (this.#forMentioned ??= judgeForMentioned(
      event.room,
      event,
      this.#context,
      userId,
    ));
  }
}

function contextOf(
  { pdu, room: { rules } }: StoredEvent,
  { create, powerLevels, memberCount }: PushedRoom,
): Omit<PushContext, "userId"> {
  return {
    memberCount,
    get senderPower() {
      return userPowerLevel(rules, create, powerLevels, pdu.sender);
    },
    get notificationLevels() {
      return parsePowerLevels(rules, powerLevels?.pdu.content).notifications;
    },
  };
}

const isEncryptedEdit = ({ type, relType }: StoredEvent): boolean =>
  type === "m.room.encrypted" && relType === "m.replace";

const placeOf = ({ roomNid, position }: StoredEvent) => ({
  roomNid,
  position: position ?? 0,
});

const rowOf = (
  { nid, roomNid, position, thread }: StoredEvent,
  { pusherId }: RoomPusherRow,
  actions: readonly PushAction[],
): QueuedRow => ({
  pusherId,
  position: position ?? 0,
  nid,
  roomNid,
  thread: thread ?? "main",
  actions: JSON.stringify(actions),
});

const countRow = ({
  pusherId,
  position,
  roomNid,
}: {
  pusherId: number;
  position: number;
  roomNid: number;
}): QueuedRow => ({
  pusherId,
  position,
  nid: null,
  roomNid,
  thread: "",
  actions: "[]",
});
