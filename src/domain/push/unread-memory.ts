import type { Edges } from "../../edges.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import type { RoomUnread } from "./unread-counts.ts";

interface Remembered {
  /** The position at which the counts are right. */
  at: number;
  unread: RoomUnread;
}

const counts = slot(
  () =>
    new WeightedCache<string, Remembered>(
      400_000,
      ({ unread }) => 1 + Object.keys(unread.threads).length,
    ),
);

/** Whose counts they are. */
export interface Reader {
  userId: string;
  roomNid: number;
  byThread: boolean;
}

const keyOf = ({ userId, roomNid, byThread }: Reader): string =>
  `${roomNid} ${byThread ? "threads" : "room"} ${userId}`;

export function rememberUnread(
  { memory }: Pick<Edges, "memory">,
  reader: Reader,
  at: number,
  unread: RoomUnread,
): void {
  memory.of(counts).set(keyOf(reader), { at, unread });
}

/**
 * Counts at `upTo`, from those that are remembered and `countable` more events in
 * (since, upTo], all of the main timeline and of others. Undefined where what is
 * remembered is of another place, or the user has been touched since.
 */
export function findUnread(
  { memory, notifier }: Pick<Edges, "memory" | "notifier">,
  reader: Reader,
  range: { since: number; upTo: number; countable: number },
): RoomUnread | undefined {
  const known = memory.of(counts).get(keyOf(reader));
  if (!known || notifier.isTouched(reader.userId, known.at)) return undefined;
  const touches = notifier.touchesSince(reader.roomNid, known.at);
  const isAsOf = (position: number): boolean =>
    touches !== undefined &&
    known.at <= position &&
    touches === notifier.touchesSince(reader.roomNid, position);
  if (isAsOf(range.upTo)) return known.unread;
  if (!isAsOf(range.since)) return undefined;
  const { room, threads } = known.unread;
  const count = room.notification_count + range.countable;
  const unread = { room: { ...room, notification_count: count }, threads };
  rememberUnread({ memory }, reader, range.upTo, unread);
  return unread;
}
