import type { Edges } from "../../edges.ts";
import { listPowers } from "../../storage/authority.ts";
import type { Requester } from "../accounts/requester.ts";
import { narrow } from "./can.ts";
import { judge, powerOf } from "./judge.ts";
import type { Permission } from "./permissions.ts";

/**
 * Over which of these users somebody may not do what they may do in the whole server: such
 * as hold more power than they do. Asked at once, however many they are.
 */
export async function listBeyond(
  { db }: Pick<Edges, "db">,
  who: Pick<Requester, "userId" | "adminToken">,
  permission: Permission,
  userIds: readonly string[],
): Promise<string[]> {
  const rows = await listPowers(db, [...new Set([who.userId, ...userIds])]);
  const own = rows
    .filter(({ userId }) => userId === who.userId)
    .map(powerOf)
    .map((power) => narrow(power, who));
  const powersOf = (userId: string) =>
    rows
      .filter((row) => row.userId === userId && userId !== who.userId)
      .map(powerOf);
  return userIds.filter((userId) => {
    const theirs = powersOf(userId);
    const question = { permission, resource: { userId }, own, theirs };
    return judge(question) !== "allowed";
  });
}
