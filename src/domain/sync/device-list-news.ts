import type { Edges } from "../../edges.ts";
import { hasDeviceListChanges } from "../../storage/room-delta.ts";
import { slot } from "../../util/process-memory.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";

const known = slot(
  () => new WeightedCache<string, Promise<boolean>>(1000, () => 1),
);

/** Whether anybody's device list changed in (after, upTo], asked once for all who wait. */
export function isAnyDeviceListNew(
  { db, memory }: Pick<Edges, "db" | "memory">,
  after: number,
  upTo: number,
): Promise<boolean> {
  const cache = memory.of(known);
  const key = `${after} ${upTo}`;
  let answer = cache.get(key);
  if (!answer) {
    answer = hasDeviceListChanges(db, after, upTo);
    cache.set(key, answer);
    answer.catch(() => cache.delete(key));
  }
  return answer;
}
