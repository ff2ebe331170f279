import type { Edges } from "../../edges.ts";
import { listWithheld, type PolicyEdges } from "../policies/enforce.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";

/** The ids of the rooms that a user is joined to. */
export async function listJoinedRooms(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<string[]> {
  const joined = await listMembershipsOf(db, userId, ["join"]);
  return joined.map(({ roomId }) => roomId);
}

/** The same without those that a policy withholds from them at the moment. */
export async function listReadableJoinedRooms(
  edges: PolicyEdges,
  userId: string,
): Promise<string[]> {
  const joined = await listMembershipsOf(edges.db, userId, ["join"]);
  const withheld = await listWithheld(
    edges,
    userId,
    joined.map(({ roomNid }) => roomNid),
  );
  return joined.flatMap(({ roomId, roomNid }) =>
    withheld.has(roomNid) ? [] : roomId,
  );
}
