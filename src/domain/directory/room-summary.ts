import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isRoomAlias, isRoomId } from "../../core/ids.ts";
import { listAliases } from "../../storage/aliases.ts";
import type { Membership } from "../../storage/memberships.ts";
import { findRoom, findRoomByNid, type RoomRow } from "../../storage/rooms.ts";
import {
  describeRooms,
  isAccessible,
  isAccessibleToAnyone,
  readRoomViews,
  type RoomPreview,
} from "./room-view.ts";

type Needs = Pick<Edges, "db" | "keyring" | "memory">;

/**
 * A room as it shows to somebody who may come to know of it. A room that they may
 * not know of is answered like one that does not exist.
 * https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1room_summaryroomidoralias
 */
export async function getRoomSummary(
  edges: Needs,
  viewer: string | undefined,
  roomIdOrAlias: string,
): Promise<RoomPreview & { membership?: Membership }> {
  const room = await findByIdOrAlias(edges, roomIdOrAlias);
  const views = await readRoomViews(edges, viewer, room ? [room.roomNid] : []);
  const view = room && views.get(room.roomNid);
  const isShown =
    view &&
    (viewer === undefined
      ? isAccessibleToAnyone(view, room.isPublished)
      : isAccessible(view));
  if (!isShown) {
    throw new MatrixError(
      "M_NOT_FOUND",
      "This room is not known here, or not to be seen by you.",
    );
  }
  const [summary] = await describeRooms(edges, [view]);
  const { membership } = view;
  return { ...summary!, ...(membership && { membership }) };
}

async function findByIdOrAlias(
  { db }: Needs,
  roomIdOrAlias: string,
): Promise<RoomRow | undefined> {
  if (isRoomId(roomIdOrAlias)) return findRoom(db, roomIdOrAlias);
  if (!isRoomAlias(roomIdOrAlias)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "This is neither a room id nor a room alias.",
    );
  }
  const [alias] = await listAliases(db, [roomIdOrAlias]);
  return alias && findRoomByNid(db, alias.roomNid);
}
