import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { listAliases } from "../../storage/aliases.ts";
import { mapRoomIdentities } from "../rooms/room-identity.ts";

/** The room id of a room id or an alias. Throws `M_INVALID_PARAM`, `M_NOT_FOUND`. */
export async function resolveRoom(
  edges: Pick<Edges, "db" | "memory">,
  roomIdOrAlias: string,
): Promise<string> {
  if (roomIdOrAlias.startsWith("!")) return roomIdOrAlias;
  return resolveAlias(edges, roomIdOrAlias);
}

export async function resolveAlias(
  edges: Pick<Edges, "db" | "memory">,
  alias: string,
): Promise<string> {
  if (!alias.startsWith("#") || !alias.includes(":")) {
    throw new MatrixError("M_INVALID_PARAM", "This is neither a room id nor a room alias.");
  }
  const [row] = await listAliases(edges.db, [alias]);
  const room = row && (await mapRoomIdentities(edges, [row.roomNid])).get(row.roomNid);
  if (!room) throw new MatrixError("M_NOT_FOUND", "This room alias is not known here.");
  return room.roomId;
}
