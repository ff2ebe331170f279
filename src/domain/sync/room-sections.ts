import type { Edges } from "../../edges.ts";
import { selectEventFields } from "../../core/event-fields.ts";
import { matchesRooms } from "../../core/filter.ts";
import type { JsonObject } from "../../core/json.ts";
import { listChangedSummaries } from "../../storage/sync-changes.ts";
import { listTypingRooms } from "../../storage/sync-extras.ts";
import { readUnread } from "../push/unread.ts";
import type { RelationHints } from "../rooms/aggregations.ts";
import { mapEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import { presentEvents, type Shown } from "../rooms/present.ts";
import { hasReceiptOf, readEphemeral } from "./ephemeral.ts";
import { sentMembersOf } from "./lazy-members.ts";
import { writeRoomEntry } from "./room-entry.ts";
import type { RoomPlan, SyncPlan } from "./room-plan.ts";
import type { AnsweredRoom } from "./sync-answer.ts";
import { readStates, type StateNids } from "./room-states.ts";
import { readTimelines, type Timeline } from "./room-timelines.ts";
import { MOST_EVENTS_A_SYNC } from "./timeline-budget.ts";
import { readSummaries, type RoomSummary } from "./summary.ts";
import {
  allowsAccountData,
  allowsEvent,
  isRoomWanted,
  keepEphemeral,
} from "./sync-filter.ts";
import type { SyncRequest } from "./sync-request.ts";

export type SectionEdges = Pick<
  Edges,
  "db" | "keyring" | "memory" | "notifier" | "now" | "settings"
>;

export interface RoomSection extends AnsweredRoom {
  /** Nothing in it is worth waking a client for. */
  isEmpty: boolean;
}

const MEMBER = "m.room.member";

/** The most rooms that are read together. */
const ROOMS_AT_ONCE = 500;
/** Of more rooms, small parts: what is read of one is garbage before it has been moved about. */
const ROOMS_A_PART = 100;

/** Some of a sync's rooms, which are read together. */
export interface SyncPart {
  rooms: readonly RoomPlan[];
  mostEvents: number;
}

/** The rooms of a sync in parts, each of which takes a fixed number of queries. */
export function partsOf({ rooms }: SyncPlan): SyncPart[] {
  const parts: SyncPart[] = [];
  const size = rooms.length > ROOMS_AT_ONCE ? ROOMS_A_PART : ROOMS_AT_ONCE;
  for (let i = 0; i < rooms.length; i += size) {
    const some = rooms.slice(i, i + size);
    const share = some.length / rooms.length;
    const mostEvents = Math.ceil(MOST_EVENTS_A_SYNC * share);
    parts.push({ rooms: some, mostEvents });
  }
  return parts;
}

/** The `join` and `leave` entries of one part of a sync. */
export async function readRoomSections(
  edges: SectionEdges,
  request: SyncRequest,
  { rooms, mostEvents }: SyncPart,
  upTo: number,
  accountData: ReadonlyMap<number, string[]>,
  ignored: ReadonlySet<string>,
): Promise<RoomSection[]> {
  const { requester, filter, since, stateAfterName } = request;
  const { userId } = requester;
  const plans = rooms.filter(({ roomId }) => isRoomWanted(filter, roomId));
  const timelines = await readTimelines(
    edges,
    userId,
    plans,
    filter.room.timeline,
    ignored,
    mostEvents,
  );
  const joined = plans.filter(({ section }) => section === "join");
  const summaries = await readSummaries(
    edges,
    await listChangedSummaries(
      edges.db,
      joined.map((room) => (room.isNew ? { ...room, after: 0 } : room)),
    ),
    userId,
  );
  const states = await statesOf(edges, request, plans, timelines, summaries);
  const stateEvents = await mapEvents(
    edges,
    [...states.values()].flatMap((state) => [...state.values()]),
  );
  const joinedNids = joined.map(({ roomNid }) => roomNid);
  const unread = await readUnread(
    edges,
    requester,
    joinedNids,
    upTo,
    filter.room.timeline.unreadThreadNotifications,
    ignored,
  );
  const typingRooms = await listTypingRooms(
    edges.db,
    joined.map(({ roomNid, isNew }) => ({
      roomNid,
      afterMark: isNew ? 0 : (since?.mark ?? 0),
    })),
  );
  const ephemeral = await readEphemeral(
    edges,
    userId,
    joined,
    typingRooms,
    upTo,
    ignored,
  );

  const shownStates = plans.map((room) =>
    keptState(
      edges,
      request,
      room,
      timelines.get(room.roomNid)!,
      states.get(room.roomNid),
      stateEvents,
    ),
  );
  const texts = await presentAll(
    edges,
    request,
    [
      ...plans.map(({ roomNid }) => timelines.get(roomNid)!.events),
      ...shownStates.map((events) =>
        events.map((event) => ({ event, membership: undefined })),
      ),
    ],
    { ...parentsIn([...timelines.values()]), ignored },
  );

  const sections: RoomSection[] = [];
  for (const [i, room] of plans.entries()) {
    const timeline = timelines.get(room.roomNid)!;
    const timelineTexts = texts[i]!;
    const stateTexts = texts[plans.length + i]!;
    const data = accountData.get(room.roomNid) ?? [];
    const dataTexts = matchesRooms(filter.room.accountData, room.roomId)
      ? data.filter((text) => allowsAccountData(filter.room.accountData, text))
      : [];
    const allEphemeral = ephemeral.get(room.roomNid) ?? [];
    const ephemeralEvents = keepEphemeral(filter, room.roomId, allEphemeral);
    const text = writeRoomEntry({
      timeline: timelineTexts,
      isLimited: timeline.isLimited,
      prevBatch: timeline.prevBatch,
      stateName: stateAfterName ?? "state",
      state: stateTexts,
      accountData: dataTexts,
      joined:
        room.section === "join"
          ? {
              ephemeral: ephemeralEvents,
              summary: summaries.get(room.roomNid),
              unread: unread.get(room.roomNid),
              byThread: filter.room.timeline.unreadThreadNotifications,
            }
          : null,
    });
    const isEmpty =
      timelineTexts.length === 0 &&
      stateTexts.length === 0 &&
      ephemeralEvents.length === 0 &&
      // What the user has read changes the counts, whatever a filter hides.
      !hasReceiptOf(userId, allEphemeral) &&
      dataTexts.length === 0 &&
      !room.isNew &&
      room.section === "join";
    sections.push({
      section: room.section,
      roomId: room.roomId,
      text,
      isEmpty,
    });
  }
  return sections;
}

/** Lists of events as JSON text, all of them presented with the same few queries. */
async function presentAll(
  edges: SectionEdges,
  { requester, filter }: SyncRequest,
  lists: readonly (readonly Shown[])[],
  hints: RelationHints,
): Promise<string[][]> {
  const { eventFields } = filter;
  const all = await presentEvents(
    edges,
    requester,
    lists.flat(),
    { withRoomId: false, format: filter.eventFormat },
    hints,
  );
  const texts = eventFields
    ? all.map((text) => {
        const event = JSON.parse(text) as JsonObject;
        return JSON.stringify(selectEventFields(event, eventFields));
      })
    : all;
  let taken = 0;
  return lists.map(({ length }) => texts.slice(taken, (taken += length)));
}

/** Of timelines that leave nothing out, it is known what has relations. */
function parentsIn(timelines: readonly Timeline[]): RelationHints {
  const parents = new Set<string>();
  for (const timeline of timelines) {
    if (timeline.parents === null) return {};
    for (const eventId of timeline.parents) parents.add(eventId);
  }
  return { parents };
}

async function statesOf(
  edges: SectionEdges,
  { requester, filter, stateAfterName }: SyncRequest,
  plans: readonly RoomPlan[],
  timelines: ReadonlyMap<number, Timeline>,
  summaries: ReadonlyMap<number, RoomSummary>,
): Promise<Map<number, StateNids>> {
  const members = filter.room.state.lazyLoadMembers
    ? new Map(
        plans.map(({ roomNid, isNew }) => {
          const wanted = new Set(summaries.get(roomNid)?.["m.heroes"]);
          for (const { event } of timelines.get(roomNid)!.events) {
            wanted.add(event.sender);
          }
          if (isNew) wanted.add(requester.userId);
          return [roomNid, wanted];
        }),
      )
    : null;
  const requests = plans.flatMap((plan) => {
    const { stateUpTo } = plan;
    if (stateUpTo === null) return [];
    const { events, startsAfter } = timelines.get(plan.roomNid)!;
    const upTo = Math.min(plan.upTo, stateUpTo);
    const at = stateAfterName ? upTo : Math.min(startsAfter, upTo);
    const shown = new Set(events.map(({ event }) => event.nid));
    return [{ plan, at, upTo, shown }];
  });
  return readStates(edges, requests, members);
}

/** The state events that the filter lets through and that the device has not been sent. */
function keptState(
  edges: SectionEdges,
  { requester, filter, since }: SyncRequest,
  room: RoomPlan,
  timeline: Timeline,
  state: StateNids | undefined,
  events: ReadonlyMap<number, StoredEvent>,
): StoredEvent[] {
  const all = [...(state?.values() ?? [])].flatMap(
    (nid) => events.get(nid) ?? [],
  );
  const allowed = all.filter((event) => allowsEvent(filter.room.state, event));
  if (!filter.room.state.lazyLoadMembers) return allowed;
  const sent = sentMembersOf(edges, requester, room, since);
  const kept = filter.room.state.includeRedundantMembers
    ? allowed
    : allowed.filter(
        ({ type, stateKey, nid }) =>
          type !== MEMBER || !sent.isSent(stateKey ?? "", nid),
      );
  const shown = [...kept, ...timeline.events.map(({ event }) => event)];
  sent.add(
    shown.flatMap(({ type, stateKey, nid }) =>
      type === MEMBER && stateKey !== null ? [[stateKey, nid] as const] : [],
    ),
  );
  return kept;
}
