import type { Edges } from "../../edges.ts";
import type { EventHead } from "../../storage/events.ts";
import {
  listTimelines,
  type TimelineConditions,
  type TimelineRange,
} from "../../storage/sync-timeline.ts";
import { groupBy } from "../../util/group-by.ts";

/** However many rooms have news: what one answer holds has to fit into memory. */
export const MOST_EVENTS_A_SYNC = 20_000;

type Room = Omit<TimelineRange, "limit">;

interface Heads {
  /** Newest first in each room. */
  heads: EventHead[];
  /** Rooms that have more. */
  cut: ReadonlySet<number>;
}

/**
 * The newest events of rooms, up to a limit in each and a budget in all. Where that
 * could be too many, rooms get equal shares, and what the quiet ones leave is shared
 * by the others.
 */
export async function readHeads(
  edges: Pick<Edges, "db">,
  rooms: readonly Room[],
  { limit, budget }: { limit: number; budget: number },
  conditions: TimelineConditions,
): Promise<Heads> {
  const share = shareOf(budget, rooms.length, limit);
  const first = await readUpTo(edges, rooms, share, conditions);
  if (share === limit || first.cut.size === 0) return first;
  const loud = rooms.filter(({ roomNid }) => first.cut.has(roomNid));
  const left = budget - first.heads.length + loud.length * share;
  const more = shareOf(left, loud.length, limit);
  if (more === share) return first;
  const second = await readUpTo(edges, loud, more, conditions);
  const quiet = first.heads.filter(({ roomNid }) => !first.cut.has(roomNid));
  return { heads: [...quiet, ...second.heads], cut: second.cut };
}

/** A room that has news shows one event at least, where the client wants any. */
const shareOf = (budget: number, rooms: number, limit: number): number =>
  Math.min(limit, Math.max(1, Math.floor(budget / Math.max(1, rooms))));

async function readUpTo(
  { db }: Pick<Edges, "db">,
  rooms: readonly Room[],
  limit: number,
  conditions: TimelineConditions,
): Promise<Heads> {
  // One more than is shown tells whether there are more.
  const ranges = rooms.map(({ roomNid, after, upTo }) => ({
    roomNid,
    after,
    upTo,
    limit: limit + 1,
  }));
  const all = await listTimelines(db, ranges, conditions);
  const cut = new Set<number>();
  const heads: EventHead[] = [];
  for (const [roomNid, list] of groupBy(all, (head) => head.roomNid)) {
    if (list.length > limit) cut.add(roomNid);
    heads.push(...list.slice(0, limit));
  }
  return { heads, cut };
}
