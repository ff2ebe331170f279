import type { Edges } from "../../edges.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";

/** The ids of the rooms that a user is joined to. */
export async function listJoinedRooms(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<string[]> {
  const joined = await listMembershipsOf(db, userId, ["join"]);
  return joined.map(({ roomId }) => roomId);
}
