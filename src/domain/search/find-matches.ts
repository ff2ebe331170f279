import type { Edges } from "../../edges.ts";
import type { RoomEventFilter } from "../../core/filter.ts";
import { rankText, type WordQuery } from "../../core/words.ts";
import type { EventHead } from "../../storage/events.ts";
import {
  getSearchPosition,
  listNewestSearched,
  listWithWords,
} from "../../storage/search.ts";
import { listIgnoredUsers } from "../accounts/ignored-users.ts";
import { openEvents } from "../rooms/event-store.ts";
import {
  findLeavingPosition,
  readStandings,
  showEvents,
  type VisibleEvent,
} from "../rooms/gate.ts";
import { isWanted } from "../rooms/history.ts";
import { conditionsOf } from "../sync/sync-filter.ts";
import type { SearchedRooms } from "./searched-rooms.ts";
import { searchedText, type SearchKey } from "./searched-text.ts";
import { hashesIn } from "./word-hashes.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** An event that the viewer may see and that holds what is looked for. */
export interface Match {
  shown: VisibleEvent;
  rank: number;
}

export interface Matches {
  /** The newest first. */
  matches: Match[];
  /** Where looking on would begin, if it ended before all was looked at. */
  rest: number | null;
}

/** Events that one search opens. */
const MOST_CANDIDATES = 1_000;
const OPENED_AT_ONCE = 250;
/** Words of a search that its candidates are chosen by; the others are looked for in those. */
const MOST_HASHED = 10;

/**
 * The matches among the newest candidates. The index only proposes: each candidate is
 * opened, shown by the gate and read, and nothing is told of those that are not shown.
 */
export async function findMatches(
  edges: Needs,
  viewer: string,
  rooms: SearchedRooms,
  query: WordQuery,
  {
    keys,
    filter,
    upTo,
    most,
  }: {
    keys: readonly SearchKey[];
    filter: RoomEventFilter;
    upTo: number;
    /** Whoever needs no more than so many looks at no more. */
    most: number;
  },
): Promise<Matches> {
  const roomNids = [...rooms.values()].map(({ roomNid }) => roomNid);
  if (query.words.length === 0 || roomNids.length === 0)
    return { matches: [], rest: null };
  const joined = new Set(
    [...rooms.values()].flatMap((room) => (room.isJoined ? room.roomNid : [])),
  );
  const candidates = await listCandidates(edges, roomNids, query, {
    filter,
    upTo,
  });
  const ignored = await listIgnoredUsers(edges, viewer);
  const matches: Match[] = [];
  let looked = 0;
  while (looked < candidates.length && matches.length < most) {
    const some = candidates.slice(looked, looked + OPENED_AT_ONCE);
    looked += some.length;
    const opened = await openEvents(edges, some);
    const seen = await showEvents(edges, viewer, opened);
    const shown = await keepEntered(edges, viewer, seen, joined);
    for (const one of shown) {
      const text = searchedText(one.event.pdu, keys);
      const rank = text === undefined ? 0 : rankText(text, query);
      if (rank > 0 && isWanted(one.event, filter, ignored))
        matches.push({ shown: one, rank });
    }
  }
  const last = candidates[looked - 1];
  const isCut =
    looked < candidates.length || candidates.length === MOST_CANDIDATES;
  return { matches, rest: isCut && last ? last.position! - 1 : null };
}

/** Of rooms that the viewer is not in those that they were in: an invite turned down opens none. */
async function keepEntered(
  edges: Needs,
  viewer: string,
  shown: readonly VisibleEvent[],
  joined: ReadonlySet<number>,
): Promise<VisibleEvent[]> {
  const others = shown
    .map(({ event }) => event.roomNid)
    .filter((roomNid) => !joined.has(roomNid));
  const standings = await readStandings(edges, viewer, others);
  return shown.filter(
    ({ event: { roomNid } }) =>
      joined.has(roomNid) ||
      findLeavingPosition(standings.get(roomNid)) !== undefined,
  );
}

/** What the index has not come to yet is all a candidate. */
async function listCandidates(
  edges: Needs,
  roomNids: readonly number[],
  { words }: WordQuery,
  { filter, upTo }: { filter: RoomEventFilter; upTo: number },
): Promise<EventHead[]> {
  const conditions = conditionsOf(filter);
  const indexed = await getSearchPosition(edges.db);
  const newest =
    upTo > indexed
      ? await listNewestSearched(
          edges.db,
          roomNids,
          { after: indexed, upTo, limit: MOST_CANDIDATES },
          conditions,
        )
      : [];
  const limit = MOST_CANDIDATES - newest.length;
  if (limit === 0) return newest;
  // The longest are the rarest.
  const chosen = words.toSorted((a, b) => b.length - a.length);
  const hashes = await hashesIn(edges, roomNids, chosen.slice(0, MOST_HASHED));
  const older = await listWithWords(
    edges.db,
    hashes,
    { upTo: Math.min(upTo, indexed), limit },
    conditions,
  );
  return [...newest, ...older];
}
