import { MatrixError } from "../../core/errors.ts";
import type { RoomEventFilter } from "../../core/filter.ts";
import { isEventId } from "../../core/ids.ts";
import type { Edges } from "../../edges.ts";
import { listEventHeads, listEventHeadsById } from "../../storage/events.ts";
import { findRoomNidOfEvent } from "../../storage/rooms-admin.ts";
import { listHeadsByTime } from "../../storage/surroundings.ts";
import { ACCEPTED } from "../../storage/write.ts";
import { assertMayReadRoom } from "../policies/may-act.ts";
import { openEvents } from "../rooms/event-store.ts";
import {
  pointPast,
  keyOf,
  readPage,
  type HistoryPage,
  type PageRequest,
} from "../rooms/history.ts";
import type { EventContext } from "../rooms/context.ts";
import { NEWEST, OLDEST, pointOf } from "../rooms/paging-point.ts";
import {
  formatPagingToken,
  pointAfter,
  pointBefore,
} from "../rooms/paging-token.ts";
import { presentEvents, presentState } from "../rooms/present.ts";
import { snapshotNids } from "../rooms/read-state.ts";
import type { RoomIdentity } from "../rooms/room-identity.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import type { ActingAdministrator } from "./administrator.ts";
import { noteRead } from "./note-read.ts";
import { getRoomForAdmin } from "./room-details.ts";

type Needs = Pick<
  Edges,
  | "committer"
  | "db"
  | "keyring"
  | "memory"
  | "now"
  | "trail"
  | "policies"
  | "asker"
>;

const shown = (event: StoredEvent) => ({ event, membership: undefined });

/** As events are shown to who reads a room by a permission: what the gate hides beside them stays hidden. */
const present = (
  edges: Needs,
  { requester }: ActingAdministrator,
  events: readonly StoredEvent[],
): Promise<string[]> =>
  presentEvents(edges, requester, events.map(shown), { withRoomId: true });

/** A page of a room's history, for who need not be in it; each is recorded. */
export async function readRoomHistory(
  edges: Needs,
  by: ActingAdministrator,
  roomId: string,
  page: PageRequest,
): Promise<HistoryPage> {
  const room = await getRoomForAdmin(edges, roomId);
  noteRead(edges, by, roomId, { read: "messages" });
  const { isBackwards, limit } = page;
  const from = page.from
    ? await pointOf(
        edges,
        room.roomNid,
        page.from,
        isBackwards ? "upTo" : "after",
      )
    : isBackwards
      ? NEWEST
      : OLDEST;
  const to =
    page.to &&
    (await pointOf(
      edges,
      room.roomNid,
      page.to,
      isBackwards ? "after" : "upTo",
    ));
  const events = await readPage(
    edges,
    { room, at: "now" },
    { ...page, from, to },
  );
  const last = events.at(-1);
  const hasMore = last && events.length === limit;
  return {
    chunk: await present(edges, by, events),
    start: formatPagingToken(from),
    ...(hasMore && { end: formatPagingToken(pointPast(last, isBackwards)) }),
    state: [],
  };
}

/** What stands around an event of a room. */
export async function readRoomContext(
  edges: Needs,
  by: ActingAdministrator,
  { roomId, eventId }: { roomId: string; eventId: string },
  { limit, filter }: { limit: number; filter: RoomEventFilter },
): Promise<EventContext> {
  const room = await getRoomForAdmin(edges, roomId);
  const event = await getEventOf(edges, room, eventId);
  noteRead(edges, by, roomId, { read: "context", event: eventId });
  const beforeCount = Math.ceil(limit / 2);
  const read = (isBackwards: boolean, count: number) =>
    readPage(
      edges,
      { room, at: "now" },
      {
        from: pointPast(event, isBackwards),
        to: null,
        ...{ isBackwards, filter, limit: count },
      },
    );
  const before = await read(true, beforeCount);
  const after = await read(false, limit - beforeCount);
  const { snapshotAfter, snapshotId } = after.at(-1) ?? event;
  const at = snapshotAfter ?? snapshotId;
  const nids = at === null ? [] : await snapshotNids(edges, at);
  const heads = await listEventHeads(edges.db, nids);
  const state = await openEvents(edges, heads);
  const [text, ...texts] = await present(edges, by, [
    event,
    ...before,
    ...after,
  ]);
  return {
    event: text!,
    eventsBefore: texts.slice(0, before.length),
    eventsAfter: texts.slice(before.length),
    start: formatPagingToken(pointBefore(keyOf(before.at(-1) ?? event))),
    end: formatPagingToken(pointAfter(keyOf(after.at(-1) ?? event))),
    state: await presentState(edges, by.requester, state),
  };
}

/** The event of a room that is nearest to a time, on one side of it. */
export async function findRoomEventByTime(
  edges: Needs,
  by: ActingAdministrator,
  roomId: string,
  { ts, isBackwards }: { ts: number; isBackwards: boolean },
): Promise<{ eventId: string; originServerTs: number }> {
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  const [head] = await listHeadsByTime(edges.db, roomNid, {
    ...{ ts, isBackwards, parts: null, mostPassed: 1, limit: 1 },
  });
  if (!head)
    throw new MatrixError("M_NOT_FOUND", "There is no event of that time.");
  noteRead(edges, by, roomId, { read: "timestamp_to_event" });
  return head;
}

/** One event by its id, of whichever room. */
export async function fetchEvent(
  edges: Needs,
  by: ActingAdministrator,
  eventId: string,
): Promise<string> {
  const roomNid = isEventId(eventId)
    ? await findRoomNidOfEvent(edges.db, eventId)
    : undefined;
  if (roomNid === undefined) throw noSuchEvent();
  const heads = await listEventHeadsById(edges.db, roomNid, [eventId]);
  const [event] = await openEvents(edges, heads);
  if (event?.status !== ACCEPTED) throw noSuchEvent();
  await assertMayReadRoom(edges, by.requester.userId, roomNid);
  noteRead(edges, by, event.room.roomId, { event: eventId });
  const [text] = await present(edges, by, [event]);
  return text!;
}

async function getEventOf(
  edges: Needs,
  { roomNid }: RoomIdentity,
  eventId: string,
): Promise<StoredEvent> {
  const heads = await listEventHeadsById(edges.db, roomNid, [eventId]);
  const [event] = await openEvents(edges, heads);
  if (event?.status === ACCEPTED && event.arrival !== null) return event;
  throw noSuchEvent();
}

const noSuchEvent = (): MatrixError =>
  new MatrixError("M_NOT_FOUND", "This event is not known here.");
