import type { Edges } from "../../edges.ts";
import { matchesRooms, type RoomEventFilter } from "../../core/filter.ts";
import { openEvents } from "../rooms/event-store.ts";
import {
  readStandings,
  showEvent,
  STRANGER,
  type VisibleEvent,
} from "../rooms/gate.ts";
import { groupBy } from "../../util/group-by.ts";
import { formatPositionToken } from "../rooms/paging-token.ts";
import { parentsAmong } from "./parents-among.ts";
import type { RoomPlan } from "./room-plan.ts";
import { conditionsOf, isUnconditional } from "./sync-filter.ts";
import { MOST_EVENTS_A_SYNC, readHeads } from "./timeline-budget.ts";

/** The timeline of one room in a sync. */
export interface Timeline {
  /** Oldest first, what the viewer may see. */
  events: VisibleEvent[];
  isLimited: boolean;
  prevBatch: string;
  /** State "at the start" is the state after this position. */
  startsAfter: number;
  /** What may have relations among the room's last events; null where some were left out. */
  parents: readonly string[] | null;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "settings">;

/** The timelines of all rooms of a sync, with the same few queries however many they are. */
export async function readTimelines(
  edges: Needs,
  viewer: string,
  plans: readonly RoomPlan[],
  filter: RoomEventFilter,
  ignored: ReadonlySet<string>,
  budget = MOST_EVENTS_A_SYNC,
): Promise<Map<number, Timeline>> {
  const { heads, cut } = await readHeads(
    edges,
    plans.filter(({ roomId }) => matchesRooms(filter, roomId)),
    { limit: filter.limit, budget },
    conditionsOf(filter),
  );
  const events = await openEvents(edges, heads);
  const byRoom = groupBy(events, ({ roomNid }) => roomNid);
  const cuts = plans.map((plan) => {
    const kept = byRoom.get(plan.roomNid)?.reverse() ?? [];
    const startsAfter = kept[0] ? kept[0].position! - 1 : plan.upTo;
    return {
      plan,
      kept,
      startsAfter,
      isLimited: cut.has(plan.roomNid) || plan.isNewlyJoined,
    };
  });
  const hasAll = isUnconditional(filter);
  const standings = await readStandings(
    edges,
    viewer,
    cuts.flatMap(({ plan, kept }) => (kept.length > 0 ? [plan.roomNid] : [])),
    events.map(({ sender }) => sender),
  );
  return new Map(
    cuts.map(({ plan, kept, startsAfter, isLimited }) => {
      const standing = standings.get(plan.roomNid) ?? STRANGER;
      const timeline: Timeline = {
        events: kept.flatMap((event) =>
          event.stateKey === null && ignored.has(event.sender)
            ? []
            : (showEvent(standing, viewer, event) ?? []),
        ),
        isLimited,
        prevBatch: formatPositionToken(startsAfter),
        startsAfter,
        parents: hasAll ? parentsAmong(edges, kept) : null,
      };
      return [plan.roomNid, timeline];
    }),
  );
}
