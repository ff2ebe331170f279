import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { findMembership } from "../../storage/memberships.ts";
import { findRoom } from "../../storage/rooms.ts";
import type { Requester } from "../accounts/requester.ts";
import { getJoinedRoom } from "../rooms/joined-room.ts";
import type { WriterEdges } from "../rooms/room-writer.ts";
import { readAliasPower } from "./alias-power.ts";

/**
 * Whether the room directory lists a room. That a room exists which it does not
 * list is told to nobody who was never in it.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid
 */
export async function isRoomPublished(
  { db }: Pick<Edges, "db">,
  userId: string | undefined,
  roomId: string,
): Promise<boolean> {
  const room = await findRoom(db, roomId);
  if (room?.isPublished) return true;
  const standing =
    room &&
    userId !== undefined &&
    (await findMembership(db, userId, room.roomNid));
  if (standing) return false;
  throw new MatrixError("M_NOT_FOUND", "This room is not known here.");
}

/**
 * Lists a room in the directory, or takes it out: by who may change its aliases.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid
 */
export async function setRoomPublished(
  edges: WriterEdges,
  { userId }: Pick<Requester, "userId">,
  roomId: string,
  isPublished: boolean,
): Promise<void> {
  const { roomNid } = await getJoinedRoom(edges, userId, roomId);
  const { mayChange } = await readAliasPower(edges, roomNid, userId);
  if (!mayChange) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "Only who may change the room's aliases may change whether it is listed.",
    );
  }
  await edges.committer.commit({
    positions: 1,
    rows: { roomPublications: [{ roomNid, isPublished }] },
  });
}
