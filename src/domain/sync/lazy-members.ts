import { slot } from "../../util/process-memory.ts";
import type { Edges } from "../../edges.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import type { Requester } from "../accounts/requester.ts";

type Sent = Map<string, number>;

const sentMembers = slot(
  () => new WeightedCache<string, Sent>(500_000, ({ size }) => 1 + size),
);

/**
 * Which member events a device has been sent, so that they need not be sent
 * again. Forgetting (another process, an eviction) only repeats them.
 */
export function sentMembersOf(
  { memory }: Pick<Edges, "memory">,
  { userId, deviceId }: Pick<Requester, "userId" | "deviceId">,
  roomNid: number,
) {
  const cache = memory.of(sentMembers);
  const key = `${roomNid} ${deviceId} ${userId}`;
  return {
    isSent: (stateKey: string, nid: number): boolean =>
      cache.get(key)?.get(stateKey) === nid,
    add(entries: Iterable<readonly [stateKey: string, nid: number]>): void {
      const sent: Sent = new Map(cache.get(key) ?? []);
      for (const [stateKey, nid] of entries) sent.set(stateKey, nid);
      cache.set(key, sent);
    },
    clear: (): void => cache.delete(key),
  };
}
