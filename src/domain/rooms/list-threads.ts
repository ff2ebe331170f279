import type { Edges } from "../../edges.ts";
import { listThreadRoots } from "../../storage/relations.ts";
import type { Requester } from "../accounts/requester.ts";
import { readSight } from "./aggregations.ts";
import { openEvents, redactedForm } from "./event-store.ts";
import { showFurtherEvents, type VisibleEvent } from "./gate.ts";
import { formatPositionToken, type PagingStart } from "./paging-token.ts";
import { presentEvents } from "./present.ts";
import { getReadableState } from "./read-state.ts";
import { positionOf } from "./related-events.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

/** Pages that are read on for a client that may see nothing of the first ones. */
const MOST_EMPTY_PAGES = 8;

/**
 * The roots of a room's threads, those with the newest replies first.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidthreads
 */
export async function listThreads(
  edges: Needs,
  requester: Requester,
  roomId: string,
  request: { from: PagingStart | null; limit: number; isParticipated: boolean },
): Promise<{ chunk: string[]; nextBatch?: string }> {
  const { userId } = requester;
  const { from, limit, isParticipated } = request;
  const { room } = await getReadableState(edges, userId, roomId);
  const sight = await readSight(edges, userId, [room]);
  let upTo: number | null = from ? positionOf(from) : Number.MAX_SAFE_INTEGER;
  let shown: VisibleEvent[] = [];
  for (let pages = 0; pages < MOST_EMPTY_PAGES && upTo !== null; pages++) {
    const roots = await listThreadRoots(
      edges.db,
      room.roomNid,
      { upTo, limit, isParticipated },
      sight,
    );
    const last = roots.at(-1);
    upTo = last && roots.length === limit ? last.lastPosition - 1 : null;
    const opened = await openEvents(edges, roots);
    shown = await showFurtherEvents(edges, sight, opened);
    if (shown.length > 0) break;
  }
  const chunk = await presentEvents(
    edges,
    requester,
    shown.map((root) =>
      // "If the thread root event was sent by an ignored user, the event is returned redacted".
      sight.ignoredUsers.has(root.event.sender)
        ? { ...root, event: redactedForm(root.event) }
        : root,
    ),
    { withRoomId: true },
    { ignored: sight.ignoredUsers },
  );
  return {
    chunk,
    ...(upTo === null ? {} : { nextBatch: formatPositionToken(upTo) }),
  };
}
