import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { RoomEventFilter } from "../../core/filter.ts";
import {
  listEventHeadsById,
  listStateHeadsAmong,
} from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import { listIgnoredUsers } from "../accounts/ignored-users.ts";
import type { Requester } from "../accounts/requester.ts";
import { allowsEvent } from "../sync/sync-filter.ts";
import { openEvents } from "./event-store.ts";
import type { StoredEvent } from "./stored-event.ts";
import { showEvents, type VisibleEvent } from "./gate.ts";
import { isWanted, keyOf, pointPast, readPage } from "./history.ts";
import { formatPagingToken, pointAfter, pointBefore } from "./paging-token.ts";
import { presentEvents, presentState } from "./present.ts";
import {
  getReadableState,
  snapshotNids,
  type ReadableState,
} from "./read-state.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

/**
 * One event, if the gate shows it. Throws the same `M_NOT_FOUND` for events that
 * are not there, elsewhere, or not to be seen.
 */
export async function getVisibleEvent(
  edges: Omit<Needs, "now">,
  userId: string,
  roomId: string,
  eventId: string,
): Promise<{ readable: ReadableState; shown: VisibleEvent }> {
  const readable = await getReadableState(edges, userId, roomId).catch(
    (error: unknown) => {
      const isHidden =
        error instanceof MatrixError && error.errcode === "M_FORBIDDEN";
      throw isHidden ? notFound() : error;
    },
  );
  const heads = await listEventHeadsById(edges.db, readable.room.roomNid, [
    eventId,
  ]);
  const events = await openEvents(edges, heads);
  const [shown] = await showEvents(edges, userId, events);
  if (!shown) throw notFound();
  return { readable, shown };
}

/** The same, but for what a user has said whom the reader ignores. */
export async function getHeardEvent(
  edges: Omit<Needs, "now">,
  userId: string,
  roomId: string,
  eventId: string,
): ReturnType<typeof getVisibleEvent> {
  const visible = await getVisibleEvent(edges, userId, roomId, eventId);
  const { sender, stateKey } = visible.shown.event;
  const ignored = await listIgnoredUsers(edges, userId);
  if (stateKey === null && ignored.has(sender)) throw notFound();
  return visible;
}

const notFound = (): MatrixError =>
  new MatrixError(
    "M_NOT_FOUND",
    "The event is not known in this room, or you may not see it.",
  );

export interface EventContext {
  event: string;
  eventsBefore: string[];
  eventsAfter: string[];
  start: string;
  end: string;
  state: string[];
}

/** https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid */
export async function readContext(
  edges: Needs,
  requester: Requester,
  roomId: string,
  eventId: string,
  { limit, filter }: { limit: number; filter: RoomEventFilter },
): Promise<EventContext> {
  const { userId } = requester;
  const visible = await getHeardEvent(edges, userId, roomId, eventId);
  const { readable, shown } = visible;
  const { event } = shown;
  const beforeCount = Math.ceil(limit / 2);
  const read = (isBackwards: boolean, count: number) =>
    readPage(edges, readable, {
      from: pointPast(event, isBackwards),
      to: null,
      isBackwards,
      limit: count,
      filter,
    });
  const before = await read(true, beforeCount);
  const after = await read(false, limit - beforeCount);
  const ignored = await listIgnoredUsers(edges, userId);
  const seen = (await showEvents(edges, userId, [...before, ...after])).filter(
    (other) => isWanted(other.event, filter, ignored),
  );
  const isBefore = new Set(before.map(({ nid }) => nid));
  const seenBefore = seen.filter((other) => isBefore.has(other.event.nid));
  const seenAfter = seen.filter((other) => !isBefore.has(other.event.nid));
  const lastShown = seenAfter.at(-1)?.event ?? event;
  const state = await stateAfter(edges, lastShown, filter, [
    event,
    ...seen.map((other) => other.event),
  ]);
  const [text, ...texts] = await presentEvents(
    edges,
    requester,
    [shown, ...seenBefore, ...seenAfter],
    { withRoomId: true },
    { ignored },
  );
  return {
    event: text!,
    eventsBefore: texts.slice(0, seenBefore.length),
    eventsAfter: texts.slice(seenBefore.length),
    start: formatPagingToken(pointBefore(keyOf(before.at(-1) ?? event))),
    end: formatPagingToken(pointAfter(keyOf(after.at(-1) ?? event))),
    state: await presentState(edges, requester, state),
  };
}

/** "The state of the room at the last event returned"; only members who speak, where they load lazily. */
async function stateAfter(
  edges: Needs,
  { snapshotId, snapshotAfter }: StoredEvent,
  filter: RoomEventFilter,
  shown: readonly StoredEvent[],
): Promise<StoredEvent[]> {
  const at = snapshotAfter ?? snapshotId;
  if (at === null) return [];
  const speakers = new Set(shown.map(({ sender }) => escapeText(sender)));
  const heads = await listStateHeadsAmong(
    edges.db,
    await snapshotNids(edges, at),
    filter.lazyLoadMembers ? [...speakers] : null,
  );
  return (await openEvents(edges, heads)).filter((event) =>
    allowsEvent(filter, event),
  );
}
