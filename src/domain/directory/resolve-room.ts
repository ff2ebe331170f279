import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isRoomAlias } from "../../core/ids.ts";
import { listAliases } from "../../storage/aliases.ts";
import { mapRoomIdentities } from "../rooms/room-identity.ts";

type Needs = Pick<Edges, "db" | "memory">;

/** The room id of a room id or an alias. Throws `M_INVALID_PARAM`, `M_NOT_FOUND`. */
export async function resolveRoom(
  edges: Needs,
  roomIdOrAlias: string,
): Promise<string> {
  if (roomIdOrAlias.startsWith("!")) return roomIdOrAlias;
  return resolveAlias(edges, roomIdOrAlias);
}

export async function resolveAlias(
  edges: Needs,
  alias: string,
): Promise<string> {
  if (!isRoomAlias(alias)) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "This is neither a room id nor a room alias.",
    );
  }
  const roomId = await findRoomOfAlias(edges, alias);
  if (roomId !== undefined) return roomId;
  throw new MatrixError("M_NOT_FOUND", "This room alias is not known here.");
}

/** The room that an alias of this server leads to. */
export async function findRoomOfAlias(
  edges: Needs,
  alias: string,
): Promise<string | undefined> {
  const [row] = await listAliases(edges.db, [alias]);
  const rooms = await mapRoomIdentities(edges, row ? [row.roomNid] : []);
  return row && rooms.get(row.roomNid)?.roomId;
}
