import type { Edges } from "../../edges.ts";
import { matchesRooms, type RoomEventFilter } from "../../core/filter.ts";
import { listTimelines } from "../../storage/sync-timeline.ts";
import { openEvents, type StoredEvent } from "../rooms/event-store.ts";
import {
  readStandings,
  showEvent,
  STRANGER,
  type VisibleEvent,
} from "../rooms/gate.ts";
import { formatPositionToken } from "../rooms/paging-token.ts";
import type { RoomPlan } from "./room-plan.ts";
import { conditionsOf } from "./sync-filter.ts";

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
): Promise<Map<number, Timeline>> {
  const { limit } = filter;
  const heads = await listTimelines(
    edges.db,
    plans.filter(({ roomId }) => matchesRooms(filter, roomId)),
    limit + 1,
    conditionsOf(filter),
  );
  const events = await openEvents(edges, heads);
  const byRoom = new Map<number, StoredEvent[]>();
  for (const event of events) {
    const list = byRoom.get(event.roomNid);
    if (list) list.push(event);
    else byRoom.set(event.roomNid, [event]);
  }
  const cuts = plans.map((plan) => {
    const newestFirst = byRoom.get(plan.roomNid) ?? [];
    const kept = newestFirst.slice(0, limit).reverse();
    const startsAfter = kept[0] ? kept[0].position! - 1 : plan.upTo;
    return {
      plan,
      kept,
      startsAfter,
      isLimited: newestFirst.length > limit || plan.isNewlyJoined,
    };
  });
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
      };
      return [plan.roomNid, timeline];
    }),
  );
}
