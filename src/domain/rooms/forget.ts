import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { findMembership } from "../../storage/memberships.ts";
import { findRoomIdentity } from "./room-identity.ts";

/**
 * Lets go of a room that one has left: its history is no longer shown.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget
 */
export async function forgetRoom(
  edges: Pick<Edges, "committer" | "db" | "memory">,
  userId: string,
  roomId: string,
): Promise<void> {
  const room = await findRoomIdentity(edges, roomId);
  const standing =
    room && (await findMembership(edges.db, userId, room.roomNid));
  if (!standing) {
    throw new MatrixError("M_FORBIDDEN", "You were never in this room.");
  }
  if (standing.membership !== "leave" && standing.membership !== "ban") {
    throw new MatrixError("M_UNKNOWN", "Leave the room before you forget it.");
  }
  const { roomNid } = standing;
  await edges.committer.commit({
    positions: 1,
    rows: { forgotten: [{ userId, roomNid }] },
    wake: { users: [userId] },
  });
}
