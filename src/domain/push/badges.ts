import type { Edges } from "../../edges.ts";
import { listUnreadRooms } from "../../storage/badges.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { mapIgnoredInviters } from "../accounts/ignored-inviters.ts";
import { readIgnoredBy } from "./ignored-by.ts";

interface Badge {
  /** The position at which it is right. */
  at: number;
  /** Rooms with something unread, and invites. */
  rooms: Set<number>;
}

const badges = slot(
  () =>
    new WeightedCache<string, Badge>(1_000_000, ({ rooms }) => 3 + rooms.size),
);

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "notifier">;

/**
 * In how many rooms each of the users has something unread: what an app shows as its
 * badge. The same few queries for all whose counts are not known.
 */
export async function readBadges(
  edges: Needs,
  userIds: readonly string[],
): Promise<(userId: string) => number> {
  const { db, memory, notifier } = edges;
  const cache = memory.of(badges);
  const found = new Map<string, number>();
  const missing: string[] = [];
  for (const userId of new Set(userIds)) {
    const known = cache.get(userId);
    if (known && !notifier.isTouched(userId, known.at))
      found.set(userId, known.rooms.size);
    else missing.push(userId);
  }
  if (missing.length > 0) {
    const at = notifier.position;
    const read = new Map(
      missing.map((userId) => [userId, { at, rooms: new Set<number>() }]),
    );
    const ignored = await readIgnoredBy(edges, missing);
    const pairs = missing.flatMap((userId) =>
      [...(ignored.get(userId) ?? [])]
        .filter((sender) => !sender.includes("\0"))
        .map((sender) => ({ userId, sender })),
    );
    const unread = await listUnreadRooms(db, missing, pairs);
    const isIgnored = await mapIgnoredInviters(
      edges,
      unread.flatMap(({ userId, inviter }) => (inviter === null ? [] : userId)),
    );
    for (const { userId, roomNid, inviter } of unread) {
      if (inviter === null || !isIgnored(userId, inviter))
        read.get(userId)!.rooms.add(roomNid);
    }
    for (const [userId, badge] of read) {
      cache.set(userId, badge);
      found.set(userId, badge.rooms.size);
    }
  }
  return (userId) => found.get(userId) ?? 0;
}

/** An event notifies the user. */
export function noteUnread(
  { memory }: Pick<Edges, "memory">,
  userId: string,
  { roomNid, position }: { roomNid: number; position: number },
): void {
  const badge = memory.of(badges).get(userId);
  if (badge && badge.at < position) badge.rooms.add(roomNid);
}

/** What the user has unread may be less now. */
export const forgetBadge = (
  { memory }: Pick<Edges, "memory">,
  userId: string,
): void => memory.of(badges).delete(userId);
