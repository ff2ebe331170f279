import type { Edges } from "../../edges.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import { limitExceeded } from "../accounts/rate-limits.ts";

/** What many may do to one room at once. */
export type RoomLimitKind =
  "roomMessage" | "roomJoin" | "roomInvite" | "roomKnock";

type Needs = Pick<Edges, "asker" | "memory" | "now" | "settings">;

interface Bucket {
  tokens: number;
  ts: number;
}

const REMEMBERED_ROOMS = 20_000;

const buckets = slot(
  () => new WeightedCache<string, Bucket>(REMEMBERED_ROOMS, () => 1),
);

/**
 * Runs what a user asked to do to a room, where the room's bucket holds enough. What is
 * refused is given back: nobody empties the bucket of a room that they may do nothing in.
 * Each process counts what it does itself, since a shared bucket would cost each send a
 * statement.
 * @throws MatrixError M_LIMIT_EXCEEDED
 */
export async function withinRoomLimit<T>(
  edges: Needs,
  kind: RoomLimitKind,
  roomNid: number,
  { userId }: { userId: string },
  act: () => Promise<T>,
): Promise<T> {
  const isOwnAct = edges.asker?.userId === userId;
  if (!edges.settings.rateLimitsEnabled || !isOwnAct) return act();
  const bucket = take(edges, kind, roomNid);
  try {
    return await act();
  } catch (error) {
    bucket.tokens += 1;
    throw error;
  }
}

function take(
  { memory, now, settings }: Needs,
  kind: RoomLimitKind,
  roomNid: number,
): Bucket {
  const limit = settings.rateLimits[kind];
  if (!limit) throw new TypeError(`There is no rate limit "${kind}".`);
  const all = memory.of(buckets);
  const key = `${kind} ${roomNid}`;
  let bucket = all.get(key);
  if (!bucket) {
    bucket = { tokens: limit.burst, ts: now() };
    all.set(key, bucket);
  }
  const perMs = limit.perSecond / 1000;
  const passedMs = Math.max(0, now() - bucket.ts);
  bucket.tokens = Math.min(limit.burst, bucket.tokens + passedMs * perMs);
  bucket.ts = now();
  if (bucket.tokens < 1)
    throw limitExceeded(Math.ceil((1 - bucket.tokens) / perMs));
  bucket.tokens -= 1;
  return bucket;
}
