import type { Edges } from "../../../edges.ts";
import type { PolicyEdges } from "../../policies/enforce.ts";
import { formatPositionToken } from "../../rooms/paging-token.ts";
import { readSubscriptionChanges } from "../../rooms/thread-subscriptions.ts";
import type { SlidingPos } from "./sliding-pos.ts";

/**
 * The extension for subscriptions to threads (MSC4308) as JSON text: the newest that
 * changed, and where the others can be asked for; null where there are none.
 */
export async function extendThreadSubscriptions(
  edges: PolicyEdges & Pick<Edges, "notifier">,
  userId: string,
  limit: number,
  pos: SlidingPos | null,
  upTo: number,
): Promise<{ text: string; isEmpty: boolean } | null> {
  const after = pos?.hasThreadSubscriptions ? pos.position : 0;
  const isQuiet = after > 0 && !edges.notifier.isTouched(userId, after);
  if (isQuiet) return null;
  const { changes, moreUpTo } = await readSubscriptionChanges(edges, userId, {
    after,
    upTo,
    limit,
  });
  const parts = Object.entries(changes).filter(
    ([, rooms]) => Object.keys(rooms).length > 0,
  );
  if (parts.length === 0) return null;
  const text = JSON.stringify({
    ...Object.fromEntries(parts),
    ...(moreUpTo !== null && { prev_batch: formatPositionToken(moreUpTo) }),
  });
  return { text, isEmpty: false };
}
