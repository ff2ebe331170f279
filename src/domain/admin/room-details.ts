import { MatrixError } from "../../core/errors.ts";
import type { Edges } from "../../edges.ts";
import {
  listAllCurrentStateHeads,
  listStateHeadsOfType,
} from "../../storage/events.ts";
import { escapeText } from "../../storage/json-text.ts";
import { listMembersOf } from "../../storage/memberships.ts";
import { listJoinedMembers } from "../../storage/room-members.ts";
import {
  countLocalDevices,
  isForgottenByAll,
  listRoomsForAdmin,
} from "../../storage/rooms-admin.ts";
import { openEvents } from "../rooms/event-store.ts";
import { presentState } from "../rooms/present.ts";
import { findRoomIdentity, type RoomIdentity } from "../rooms/room-identity.ts";
import type { ActingAdministrator } from "./administrator.ts";
import type { FoundRoom } from "./list-rooms.ts";
import { readAdminFacts } from "./room-facts.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory" | "now">;

/** @throws MatrixError M_NOT_FOUND */
export async function getRoomForAdmin(
  edges: Pick<Edges, "db" | "memory">,
  roomId: string,
): Promise<RoomIdentity> {
  const room = await findRoomIdentity(edges, roomId);
  if (room) return room;
  throw new MatrixError("M_NOT_FOUND", "This room is not known here.");
}

export type RoomDetails = FoundRoom & {
  joinedLocalDevices: number;
  isForgotten: boolean;
};

/** @throws MatrixError M_NOT_FOUND */
export async function readRoomDetails(
  edges: Needs,
  roomId: string,
): Promise<RoomDetails> {
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  const { rooms } = await listRoomsForAdmin(edges.db, {
    ...{ roomNid, isPublished: null, isEmpty: null, order: "room_id" },
    ...{ isDescending: false, limit: 1, offset: 0 },
  });
  const [room] = rooms;
  if (!room)
    throw new MatrixError("M_NOT_FOUND", "This room is not known here.");
  const [facts] = await readAdminFacts(edges, [room]);
  return {
    ...room,
    facts: facts!,
    joinedLocalDevices: await countLocalDevices(edges.db, roomNid),
    isForgotten: await isForgottenByAll(edges.db, roomNid),
  };
}

/** Who is joined to a room. @throws MatrixError M_NOT_FOUND */
export async function listRoomMembers(
  edges: Needs,
  roomId: string,
): Promise<string[]> {
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  const members = await listMembersOf(edges.db, roomNid, ["join"]);
  return members.map(({ userId }) => userId).sort();
}

/** A page of who is joined to a room. @throws MatrixError M_NOT_FOUND */
export async function searchRoomMembers(
  edges: Pick<Edges, "db" | "memory">,
  roomId: string,
  page: { offset: number; limit: number; isDescending: boolean },
): Promise<{ members: string[]; total: number }> {
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  return listJoinedMembers(edges.db, roomNid, page);
}

/** A room's current state as JSON text, of one type where it is named. */
export async function readRoomState(
  edges: Needs,
  { requester }: Pick<ActingAdministrator, "requester">,
  roomId: string,
  type: string | undefined,
): Promise<string[]> {
  const { roomNid } = await getRoomForAdmin(edges, roomId);
  const heads =
    type === undefined
      ? await listAllCurrentStateHeads(edges.db, roomNid)
      : await listStateHeadsOfType(edges.db, roomNid, escapeText(type));
  const events = await openEvents(edges, heads);
  return presentState(edges, requester, events);
}
