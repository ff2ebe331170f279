import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { RoomEventFilter } from "../../core/filter.ts";
import { listEventHeadsById } from "../../storage/events.ts";
import { listPage, listPagingPoints } from "../../storage/sync-timeline.ts";
import type { Requester } from "../accounts/requester.ts";
import { allowsEvent, conditionsOf } from "../sync/sync-filter.ts";
import { mapEvents, openEvents, type StoredEvent } from "./event-store.ts";
import { showEvents, type VisibleEvent } from "./gate.ts";
import { listMembers } from "./members.ts";
import {
  formatPagingToken,
  type PagingPoint,
  type PagingStart,
  pointAfter,
  pointBefore,
} from "./paging-token.ts";
import { presentEvents, presentState } from "./present.ts";
import { getReadableState, stateBefore, type ReadableState } from "./read-state.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

const OLDEST: PagingPoint = { depth: 0, arrival: Number.MIN_SAFE_INTEGER };
const NEWEST: PagingPoint = { depth: Number.MAX_SAFE_INTEGER, arrival: Number.MAX_SAFE_INTEGER };

export interface HistoryPage {
  /** Events as JSON text, in the order that was asked for. */
  chunk: string[];
  start: string;
  /** Absent where there is nothing more. */
  end?: string;
  /** Members that the page needs, where they load lazily. */
  state: string[];
}

/**
 * A page of a room's history.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages
 */
export async function readHistory(
  edges: Needs,
  requester: Requester,
  roomId: string,
  page: {
    from: PagingStart | null;
    to: PagingStart | null;
    isBackwards: boolean;
    limit: number;
    filter: RoomEventFilter;
  },
): Promise<HistoryPage> {
  const readable = await getReadableState(edges, requester.userId, roomId);
  const { roomNid } = readable.room;
  const { isBackwards, limit, filter } = page;
  const from = await pointOf(edges, roomNid, page.from, isBackwards ? NEWEST : OLDEST);
  const to = page.to === null ? null : await pointOf(edges, roomNid, page.to, OLDEST);
  const upToPosition = readable.at === "left" ? readable.position : null;
  const heads = await listPage(
    edges.db,
    roomNid,
    { from, to, isBackwards, upToPosition, limit },
    conditionsOf(filter),
  );
  const events = await openEvents(edges, heads);
  const shown = (await showEvents(edges, requester.userId, events)).filter(({ event }) => allowsEvent(filter, event));
  const last = events.at(-1);
  return {
    chunk: await presentEvents(edges, requester, shown, { withRoomId: true }),
    start: formatPagingToken(from),
    ...(last && events.length === limit
      ? { end: formatPagingToken(isBackwards ? pointBefore(keyOf(last)) : pointAfter(keyOf(last))) }
      : {}),
    state: filter.lazyLoadMembers ? await membersOf(edges, requester, readable, shown) : [],
  };
}

/**
 * One event, if the gate shows it. Throws the same `M_NOT_FOUND` for events that
 * are not there, elsewhere, or not to be seen.
 */
export async function getVisibleEvent(
  edges: Needs,
  userId: string,
  roomId: string,
  eventId: string,
): Promise<{ readable: ReadableState; shown: VisibleEvent }> {
  const readable = await getReadableState(edges, userId, roomId).catch((error: unknown) => {
    if (error instanceof MatrixError && error.errcode === "M_FORBIDDEN") throw notFound();
    throw error;
  });
  const heads = await listEventHeadsById(edges.db, readable.room.roomNid, [eventId]);
  const [shown] = await showEvents(edges, userId, await openEvents(edges, heads));
  if (!shown) throw notFound();
  return { readable, shown };
}

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
  limit: number,
  filter: RoomEventFilter,
): Promise<EventContext> {
  const { readable, shown } = await getVisibleEvent(edges, requester.userId, roomId, eventId);
  const { event } = shown;
  const { roomNid } = readable.room;
  const upToPosition = readable.at === "left" ? readable.position : null;
  const beforeCount = Math.ceil(limit / 2);
  const around = (from: PagingPoint, isBackwards: boolean, count: number) =>
    count === 0
      ? Promise.resolve([])
      : listPage(
          edges.db,
          roomNid,
          { from, to: null, isBackwards, upToPosition, limit: count },
          conditionsOf(filter),
        );
  const before = await openEvents(edges, await around(pointBefore(keyOf(event)), true, beforeCount));
  const after = await openEvents(edges, await around(pointAfter(keyOf(event)), false, limit - beforeCount));
  const shownBefore = await showEvents(edges, requester.userId, before);
  const shownAfter = await showEvents(edges, requester.userId, after);
  const newest = after.at(-1) ?? event;
  const texts = (list: readonly VisibleEvent[]) => presentEvents(edges, requester, list, { withRoomId: true });
  const [eventText] = await texts([shown]);
  const all = [...shownBefore, shown, ...shownAfter];
  const nids = await stateBefore(edges, newest);
  const state = [...(await mapEvents(edges, nids)).values()].filter(
    (entry) =>
      !filter.lazyLoadMembers ||
      entry.type !== "m.room.member" ||
      all.some((other) => other.event.sender === entry.stateKey),
  );
  return {
    event: eventText!,
    eventsBefore: await texts(shownBefore),
    eventsAfter: await texts(shownAfter),
    start: formatPagingToken(pointBefore(keyOf(before.at(-1) ?? event))),
    end: formatPagingToken(pointAfter(keyOf(newest))),
    state: await presentState(edges, requester, state),
  };
}

/** Where a token points in one room. */
async function pointOf(
  { db }: Pick<Edges, "db">,
  roomNid: number,
  start: PagingStart | null,
  otherwise: PagingPoint,
): Promise<PagingPoint> {
  if (start === null) return otherwise;
  if ("point" in start) return start.point;
  const [point] = await listPagingPoints(db, [{ roomNid, position: start.position }]);
  return point ?? OLDEST;
}

async function membersOf(
  edges: Needs,
  requester: Requester,
  readable: ReadableState,
  shown: readonly VisibleEvent[],
): Promise<string[]> {
  const senders = new Set(shown.map(({ event }) => event.sender));
  const members = await listMembers(edges, readable, senders);
  return presentState(edges, requester, members);
}

const keyOf = (event: StoredEvent): PagingPoint => ({ depth: event.depth, arrival: event.arrival ?? 0 });

const notFound = () => new MatrixError("M_NOT_FOUND", "The event is not known in this room, or you may not see it.");
