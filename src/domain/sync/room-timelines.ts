import type { Edges } from "../../edges.ts";
import { matchesRooms, type RoomEventFilter } from "../../core/filter.ts";
import type { EventHead } from "../../storage/events.ts";
import { openEvents } from "../rooms/event-store.ts";
import {
  readStandings,
  showEvent,
  STRANGER,
  type VisibleEvent,
} from "../rooms/gate.ts";
import { groupBy } from "../../util/group-by.ts";
import { formatPositionToken } from "../rooms/paging-token.ts";
import type { RoomPlan } from "./room-plan.ts";
import { conditionsOf } from "./sync-filter.ts";
import { MOST_EVENTS_A_SYNC, readHeads } from "./timeline-budget.ts";

/** The timeline of one room in a sync. */
export interface Timeline {
  /** Oldest first, what the viewer may see. */
  events: VisibleEvent[];
  isLimited: boolean;
  prevBatch: string;
  /** State "at the start" is the state after this position. */
  startsAfter: number;
}

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

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
  const shown = await showHeads(edges, viewer, plans, heads, ignored);
  return new Map(
    plans.map((plan) => {
      const { events, startsAfter } = shown.get(plan.roomNid)!;
      const timeline: Timeline = {
        events,
        isLimited: cut.has(plan.roomNid) || plan.isNewlyJoined,
        prevBatch: formatPositionToken(startsAfter),
        startsAfter,
      };
      return [plan.roomNid, timeline];
    }),
  );
}

/**
 * What the viewer may see of events, oldest first in each room.
 * @param heads newest first in each room
 */
export async function showHeads(
  edges: Needs,
  viewer: string,
  rooms: readonly { roomNid: number; upTo: number }[],
  heads: readonly EventHead[],
  ignored: ReadonlySet<string>,
): Promise<Map<number, Pick<Timeline, "events" | "startsAfter">>> {
  const events = await openEvents(edges, heads);
  const standings = await readStandings(
    edges,
    viewer,
    heads.map(({ roomNid }) => roomNid),
    heads.map(({ sender }) => sender),
  );
  const byRoom = groupBy(events, ({ roomNid }) => roomNid);
  return new Map(
    rooms.map(({ roomNid, upTo }) => {
      const kept = byRoom.get(roomNid)?.reverse() ?? [];
      const standing = standings.get(roomNid) ?? STRANGER;
      const visible = kept.flatMap((event) =>
        event.stateKey === null && ignored.has(event.sender)
          ? []
          : (showEvent(standing, viewer, event) ?? []),
      );
      const startsAfter = kept[0] ? kept[0].position! - 1 : upTo;
      return [roomNid, { events: visible, startsAfter }];
    }),
  );
}
