import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { listHeadsByTime } from "../../storage/surroundings.ts";
import { readStandings, showEvent, STRANGER } from "./gate.ts";
import { getReadableState } from "./read-state.ts";
import { StoredEvent } from "./stored-event.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

const PAGE = 1_000;
/** Pages that are read on for somebody who may see nothing of the first ones. */
const MOST_PAGES = 20;

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
  const edge = isBackwards ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER;
  let from = { ts, depth: edge, arrival: edge };
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const heads = await listHeadsByTime(
      edges.db,
      room.roomNid,
      from,
      isBackwards,
      page === 0 ? 20 : PAGE,
    );
    // Whether it may be seen does not depend on what it says: none of them is opened.
    const found = heads.find((head) =>
      showEvent(standing, userId, new StoredEvent(head, room, "")),
    );
    if (found) {
      const { eventId, originServerTs } = found;
      return { eventId, originServerTs };
    }
    const last = heads.at(-1);
    if (!last) break;
    const { originServerTs, depth, arrival } = last;
    from = { ts: originServerTs, depth, arrival: arrival ?? 0 };
  }
  throw new MatrixError(
    "M_NOT_FOUND",
    "There is no event of that time that you may see.",
  );
}
