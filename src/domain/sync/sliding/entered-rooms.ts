import type { Edges } from "../../../edges.ts";
import type { EventHead } from "../../../storage/events.ts";
import {
  listRoomsReadOn,
  listStatePlaces,
} from "../../../storage/sliding-rooms.ts";
import { listMemberCounts } from "../../../storage/sync-changes.ts";
import { groupBy } from "../../../util/group-by.ts";
import type { Requester } from "../../accounts/requester.ts";
import type { RelationHints } from "../../rooms/aggregations.ts";
import { mapEvents, openEvents } from "../../rooms/event-store.ts";
import {
  findLeavingPosition,
  readStandings,
  type Standing,
} from "../../rooms/gate.ts";
import { formatPositionToken } from "../../rooms/paging-token.ts";
import { presentEvents } from "../../rooms/present.ts";
import type { StoredEvent } from "../../rooms/stored-event.ts";
import { MOST_EVENTS_A_SYNC } from "../timeline-budget.ts";
import { parentsAmong } from "../parents-among.ts";
import type { UserView } from "../user-view.ts";
import { readDescriptions, type Description } from "./descriptions.ts";
import type { EnteredRoom, ShownTimeline } from "./entered-room.ts";
import { knownAfter } from "./known-after.ts";
import { type RoomResult, writeRoomEntry } from "./room-result.ts";
import type { RoomTask } from "./room-tasks.ts";
import {
  haveMembersChanged,
  listChanges,
  neededMembers,
  type RoomState,
  stateOf,
  wantedPlaces,
} from "./room-states.ts";
import { listHeads, showTimeline, withErasures } from "./timelines.ts";
import { readUnreadOnce } from "./unread-once.ts";

type Needs = Pick<
  Edges,
  "db" | "keyring" | "memory" | "notifier" | "now" | "settings"
>;

/** Rooms that the user is or was in, with the same few queries however many they are. */
export async function readEnteredRooms(
  edges: Needs,
  requester: Requester,
  view: UserView,
  tasks: readonly RoomTask[],
  since: number,
): Promise<RoomResult[]> {
  if (tasks.length === 0) return [];
  const { db } = edges;
  const { userId } = requester;
  const { upTo, ignored } = view;
  const reading = readStandings(
    edges,
    userId,
    tasks.map(({ room }) => room.standing.roomNid),
  );
  const hasLeft = tasks.some(({ room }) => room.kind === "left");
  const rooms = enter(tasks, hasLeft ? await reading : new Map(), upTo);
  const joined = rooms.filter(({ task }) => task.room.kind === "join");
  const [standings, { heads, cut }, changes, unread, readOn] =
    await Promise.all([
      reading,
      listHeads(db, rooms),
      listChanges(db, rooms),
      readUnreadOnce(
        edges,
        userId,
        joined.map(({ roomNid }) => roomNid),
        upTo,
        ignored,
      ),
      listRoomsReadOn(
        db,
        userId,
        joined.flatMap(({ task, roomNid }) =>
          task.sent && task.isTouched ? { roomNid, after: task.after } : [],
        ),
        upTo,
      ),
    ]);
  const newest = groupBy(
    await openEvents(edges, heads),
    ({ roomNid }) => roomNid,
  );
  const needed = new Map(
    rooms.map((room) => [
      room.roomNid,
      neededMembers(room, newest.get(room.roomNid) ?? []),
    ]),
  );
  const counted = joined.filter((room) => haveMembersChanged(room, changes));
  const [whole, current, counts] = await Promise.all([
    withErasures(db, standings, heads),
    listStatePlaces(db, wantedPlaces(rooms, needed, changes)),
    listMemberCounts(
      db,
      counted.map(({ roomNid }) => roomNid),
    ),
  ]);
  const places = groupBy(current, ({ roomNid }) => roomNid);
  const timelines = new Map<number, ShownTimeline>();
  const states = new Map<number, RoomState>();
  for (const room of rooms) {
    const { roomNid } = room;
    const timeline = showTimeline(
      room,
      userId,
      newest.get(roomNid) ?? [],
      whole.get(roomNid),
      { cut, ignored },
    );
    timelines.set(roomNid, timeline);
    const state = stateOf(
      room,
      userId,
      places.get(roomNid) ?? [],
      changes.get(roomNid) ?? [],
      { needed: needed.get(roomNid)!, isLimited: timeline.isLimited },
    );
    states.set(roomNid, state);
  }
  const events = await openTold(edges, states.values(), current);
  const descriptions = await readDescriptions(
    edges,
    userId,
    rooms,
    states,
    events,
    new Map(counts.map((row) => [row.roomNid, row])),
  );
  const parents = parentsAmong(edges, [...newest.values()].flat());
  const texts = await presentAll(
    edges,
    requester,
    rooms,
    timelines,
    states,
    events,
    // Timelines leave nothing out.
    { parents: new Set(parents), ignored },
  );
  const hasReadOn = new Set(readOn);
  return rooms.map((room, i) => {
    const { roomNid } = room;
    const timeline = timelines.get(roomNid)!;
    const state = states.get(roomNid)!;
    return resultOf(room, {
      timeline,
      state,
      description: descriptions.get(roomNid),
      counts: unread.get(roomNid)?.room,
      hasReadOn: hasReadOn.has(roomNid),
      timelineTexts: texts[2 * i]!,
      stateTexts: texts[2 * i + 1]!,
      since,
    });
  });
}

function enter(
  tasks: readonly RoomTask[],
  histories: ReadonlyMap<number, Standing>,
  upTo: number,
): EnteredRoom[] {
  const share = Math.max(1, Math.floor(MOST_EVENTS_A_SYNC / tasks.length));
  return tasks.map((task): EnteredRoom => {
    const { kind, standing } = task.room;
    const { roomNid, position } = standing;
    const hasLeft = kind === "left";
    return {
      task,
      roomNid,
      upTo: hasLeft ? Math.min(position, upTo) : upTo,
      stateAt: hasLeft
        ? (findLeavingPosition(histories.get(roomNid)) ?? null)
        : upTo,
      limit: Math.min(task.config.timelineLimit, share),
    };
  });
}

/** The state events that are told or looked into; most heads of them are there. */
async function openTold(
  edges: Needs,
  states: Iterable<RoomState>,
  current: readonly EventHead[],
): Promise<Map<number, StoredEvent>> {
  const wanted = new Set<number>();
  for (const { told, name, avatar, nameNow } of states) {
    for (const nid of [
      ...told.map((entry) => entry.nid),
      name,
      avatar,
      nameNow,
    ])
      if (typeof nid === "number") wanted.add(nid);
  }
  const heads = current.filter(({ nid }) => wanted.delete(nid));
  const opened = await openEvents(edges, heads);
  const others = await mapEvents(edges, wanted);
  return new Map([
    ...opened.map((event) => [event.nid, event] as const),
    ...others,
  ]);
}

/** Timelines and states by turns as JSON text, all of them presented with the same few queries. */
async function presentAll(
  edges: Needs,
  requester: Requester,
  rooms: readonly EnteredRoom[],
  timelines: ReadonlyMap<number, ShownTimeline>,
  states: ReadonlyMap<number, RoomState>,
  events: ReadonlyMap<number, StoredEvent>,
  hints: RelationHints,
): Promise<string[][]> {
  const lists = rooms.flatMap(({ roomNid }) => [
    timelines.get(roomNid)!.events,
    states
      .get(roomNid)!
      .told.flatMap(({ nid }) => events.get(nid ?? -1) ?? [])
      .map((event) => ({ event, membership: undefined })),
  ]);
  const texts = await presentEvents(
    edges,
    requester,
    lists.flat(),
    { withRoomId: false },
    hints,
  );
  let taken = 0;
  return lists.map(({ length }) => texts.slice(taken, (taken += length)));
}

function resultOf(
  room: EnteredRoom,
  {
    timeline,
    state,
    description,
    counts,
    hasReadOn,
    timelineTexts,
    stateTexts,
    since,
  }: {
    timeline: ShownTimeline;
    state: RoomState;
    description: Description | undefined;
    counts: { notification_count: number; highlight_count: number } | undefined;
    hasReadOn: boolean;
    timelineTexts: readonly string[];
    stateTexts: readonly string[];
    since: number;
  },
): RoomResult {
  const { task, roomNid, limit } = room;
  const { sent, config, isDirect, isExpanded } = task;
  const { kind, standing, bump } = task.room;
  const isInitial = sent === null;
  const gone = state.told.flatMap(({ nid, place: [type, key] }) =>
    nid === null ? `{"type":"${type}","state_key":"${key}"}` : [],
  );
  const requiredState = [...stateTexts, ...gone];
  const isDirectNews = isInitial ? isDirect : isDirect !== sent.isDirect;
  // Who asks for no events is told of them by the counts and the place in the order.
  const hasMoved = limit === 0 && bump > task.after;
  const isNews =
    isInitial ||
    hasMoved ||
    timelineTexts.length > 0 ||
    requiredState.length > 0 ||
    description !== undefined ||
    isDirectNews ||
    hasReadOn ||
    sent.kind !== kind;
  const text = isNews
    ? writeRoomEntry({
        kind,
        membership: standing.membership,
        bumpStamp: bump,
        isInitial,
        isExpanded,
        isDirect: isDirectNews ? isDirect : undefined,
        name: description?.name,
        avatar: description?.avatar,
        heroes: description?.heroes,
        joinedCount: description?.joinedCount,
        invitedCount: description?.invitedCount,
        unread:
          kind === "join"
            ? (counts ?? { notification_count: 0, highlight_count: 0 })
            : undefined,
        requiredState,
        timeline: timelineTexts,
        isLimited: timeline.isLimited,
        liveCount:
          since === 0
            ? 0
            : timeline.events.filter(({ event }) => event.position! > since)
                .length,
        prevBatch:
          limit === 0 ? undefined : formatPositionToken(timeline.startsAfter),
        strippedState: undefined,
      })
    : null;
  return {
    roomNid,
    roomId: standing.roomId,
    text,
    sent: knownAfter(room, config, timeline, state),
    isFresh: isInitial || isExpanded,
    firstPosition: timeline.events[0]?.event.position ?? null,
  };
}
