import type { Edges } from "../../edges.ts";
import { DEVICE_LISTS_TOPIC, type HeardHint } from "../../storage/notifier.ts";
import type { Span } from "../../storage/span.ts";
import { MOST_EVENTS_A_ROOM } from "./room-delta.ts";
import { MOST_EVENTS_A_SYNC } from "./timeline-budget.ts";
import { isUnconditional } from "./sync-filter.ts";
import type { SyncRequest } from "./sync-request.ts";
import type { SyncToken } from "./sync-token.ts";
import type { UserView } from "./user-view.ts";

/** A request for what came after a token. */
export type SinceRequest = SyncRequest & { since: SyncToken };

/** What a user who was not touched has to be told of: the rooms, by what is remembered of the stream. */
export interface QuickNews {
  /** Joined rooms that were touched. */
  spans: ReadonlyMap<number, Span>;
  /** Joined rooms in which somebody began or ceased to type. */
  typing: ReadonlySet<number>;
}

/** Undefined where the news may be more than that. */
export function findQuickNews(
  { notifier, settings }: Pick<Edges, "notifier" | "settings">,
  request: SinceRequest,
  view: UserView,
  mark: number,
): QuickNews | undefined {
  const { since, filter, requester, isFullState } = request;
  if (isFullState || filter.eventFields !== null) return undefined;
  if (filter.eventFormat !== "client") return undefined;
  if (!isUnconditional(filter.room.timeline)) return undefined;
  // Messages to the device are left over from before.
  if (since.toDevicePosition !== since.position) return undefined;
  if (since.position > view.upTo) return undefined;
  if (notifier.isTouched(requester.userId, since.position)) return undefined;
  if (notifier.isTouched(DEVICE_LISTS_TOPIC, since.position)) return undefined;
  const all = notifier.spansBetween(since.position, view.upTo);
  const hints = notifier.ephemeralBetween(since.mark, mark);
  const typing =
    hints &&
    typingRooms(hints, view, {
      userId: requester.userId,
      hasPresence: settings.presenceEnabled,
    });
  if (!all || !typing) return undefined;
  const spans = new Map<number, Span>();
  for (const [roomNid, span] of all) {
    if (view.joined.has(roomNid)) spans.set(roomNid, span);
  }
  // The whole answer shares out what is too much for one.
  const most = (spans.size + typing.size) * MOST_EVENTS_A_ROOM;
  return most > MOST_EVENTS_A_SYNC ? undefined : { spans, typing };
}

/** Undefined where there is presence to be told of. */
function typingRooms(
  hints: readonly HeardHint[],
  { joined }: UserView,
  { userId, hasPresence }: { userId: string; hasPresence: boolean },
): Set<number> | undefined {
  const typing = new Set<number>();
  for (const { rooms, users } of hints) {
    const shared = rooms.filter((roomNid) => joined.has(roomNid));
    const isPresence = users.length > 0;
    if (isPresence) {
      const isShown = shared.length > 0 || users.includes(userId);
      if (hasPresence && isShown) return undefined;
    } else {
      for (const roomNid of shared) typing.add(roomNid);
    }
  }
  return typing;
}
