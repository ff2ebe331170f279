import type { Edges } from "../../edges.ts";
import { findMembership } from "../../storage/memberships.ts";
import {
  areUnlimited,
  isWithheld,
  type PolicyEdges,
} from "../policies/enforce.ts";
import { notJoined } from "./append-event.ts";
import { findRoomIdentity, type RoomIdentity } from "./room-identity.ts";

type Needs = PolicyEdges;

/**
 * The room that a user speaks in, before auth asks whether they may: one that
 * does not exist is answered like one they are not in.
 */
export async function getRoomToSpeakIn(
  edges: Pick<Edges, "db" | "memory">,
  roomId: string,
): Promise<RoomIdentity> {
  const room = await findRoomIdentity(edges, roomId);
  if (!room) throw notJoined();
  return room;
}

/** As `getRoomToSpeakIn`, for acts that look at the room before auth does. */
export async function getJoinedRoom(
  edges: Needs,
  userId: string,
  roomId: string,
): Promise<RoomIdentity> {
  const room = await getRoomToSpeakIn(edges, roomId);
  const standing = await findMembership(edges.db, userId, room.roomNid);
  if (standing?.membership !== "join") throw notJoined();
  if (!areUnlimited(edges) && (await isWithheld(edges, userId, room.roomNid)))
    throw notJoined();
  return room;
}
