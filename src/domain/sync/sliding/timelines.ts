import type { Edges } from "../../../edges.ts";
import type { EventHead } from "../../../storage/events.ts";
import { listTimelines } from "../../../storage/sync-timeline.ts";
import { listErasures } from "../../../storage/users.ts";
import { groupBy } from "../../../util/group-by.ts";
import { showEvent, type Standing, STRANGER } from "../../rooms/gate.ts";
import type { StoredEvent } from "../../rooms/stored-event.ts";
import { NO_CONDITIONS } from "../sync-filter.ts";
import type { EnteredRoom, ShownTimeline } from "./entered-room.ts";

/** The newest events of rooms, as many of each as are wanted, and the rooms that have more. */
export async function listHeads(
  db: Edges["db"],
  rooms: readonly EnteredRoom[],
): Promise<{ heads: EventHead[]; cut: ReadonlySet<number> }> {
  // One more than is shown tells whether there are more.
  const all = await listTimelines(
    db,
    rooms.flatMap(({ task, roomNid, upTo, limit }) =>
      limit === 0
        ? []
        : {
            roomNid,
            after: task.isExpanded ? 0 : task.after,
            upTo,
            limit: limit + 1,
          },
    ),
    NO_CONDITIONS,
  );
  const byRoom = groupBy(all, ({ roomNid }) => roomNid);
  const cut = new Set<number>();
  const heads: EventHead[] = [];
  for (const { roomNid, limit } of rooms) {
    const newest = byRoom.get(roomNid) ?? [];
    if (newest.length > limit) cut.add(roomNid);
    heads.push(...newest.slice(0, limit));
  }
  return { heads, cut };
}

/** How the viewer stood to the rooms, with what those who said something there had erased. */
export async function withErasures(
  db: Edges["db"],
  standings: ReadonlyMap<number, Standing>,
  heads: readonly EventHead[],
): Promise<Map<number, Standing>> {
  const senders = new Set(heads.map(({ sender }) => sender));
  const erasures = await listErasures(db, [...senders]);
  return new Map(
    [...standings].map(([roomNid, standing]) => [
      roomNid,
      { ...standing, erasures },
    ]),
  );
}

/** What the viewer may see of the events, oldest first. */
export function showTimeline(
  { roomNid, upTo }: EnteredRoom,
  viewer: string,
  newest: readonly StoredEvent[],
  standing: Standing = STRANGER,
  { cut, ignored }: { cut: ReadonlySet<number>; ignored: ReadonlySet<string> },
): ShownTimeline {
  const events = newest.toReversed();
  const [first] = events;
  return {
    events: events.flatMap((event) =>
      event.stateKey === null && ignored.has(event.sender)
        ? []
        : (showEvent(standing, viewer, event) ?? []),
    ),
    startsAfter: first ? first.position! - 1 : upTo,
    isLimited: cut.has(roomNid),
  };
}
