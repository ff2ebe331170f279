import type { Edges } from "../../edges.ts";
import {
  listChangedDeviceLists,
  listNewlySharing,
  listNoLongerSharing,
  listStays,
  type Stay,
} from "../../storage/device-lists.ts";
import type { Span } from "../../storage/span.ts";

export interface DeviceLists {
  changed: string[];
  left: string[];
}

/** What became of a user's rooms in a span of the stream. */
export interface RoomsOfSpan {
  /** Rooms that the user came into. */
  joined: readonly number[];
  /** Rooms that the user went out of. */
  left: readonly number[];
  /** Rooms that the user was in at both ends; those in which nothing happened may be left out. */
  kept: readonly number[];
}

/**
 * Whose keys a client that knew all of them at the span's start has to ask for at its
 * end, and whose it need not follow any more. What is between the ends and left no
 * trace at them is told to nobody.
 * https://spec.matrix.org/v1.19/client-server-api/#tracking-the-device-list-for-a-user
 */
export async function readDeviceListsOf(
  db: Edges["db"],
  userId: string,
  rooms: RoomsOfSpan,
  span: Span,
): Promise<DeviceLists> {
  const changed = await listChangedDeviceLists(db, userId, span);
  const arrived = await listNewlySharing(db, userId, rooms, span);
  const left = await listNoLongerSharing(db, userId, rooms, span);
  return { changed: [...new Set([...changed, ...arrived])], left };
}

/** The same between any two positions, whatever happened since. */
export async function readDeviceListsBetween(
  db: Edges["db"],
  userId: string,
  span: Span,
): Promise<DeviceLists> {
  const stays = await listStays(db, userId, span);
  const first = roomsAt(stays, span.after);
  const last = roomsAt(stays, span.upTo);
  const rooms = {
    joined: [...last].filter((roomNid) => !first.has(roomNid)),
    left: [...first].filter((roomNid) => !last.has(roomNid)),
    kept: [...first].filter((roomNid) => last.has(roomNid)),
  };
  return readDeviceListsOf(db, userId, rooms, span);
}

const roomsAt = (stays: readonly Stay[], position: number): Set<number> =>
  new Set(
    stays
      .filter(
        ({ joinedPosition, leftPosition }) =>
          joinedPosition <= position &&
          (leftPosition === null || leftPosition > position),
      )
      .map(({ roomNid }) => roomNid),
  );
