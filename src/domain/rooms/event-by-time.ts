import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { Span } from "../../storage/span.ts";
import { listHeadsByTime } from "../../storage/surroundings.ts";
import {
  readStandings,
  showEvent,
  type Standing,
  STRANGER,
  visibleSpans,
} from "./gate.ts";
import { getReadableState } from "./read-state.ts";
import { StoredEvent } from "./stored-event.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/** Events that are passed over for somebody who may see none of them. */
const MOST_PASSED = 20_000;
const MOST_LOOKED_AT = 20;

/**
 * The event nearest to a time, at it or on one side of it, of those that the user may
 * see. Of events at one time the nearest in the room's order.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event
 */
export async function getEventByTime(
  edges: Needs,
  userId: string,
  roomId: string,
  ts: number,
  isBackwards: boolean,
): Promise<{ eventId: string; originServerTs: number }> {
  const readable = await getReadableState(edges, userId, roomId);
  const { room } = readable;
  const standings = await readStandings(edges, userId, [room.roomNid]);
  const standing = standings.get(room.roomNid) ?? STRANGER;
  const heads = await listHeadsByTime(edges.db, room.roomNid, {
    ts,
    isBackwards,
    parts: seenParts(standing),
    mostPassed: MOST_PASSED,
    limit: MOST_LOOKED_AT,
  });
  // Whether it may be seen does not depend on what it says: none of them is opened.
  const found = heads.find((head) =>
    showEvent(standing, userId, new StoredEvent(head, room, "")),
  );
  if (found) {
    const { eventId, originServerTs } = found;
    return { eventId, originServerTs };
  }
  throw new MatrixError(
    "M_NOT_FOUND",
    "There is no event of that time that you may see.",
  );
}

/** Where everything that the viewer may see of a room stands; null: anywhere. */
function seenParts(standing: Standing): Span[] | null {
  const spans = visibleSpans(standing);
  // A part begins with what opens it, which is seen too; so are all of one's own memberships.
  return (
    spans && [
      ...spans.map(({ after, upTo }) => ({ after: after - 1, upTo })),
      ...standing.membership.map(({ position }) => ({
        after: position - 1,
        upTo: position,
      })),
    ]
  );
}
