import type { Edges } from "../../edges.ts";
import type { StateLookup } from "../../core/auth/check.ts";
import { parsePowerLevels, userPowerLevel } from "../../core/power-levels.ts";
import type { PushContext } from "../../core/push/conditions.ts";
import { evaluatePushRules } from "../../core/push/evaluate.ts";
import { EventMatching } from "../../core/push/matching.ts";
import { listJoinedAmong } from "../../storage/push.ts";
import type { RoomRun, WriteRows } from "../../storage/write.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import type { BuiltEvent } from "../rooms/proposal.ts";
import { relationOf } from "../rooms/relation.ts";
import type { RoomIdentity } from "../rooms/room-identity.ts";
import { findThreads } from "../rooms/threads.ts";
import {
  readAudience,
  type Audience,
  type AudienceEdges,
  type Keyword,
} from "./audience.ts";
import {
  type Follows,
  readFollowers,
  type Thread,
} from "./followed-threads.ts";
import { judgeForAll, judgeForMentioned, type Verdict } from "./judge.ts";
import { mentionsIn } from "./mentions.ts";

export interface Assessment {
  /** By event: whether it notifies everyone whose rules are the default ones. */
  countable: boolean[];
  /** By event: the root of the thread in which it counts, null for the main timeline. */
  threads: (string | null)[];
  notifications: WriteRows["notifications"];
  /** For the room's run: the push rules that it was assessed by. */
  seen: Pick<RoomRun, "rulesSeen">;
}

type Needs = AudienceEdges & Pick<Edges, "settings">;

/** Stands for everybody whose rules are the default ones. */
const EVERYBODY = "";

/**
 * What a run's events mean for unread counts, before it commits. The default
 * rules are evaluated once, not for each member; rows are written for those
 * whom an event means in particular.
 */
export async function assessEvents(
  edges: Needs,
  room: RoomIdentity,
  events: readonly BuiltEvent[],
  state: StateLookup,
  stateVersion: number | null,
): Promise<Assessment> {
  const audience = await readAudience(edges, room, stateVersion);
  const mentioned = await readMentioned(edges, room, events);
  const followed = await readFollowed(edges, room, events, audience);
  const judged = events.map((event, at) => {
    const context = contextOf(room, event, state, audience);
    const verdict = judgeForAll(room, event, context);
    const rows = new Rows(event, verdict);
    if (verdict.highlight) rows.add(EVERYBODY, true, true);
    addMentioned(rows, room, event, context, mentioned, audience);
    const matching = new EventMatching();
    addKeywords(rows, event, verdict, audience, matching);
    const follows = followed[at];
    addEvaluated(rows, room, event, context, audience, { follows, matching });
    return { verdict, rows };
  });
  const threads = await threadsOf(
    edges,
    room,
    events,
    judged.map(({ rows, verdict }) => verdict.notify || rows.all.length > 0),
  );
  const { rulesSeen } = audience;
  return {
    seen: rulesSeen === undefined ? {} : { rulesSeen },
    countable: judged.map(({ verdict }) => verdict.notify),
    threads,
    notifications: judged.flatMap(({ rows }, at) =>
      rows.all.map((row) => ({
        ...row,
        at,
        roomNid: room.roomNid,
        thread: threads[at] ?? "main",
      })),
    ),
  };
}

/** The rows of one event, one for each user. */
class Rows {
  readonly #rows = new Map<
    string,
    Pick<
      WriteRows["notifications"][number],
      "userId" | "nid" | "isHighlight" | "isCounted"
    >
  >();
  readonly #event: BuiltEvent;
  readonly #verdict: Verdict;

  constructor(event: BuiltEvent, verdict: Verdict) {
    this.#event = event;
    this.#verdict = verdict;
  }

  /** Whoever has a row already keeps it: the more important rule was first. */
  add(userId: string, isHighlight: boolean, isCounted: boolean): void {
    if (this.#rows.has(userId)) return;
    const { nid } = this.#event;
    this.#rows.set(userId, { userId, nid, isHighlight, isCounted });
  }

  /** For those who have the running count: what it holds already needs no row. */
  addToCount(userId: string, isHighlight: boolean): void {
    const isCounted = this.#verdict.notify;
    if (isHighlight || !isCounted) this.add(userId, isHighlight, isCounted);
  }

  get all() {
    return [...this.#rows.values()];
  }
}

function contextOf(
  { rules }: RoomIdentity,
  { pdu }: BuiltEvent,
  state: StateLookup,
  { memberCount }: Audience,
): Omit<PushContext, "userId"> {
  const create = state("m.room.create", "");
  const levels = state("m.room.power_levels", "");
  return {
    memberCount,
    get senderPower() {
      return userPowerLevel(rules, create, levels, pdu.sender);
    },
    get notificationLevels() {
      return parsePowerLevels(rules, levels?.pdu.content).notifications;
    },
  };
}

/** Our joined members whom the events mention, in one query. */
async function readMentioned(
  { db, settings }: Needs,
  { roomNid }: RoomIdentity,
  events: readonly BuiltEvent[],
): Promise<ReadonlySet<string>> {
  const named = new Set(events.flatMap(({ pdu }) => mentionsIn(pdu)));
  const ours = [...named].filter(
    (userId) => !userId.includes("\0") && isLocalUser(settings, userId),
  );
  return new Set(await listJoinedAmong(db, roomNid, ours));
}

/** For each event who follows its thread, where that matters to anybody. */
async function readFollowed(
  edges: Needs,
  room: RoomIdentity,
  events: readonly BuiltEvent[],
  { followers }: Audience,
): Promise<((userId: string) => boolean | undefined)[]> {
  if (followers.length === 0) return [];
  const roots = await threadsOf(
    edges,
    room,
    events,
    events.map(() => true),
  );
  const threads = roots.map((root): Thread | undefined =>
    root === null ? undefined : { roomNid: room.roomNid, thread: root },
  );
  const follows: Follows = await readFollowers(edges, threads, followers);
  return threads.map((thread) => (userId) => follows(userId, thread));
}

function addMentioned(
  rows: Rows,
  room: RoomIdentity,
  event: BuiltEvent,
  context: Omit<PushContext, "userId">,
  members: ReadonlySet<string>,
  audience: Audience,
): void {
  const evaluated = new Set(audience.rows.map(({ userId }) => userId));
  const targets = mentionsIn(event.pdu).filter(
    (userId) => members.has(userId) && !evaluated.has(userId),
  );
  const [sample] = targets;
  if (sample === undefined) return;
  // The default rules say the same of all whom the event mentions.
  const { notify, highlight } = judgeForMentioned(room, event, context, sample);
  if (!notify) return;
  for (const userId of targets) rows.addToCount(userId, highlight);
}

function addKeywords(
  rows: Rows,
  { pdu }: BuiltEvent,
  verdict: Verdict,
  { keywords }: Audience,
  matching: EventMatching,
): void {
  const { body } = pdu.content;
  if (keywords.isEmpty || typeof body !== "string") return;
  if (!verdict.isOpenToContent) return;
  const first = new Map<string, Keyword>();
  // Who waits for what others wait for too is heard as long as one of them may cost more.
  const workFor = (waiting: readonly Keyword[]) => ({
    take: (steps: number) =>
      waiting.some(({ userId }) => matching.workFor(userId).take(steps)),
  });
  for (const keyword of keywords.find(body, matching.texts, workFor).flat()) {
    const known = first.get(keyword.userId);
    if (!known || keyword.rank < known.rank) first.set(keyword.userId, keyword);
  }
  for (const { userId, isHighlight } of first.values()) {
    if (userId !== pdu.sender) rows.addToCount(userId, isHighlight);
  }
}

function addEvaluated(
  rows: Rows,
  { roomId }: RoomIdentity,
  { eventId, pdu }: BuiltEvent,
  context: Omit<PushContext, "userId">,
  audience: Audience,
  {
    follows,
    matching,
  }: {
    follows: ((userId: string) => boolean | undefined) | undefined;
    matching: EventMatching;
  },
): void {
  const { senderPower, notificationLevels, memberCount } =
    audience.rows.length > 0 ? context : NO_CONTEXT;
  for (const { userId, ruleset } of audience.rows) {
    const { notify, highlight } = evaluatePushRules(
      ruleset,
      { eventId, roomId, pdu },
      {
        ...{ userId, senderPower, notificationLevels, memberCount },
        ...{ followsThread: follows?.(userId), matching },
      },
    );
    if (notify) rows.add(userId, highlight, false);
  }
}

const NO_CONTEXT = {
  senderPower: 0,
  memberCount: 0,
  notificationLevels: new Map<string, number>(),
};

/** Only of events that count somewhere it matters where. */
async function threadsOf(
  edges: Pick<Edges, "db">,
  { roomNid }: RoomIdentity,
  events: readonly BuiltEvent[],
  isCounted: readonly boolean[],
): Promise<(string | null)[]> {
  const relations = events.map(({ pdu }) => relationOf(pdu));
  const known = new Map(
    events.map(({ eventId }, i) => [eventId, relations[i]!]),
  );
  return findThreads(
    edges,
    roomNid,
    relations.map((relation, i) =>
      isCounted[i] ? relation : { ...relation, relatesTo: null },
    ),
    known,
  );
}
