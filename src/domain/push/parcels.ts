import type { Edges } from "../../edges.ts";
import type { DueRow } from "../../storage/push-queue.ts";
import { groupBy } from "../../util/group-by.ts";
import {
  areUnlimited,
  decidePairs,
  type PolicyEdges,
} from "../policies/enforce.ts";
import { mapEvents } from "../rooms/event-store.ts";
import type { StoredEvent } from "../rooms/stored-event.ts";
import { readBadges } from "./badges.ts";
import { readEventNames } from "./event-names.ts";
import { isIdOnly, type EventNames } from "./notification.ts";
import { openPushers, type PusherDetails } from "./pushers.ts";

/** What one pusher is told next, with all that has to be known for it. */
export interface Parcel {
  pusherId: number;
  pusher: DueRow;
  details: PusherDetails;
  /** The count of unread rooms as it is now. */
  badge: number;
  /** In the order of the stream; no less than one. */
  items: readonly ParcelItem[];
}

export interface ParcelItem {
  row: DueRow;
  /** Absent where only the count is news, or nothing is to be told any more. */
  event?: StoredEvent;
  names: EventNames;
}

/** Nobody wants to be told of what is older. */
const OLDEST_MS = 24 * 60 * 60 * 1000;

/**
 * Parcels of what is due, with one query of each kind for all of them. What is pushed
 * came while its reader was in the room, or is the reader's own invite: by any history
 * visibility they may see it. What was read or redacted since is told to nobody.
 */
export async function packParcels(
  edges: PolicyEdges & Pick<Edges, "notifier">,
  rows: readonly DueRow[],
): Promise<Parcel[]> {
  const groups = [...groupBy(rows, ({ pusherId }) => pusherId).values()];
  const pushers = groups.map(([first]) => first!);
  const due = rows.filter(
    ({ isOver, ageMs, nid }) => !isOver && ageMs < OLDEST_MS && nid !== null,
  );
  const live = areUnlimited(edges) ? due : await readableBy(edges, due);
  const [opened, events, badgeOf] = await Promise.all([
    openPushers(edges, pushers),
    mapEvents(
      edges,
      live.map(({ nid }) => nid!),
    ),
    readBadges(
      edges,
      pushers.map(({ userId }) => userId),
    ),
  ]);
  const isNamed = new Set(
    pushers.flatMap(({ pusherId, kind }, i) =>
      kind === "email" || !isIdOnly(opened[i] ?? NOTHING) ? [pusherId] : [],
    ),
  );
  const namesOf = await readEventNames(
    edges,
    live.flatMap(({ pusherId, nid }) => {
      const event = isNamed.has(pusherId) ? events.get(nid!) : undefined;
      return event ? [event] : [];
    }),
  );
  const alive = new Set(live);
  return groups.flatMap((group, i) => {
    const pusher = pushers[i]!;
    const { pusherId, userId } = pusher;
    const items = group.map((row): ParcelItem => {
      const event = alive.has(row) ? events.get(row.nid!) : undefined;
      return event && event.redactedBy === null
        ? { row, event, names: namesOf(event) }
        : { row, names: {} };
    });
    const details = opened[i] ?? NOTHING;
    return [{ pusherId, pusher, details, badge: badgeOf(userId), items }];
  });
}

/** Without what policies withhold: what a gateway is told goes to wherever the device is. */
async function readableBy(
  edges: PolicyEdges,
  rows: readonly DueRow[],
): Promise<DueRow[]> {
  const nids = rows.map(({ nid }) => nid!);
  const events = await mapEvents(edges, nids);
  const roomOf = ({ nid }: DueRow) => events.get(nid!)?.roomNid ?? 0;
  const decisions = await decidePairs(
    edges,
    rows.map((row) => ({ userId: row.userId, roomNid: roomOf(row) })),
  );
  return rows.filter((_, i) => decisions[i]!.isAllowed);
}

/** Of a pusher whose keys are gone: it has nobody to tell. */
const NOTHING: PusherDetails = {
  app_id: "",
  pushkey: "",
  app_display_name: "",
  device_display_name: "",
  lang: "",
  data: { format: "event_id_only" },
};
