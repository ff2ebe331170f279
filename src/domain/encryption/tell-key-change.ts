import type { Edges } from "../../edges.ts";
import { listMembershipsOf } from "../../storage/memberships.ts";
import type { Write } from "../../storage/write.ts";

/** Whom new keys of a user concern: the user, and who shares a room. */
export async function wakeForKeys(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<NonNullable<Write["wake"]>> {
  const joined = await listMembershipsOf(db, userId, ["join"]);
  return { users: [userId], rooms: joined.map(({ roomNid }) => roomNid) };
}
