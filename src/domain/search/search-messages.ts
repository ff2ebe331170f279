import type { Edges } from "../../edges.ts";
import type { RoomEventFilter } from "../../core/filter.ts";
import { parseWordQuery, type WordQuery } from "../../core/words.ts";
import { listStateOfRoomsAmong } from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import { listIgnoredUsers } from "../accounts/ignored-users.ts";
import type { Requester } from "../accounts/requester.ts";
import { openEvents } from "../rooms/event-store.ts";
import { presentEvents, presentState } from "../rooms/present.ts";
import { findMatches, type Match } from "./find-matches.ts";
import {
  readContexts,
  readSenderProfiles,
  type ResultContext,
  type SenderProfile,
} from "./result-context.ts";
import type { SearchRequest } from "./search-request.ts";
import {
  formatSearchToken,
  type GroupKey,
  type SearchToken,
} from "./search-token.ts";
import { listSearchedRooms, type SearchedRooms } from "./searched-rooms.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

const FIRST: SearchToken = {
  upTo: Number.MAX_SAFE_INTEGER,
  offset: 0,
  count: 0,
};

interface Page {
  results: Match[];
  /** What was found in all, as far as was looked. */
  count: number;
  next: SearchToken | null;
}

/**
 * Searches what a user may see for words, with queries that are as many however many
 * rooms there are. The answer is JSON text.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search
 */
export async function searchMessages(
  edges: Needs,
  requester: Requester,
  request: SearchRequest,
): Promise<string> {
  const query = parseWordQuery(request.term);
  const { group } = request.token ?? {};
  const all = await listSearchedRooms(edges, requester.userId, request.filter);
  const rooms = narrowRooms(all, group);
  const filter = narrowFilter(request.filter, group);
  const page = await readPage(edges, requester, request, {
    query,
    rooms,
    filter,
  });
  const { results, count, next } = page;
  const contexts = await describeContexts(edges, requester, request, results);
  const shown = await presentEvents(
    edges,
    requester,
    results.map((match) => match.shown),
    { withRoomId: true },
  );
  const entries = results.map(
    ({ rank }, i) =>
      `{"rank":${rank},"result":${shown[i]!}${contexts[i] ?? ""}}`,
  );
  const state = request.includeState
    ? `,"state":${await describeState(edges, requester, rooms, results)}`
    : "";
  const token = next ? `,"next_batch":"${formatSearchToken(next)}"` : "";
  const groups =
    request.groupBy.length > 0
      ? `,"groups":${JSON.stringify(groupResults(page, request.groupBy))}`
      : "";
  return `{"search_categories":{"room_events":{"count":${count},"highlights":${JSON.stringify(query.parts)},"results":[${entries.join(",")}]${state}${groups}${token}}}}`;
}

/** The rooms for a page of one group. */
const narrowRooms = (
  rooms: SearchedRooms,
  group: SearchToken["group"],
): SearchedRooms =>
  group?.by === "room_id"
    ? new Map([...rooms].filter(([roomId]) => roomId === group.value))
    : rooms;

/** The filter for a page of one group. Rooms are chosen already, with those that the named ones replaced. */
function narrowFilter(
  filter: RoomEventFilter,
  group: SearchToken["group"],
): RoomEventFilter {
  const { senders } = filter;
  const isAsked = senders === null || senders.includes(group?.value ?? "");
  return {
    ...filter,
    rooms: null,
    notRooms: [],
    ...(group?.by === "sender" && { senders: isAsked ? [group.value] : [] }),
  };
}

async function readPage(
  edges: Needs,
  { userId }: Requester,
  { orderBy, token, keys }: SearchRequest,
  {
    query,
    rooms,
    filter,
  }: { query: WordQuery; rooms: SearchedRooms; filter: RoomEventFilter },
): Promise<Page> {
  const { limit } = filter;
  const from = token ?? FIRST;
  const isByRank = orderBy === "rank";
  const { matches, rest } = await findMatches(edges, userId, rooms, query, {
    keys,
    filter,
    upTo: from.upTo,
    most: isByRank || !token ? Infinity : limit,
  });
  const newest = matches[0]?.shown.event.position ?? 0;
  const ordered = isByRank
    ? matches.toSorted((a, b) => b.rank - a.rank).slice(from.offset)
    : matches;
  const results = ordered.slice(0, limit);
  const count = token ? token.count : matches.length;
  const { group } = from;
  const next = { ...from, count, ...(group && { group }) };
  const last = results.at(-1)?.shown.event.position;
  if (isByRank) {
    const isMore = results.length === limit;
    // What is said meanwhile does not move the pages.
    const upTo = token ? from.upTo : newest;
    const offset = from.offset + results.length;
    return { results, count, next: isMore ? { ...next, upTo, offset } : null };
  }
  if (results.length === limit && last)
    return { results, count, next: { ...next, upTo: last - 1 } };
  return {
    results,
    count,
    next: rest === null ? null : { ...next, upTo: rest },
  };
}

/** The `context` member of each result, beginning with a comma; nothing where it is not asked for. */
async function describeContexts(
  edges: Needs,
  requester: Requester,
  { context: asked }: SearchRequest,
  results: readonly Match[],
): Promise<string[]> {
  if (!asked) return [];
  const { userId } = requester;
  const events = results.map(({ shown }) => shown.event);
  const ignored = await listIgnoredUsers(edges, userId);
  const contexts = await readContexts(edges, userId, events, asked, ignored);
  const all = contexts.flatMap(({ before, after }) => [...before, ...after]);
  const texts = await presentEvents(edges, requester, all, {
    withRoomId: true,
  });
  const profiles = asked.withProfiles
    ? await readSenderProfiles(
        edges,
        contexts.map((context, i) => ({
          event: events[i]!,
          senders: sendersOf(context, events[i]!.sender),
        })),
      )
    : [];
  let taken = 0;
  const take = (count: number) =>
    `[${texts.slice(taken, (taken += count)).join(",")}]`;
  return contexts.map(({ before, after, start, end }, i) => {
    const ofSenders = profiles[i]
      ? `,"profile_info":${profileInfo(profiles[i])}`
      : "";
    return `,"context":{"events_before":${take(before.length)},"events_after":${take(after.length)},"start":"${start}","end":"${end}"${ofSenders}}`;
  });
}

const sendersOf = ({ before, after }: ResultContext, sender: string) =>
  new Set([sender, ...[...before, ...after].map(({ event }) => event.sender)]);

const profileInfo = (profiles: ReadonlyMap<string, SenderProfile>): string =>
  JSON.stringify(Object.fromEntries(profiles));

/**
 * Current state of the rooms of results that the user is in; of members those who
 * sent a result. Of a room that they have left nothing of today is told.
 */
async function describeState(
  edges: Needs,
  requester: Requester,
  rooms: SearchedRooms,
  results: readonly Match[],
): Promise<string> {
  const joined = new Set(
    [...rooms.values()]
      .filter(({ isJoined }) => isJoined)
      .map(({ roomNid }) => roomNid),
  );
  const found = results.map(({ shown }) => shown.event);
  const heads = await listStateOfRoomsAmong(
    edges.db,
    [...new Set(found.map(({ roomNid }) => roomNid))].filter((roomNid) =>
      joined.has(roomNid),
    ),
    [...new Set(found.map(({ sender }) => escapeText(sender)))],
  );
  const events = await openEvents(edges, heads);
  const texts = await presentState(edges, requester, events);
  const byRoom = new Map<string, string[]>();
  events.forEach(({ room: { roomId } }, i) => {
    const list = byRoom.get(roomId);
    if (list) list.push(texts[i]!);
    else byRoom.set(roomId, [texts[i]!]);
  });
  const entries = [...byRoom].map(
    ([roomId, list]) => `${JSON.stringify(roomId)}:[${list.join(",")}]`,
  );
  return `{${entries.join(",")}}`;
}

/** The results of this page by room or sender, those by time each with its own way on. */
function groupResults({ results, next }: Page, by: readonly GroupKey[]) {
  return Object.fromEntries(
    by.map((key) => {
      const groups = new Map<
        string,
        { order: number; results: string[]; next_batch?: string }
      >();
      for (const [order, { shown }] of results.entries()) {
        const { event } = shown;
        const value = key === "room_id" ? event.room.roomId : event.sender;
        let group = groups.get(value);
        if (!group) groups.set(value, (group = { order, results: [] }));
        group.results.push(event.eventId);
        if (next && next.offset === 0) {
          group.next_batch = formatSearchToken({
            ...next,
            upTo: (event.position ?? 1) - 1,
            group: { by: key, value },
          });
        }
      }
      return [key, Object.fromEntries(groups)];
    }),
  );
}
