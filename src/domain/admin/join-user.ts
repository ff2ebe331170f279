import { MatrixError } from "../../core/errors.ts";
import { isUserId, type UserId } from "../../core/ids.ts";
import type { Edges } from "../../edges.ts";
import { findMembership } from "../../storage/memberships.ts";
import { findUser } from "../../storage/users.ts";
import { resolveRoom } from "../directory/resolve-room.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import { inviteUser, joinRoom } from "../rooms/membership.ts";
import type { WriterEdges } from "../rooms/room-writer.ts";
import type { ActingAdministrator } from "./administrator.ts";
import { getRoomForAdmin } from "./room-details.ts";

/** A user of this server. @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND */
export async function assertLocalUser(
  { db, settings }: Pick<Edges, "db" | "settings">,
  userId: string,
): Promise<UserId> {
  if (!isUserId(userId) || !isLocalUser(settings, userId))
    throw new MatrixError(
      "M_INVALID_PARAM",
      "This can be done with users of this server only.",
    );
  const user = await findUser(db, userId);
  if (user && !user.isDeactivated) return userId;
  throw new MatrixError("M_NOT_FOUND", "There is no such account here.");
}

/**
 * Brings a user into a room. Where the room lets nobody in without an invite, the
 * administrator has to be one who may invite.
 */
export async function joinUserToRoom(
  edges: WriterEdges,
  by: ActingAdministrator,
  roomIdOrAlias: string,
  userId: string,
): Promise<string> {
  const target = await assertLocalUser(edges, userId);
  const roomId = await resolveRoom(edges, roomIdOrAlias);
  const room = await getRoomForAdmin(edges, roomId);
  edges.trail?.note({
    resource: { type: "room", id: roomId },
    after: { user: userId },
  });
  const who = { userId: target, isGuest: false };
  try {
    await joinRoom(edges, who, roomId);
  } catch (error) {
    const isRefused =
      error instanceof MatrixError && error.errcode === "M_FORBIDDEN";
    const { userId: adminId } = by.requester;
    const own = await findMembership(edges.db, adminId, room.roomNid);
    if (!isRefused || own?.membership !== "join" || adminId === target)
      throw error;
    await inviteUser(edges, by.requester, roomId, target);
    await joinRoom(edges, who, roomId);
  }
  return roomId;
}
