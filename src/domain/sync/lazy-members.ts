import { slot } from "../../util/process-memory.ts";
import type { Edges } from "../../edges.ts";
import { WeightedCache } from "../../util/weighted-cache.ts";
import type { Requester } from "../accounts/requester.ts";
import type { RoomPlan } from "./room-plan.ts";
import type { SyncToken } from "./sync-token.ts";

/** A member event, and the position of the answer that held it. */
interface Entry {
  nid: number;
  at: number;
}

type Sent = ReadonlyMap<string, Entry>;

const sentMembers = slot(
  () => new WeightedCache<string, Sent>(500_000, ({ size }) => 1 + size),
);

/**
 * Which member events a device has been sent, so that they need not be sent again.
 * What this process remembers counts only where the client's token says that it
 * has the answer, and has begun anew, or come into the room, not after it: the
 * client may have asked another process for that. Forgetting only repeats.
 */
export function sentMembersOf(
  { memory }: Pick<Edges, "memory">,
  { userId, deviceId }: Pick<Requester, "userId" | "deviceId">,
  { roomNid, isNew, ownPosition, upTo }: RoomPlan,
  since: SyncToken | null,
) {
  const cache = memory.of(sentMembers);
  const key = `${roomNid} ${deviceId} ${userId}`;
  const known = since === null || isNew ? [] : (cache.get(key) ?? []);
  const first = Math.max(since?.start ?? 0, ownPosition);
  const sent = new Map(
    [...known].filter(
      ([, { at }]) => at >= first && at <= (since?.position ?? 0),
    ),
  );
  return {
    isSent: (stateKey: string, nid: number): boolean =>
      sent.get(stateKey)?.nid === nid,
    add(entries: Iterable<readonly [stateKey: string, nid: number]>): void {
      for (const [stateKey, nid] of entries) {
        if (sent.get(stateKey)?.nid !== nid)
          sent.set(stateKey, { nid, at: upTo });
      }
      cache.set(key, sent);
    },
  };
}

/** Whether the client has been sent this member event, by the same measure. */
export function isMemberSent(
  { memory }: Pick<Edges, "memory">,
  { userId, deviceId }: Pick<Requester, "userId" | "deviceId">,
  place: { roomNid: number; stateKey: string; nid: number },
  reach: { from: number; upTo: number },
): boolean {
  const key = `${place.roomNid} ${deviceId} ${userId}`;
  const entry = memory.of(sentMembers).get(key)?.get(place.stateKey);
  return (
    entry?.nid === place.nid && entry.at >= reach.from && entry.at <= reach.upTo
  );
}
