import type { Edges } from "../../../edges.ts";
import { listRoomsReadOn } from "../../../storage/sliding-rooms.ts";
import { listStateChanges } from "../../../storage/sync-changes.ts";
import { listTimelines } from "../../../storage/sync-timeline.ts";
import { groupBy } from "../../../util/group-by.ts";
import type { Requester } from "../../accounts/requester.ts";
import { mapEvents } from "../../rooms/event-store.ts";
import { findLeavingPosition, readStandings } from "../../rooms/gate.ts";
import { formatPositionToken } from "../../rooms/paging-token.ts";
import { presentEvents } from "../../rooms/present.ts";
import { showHeads } from "../room-timelines.ts";
import { NO_CONDITIONS } from "../sync-filter.ts";
import { MOST_EVENTS_A_SYNC } from "../timeline-budget.ts";
import type { UserView } from "../user-view.ts";
import { readDescriptions, type Description } from "./descriptions.ts";
import type { EnteredRoom, ShownTimeline } from "./entered-room.ts";
import { knownAfter } from "./known-after.ts";
import { type RoomResult, writeRoomEntry } from "./room-result.ts";
import type { RoomTask } from "./room-tasks.ts";
import { readStates, type RoomState } from "./room-states.ts";
import { readUnreadOnce } from "./unread-once.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier" | "now">;

/** Rooms that the user is or was in, with the same few queries however many they are. */
export async function readEnteredRooms(
  edges: Needs,
  requester: Requester,
  view: UserView,
  tasks: readonly RoomTask[],
  since: number,
): Promise<RoomResult[]> {
  if (tasks.length === 0) return [];
  const { userId } = requester;
  const { upTo, ignored } = view;
  const rooms = await enter(edges, userId, tasks, upTo);
  const joined = rooms.filter(({ task }) => task.room.kind === "join");
  const [timelines, changes, unread, readOn] = await Promise.all([
    readTimelines(edges, userId, rooms, ignored),
    listStateChanges(
      edges.db,
      rooms.flatMap(({ task, roomNid, stateAt }) =>
        stateAt === null
          ? []
          : {
              roomNid,
              after: task.sent ? Math.min(task.after, stateAt) : stateAt,
              upTo: Number.MAX_SAFE_INTEGER,
            },
      ),
    ),
    readUnreadOnce(
      edges,
      userId,
      joined.map(({ roomNid }) => roomNid),
      upTo,
      ignored,
    ),
    listRoomsReadOn(
      edges.db,
      userId,
      joined.flatMap(({ task, roomNid }) =>
        task.sent && task.isTouched ? { roomNid, after: task.after } : [],
      ),
      upTo,
    ),
  ]);
  const states = await readStates(
    edges.db,
    userId,
    rooms,
    timelines,
    groupBy(changes, ({ roomNid }) => roomNid),
  );
  const events = await mapEvents(
    edges,
    [...states.values()].flatMap(({ told, name, avatar, nameNow }) =>
      [...told.map(({ nid }) => nid), name, avatar, nameNow].filter(
        (nid) => typeof nid === "number",
      ),
    ),
  );
  const descriptions = await readDescriptions(
    edges,
    userId,
    rooms,
    states,
    events,
  );
  const texts = await presentAll(
    edges,
    requester,
    rooms,
    timelines,
    states,
    events,
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

async function enter(
  edges: Needs,
  userId: string,
  tasks: readonly RoomTask[],
  upTo: number,
): Promise<EnteredRoom[]> {
  const left = tasks.flatMap(({ room }) =>
    room.kind === "left" ? room.standing.roomNid : [],
  );
  const histories = await readStandings(edges, userId, left);
  const share = Math.max(1, Math.floor(MOST_EVENTS_A_SYNC / tasks.length));
  return tasks.map((task): EnteredRoom => {
    const { kind, standing } = task.room;
    const { roomNid, position } = standing;
    const hasLeft = kind === "left";
    const leftAt = hasLeft
      ? (findLeavingPosition(histories.get(roomNid)) ?? null)
      : upTo;
    return {
      task,
      roomNid,
      upTo: hasLeft ? Math.min(position, upTo) : upTo,
      stateAt: leftAt,
      limit: Math.min(task.config.timelineLimit, share),
    };
  });
}

async function readTimelines(
  edges: Needs,
  userId: string,
  rooms: readonly EnteredRoom[],
  ignored: ReadonlySet<string>,
): Promise<Map<number, ShownTimeline>> {
  // One more than is shown tells whether there are more.
  const all = await listTimelines(
    edges.db,
    rooms.flatMap(({ task, roomNid, upTo, limit }) =>
      limit === 0
        ? []
        : {
            roomNid,
            after: task.isExpanded ? 0 : task.after,
            upTo,
            limit: limit + 1,
          },
    ),
    NO_CONDITIONS,
  );
  const byRoom = groupBy(all, ({ roomNid }) => roomNid);
  const isCut = ({ roomNid, limit }: EnteredRoom): boolean =>
    (byRoom.get(roomNid)?.length ?? 0) > limit;
  const heads = rooms.flatMap(
    (room) => byRoom.get(room.roomNid)?.slice(0, room.limit) ?? [],
  );
  const shown = await showHeads(edges, userId, rooms, heads, ignored);
  return new Map(
    rooms.map((room) => [
      room.roomNid,
      { ...shown.get(room.roomNid)!, isLimited: isCut(room) },
    ]),
  );
}

/** Timelines and states by turns as JSON text, all of them presented with the same few queries. */
async function presentAll(
  edges: Needs,
  requester: Requester,
  rooms: readonly EnteredRoom[],
  timelines: ReadonlyMap<number, ShownTimeline>,
  states: ReadonlyMap<number, RoomState>,
  events: Awaited<ReturnType<typeof mapEvents>>,
): Promise<string[][]> {
  const lists = rooms.flatMap(({ roomNid }) => [
    timelines.get(roomNid)!.events,
    states
      .get(roomNid)!
      .told.flatMap(({ nid }) => events.get(nid ?? -1) ?? [])
      .map((event) => ({ event, membership: undefined })),
  ]);
  const texts = await presentEvents(edges, requester, lists.flat(), {
    withRoomId: false,
  });
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
  const isNews =
    isInitial ||
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
