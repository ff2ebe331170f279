import type { Edges } from "../../edges.ts";
import type { RoomEventFilter } from "../../core/filter.ts";
import { listPage } from "../../storage/sync-timeline.ts";
import { listIgnoredUsers } from "../accounts/ignored-users.ts";
import type { Requester } from "../accounts/requester.ts";
import { allowsEvent, conditionsOf } from "../sync/sync-filter.ts";
import { openEvents } from "./event-store.ts";
import type { StoredEvent } from "./stored-event.ts";
import { showEvents, type VisibleEvent } from "./gate.ts";
import { listMembers } from "./members.ts";
import { NEWEST, OLDEST, pointOf } from "./paging-point.ts";
import {
  formatPagingToken,
  type PagingPoint,
  type PagingStart,
  pointAfter,
  pointBefore,
} from "./paging-token.ts";
import { presentEvents, presentState } from "./present.ts";
import { getReadableState, type ReadableState } from "./read-state.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

/** What a client asks of a room's history. */
export interface PageRequest {
  from: PagingStart | null;
  to: PagingStart | null;
  isBackwards: boolean;
  limit: number;
  filter: RoomEventFilter;
}

export interface HistoryPage {
  /** Events as JSON text, in the order that was asked for. */
  chunk: string[];
  start: string;
  /** Absent where there is nothing more. */
  end?: string;
  /** Members that the page needs, where they load lazily. */
  state: string[];
}

/** Pages that are read on for a client that may see nothing of the first ones. */
const MOST_EMPTY_PAGES = 8;

/**
 * A page of a room's history.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages
 */
export async function readHistory(
  edges: Needs,
  requester: Requester,
  roomId: string,
  page: PageRequest,
): Promise<HistoryPage> {
  const readable = await getReadableState(edges, requester.userId, roomId);
  const { roomNid } = readable.room;
  const { isBackwards, limit, filter } = page;
  const from = page.from
    ? await pointOf(edges, roomNid, page.from, isBackwards ? "upTo" : "after")
    : isBackwards
      ? NEWEST
      : OLDEST;
  const to =
    page.to &&
    (await pointOf(edges, roomNid, page.to, isBackwards ? "after" : "upTo"));
  const ignored = await listIgnoredUsers(edges, requester.userId);
  let shown: VisibleEvent[] = [];
  let end: PagingPoint | null = from;
  for (let pages = 0; pages < MOST_EMPTY_PAGES; pages++) {
    const events: StoredEvent[] = await readPage(edges, readable, {
      ...page,
      from: end,
      to,
    });
    const last = events.at(-1);
    end =
      last && events.length === limit ? pointOn(from, last, isBackwards) : null;
    const visible = await showEvents(edges, requester.userId, events);
    shown = visible.filter(({ event }) => isWanted(event, filter, ignored));
    if (shown.length > 0 || end === null) break;
  }
  return {
    chunk: await presentEvents(
      edges,
      requester,
      shown,
      { withRoomId: true },
      { ignored },
    ),
    start: formatPagingToken(from),
    ...(end === null ? {} : { end: formatPagingToken(end) }),
    state: filter.lazyLoadMembers
      ? await membersOf(edges, requester, readable, shown)
      : [],
  };
}

/** Events of a room's history, whoever may see them. */
export async function readPage(
  edges: Needs,
  readable: ReadableState,
  page: Pick<PageRequest, "isBackwards" | "limit" | "filter"> & {
    from: PagingPoint;
    to: PagingPoint | null;
  },
): Promise<StoredEvent[]> {
  const { from, to, isBackwards, limit, filter } = page;
  if (limit === 0) return [];
  const [older, newer] = isBackwards ? [from, to] : [to, from];
  const left = readable.at === "left" ? readable.position : Infinity;
  const upTo = Math.min(older?.upTo ?? Infinity, left);
  const heads = await listPage(
    edges.db,
    readable.room.roomNid,
    {
      from,
      to,
      isBackwards,
      limit,
      upToPosition: upTo === Infinity ? null : upTo,
      afterPosition: newer?.after ?? null,
    },
    conditionsOf(filter),
  );
  return openEvents(edges, heads);
}

/** Whether a reader asks for an event; what the ignored say is not heard. */
export const isWanted = (
  event: StoredEvent,
  filter: RoomEventFilter,
  ignored: ReadonlySet<string>,
): boolean =>
  allowsEvent(filter, event) &&
  (event.stateKey !== null || !ignored.has(event.sender));

export const keyOf = ({ depth, arrival }: StoredEvent): PagingPoint => ({
  depth,
  arrival: arrival ?? 0,
});

export const pointPast = (
  event: StoredEvent,
  isBackwards: boolean,
): PagingPoint =>
  isBackwards ? pointBefore(keyOf(event)) : pointAfter(keyOf(event));

/** Where the page after this one begins; it stays within what the first one was bound to. */
function pointOn(
  from: PagingPoint,
  last: StoredEvent,
  isBackwards: boolean,
): PagingPoint {
  const bound = isBackwards
    ? from.upTo !== undefined && { upTo: from.upTo }
    : from.after !== undefined && { after: from.after };
  return { ...pointPast(last, isBackwards), ...bound };
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
