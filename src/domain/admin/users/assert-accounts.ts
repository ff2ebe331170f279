import { MatrixError } from "../../../core/errors.ts";
import { isUserId } from "../../../core/ids.ts";
import type { Edges } from "../../../edges.ts";
import { listExistingUsers } from "../../../storage/users.ts";

/**
 * Each of them is a user ID, and has an account here.
 * @param otherwise what is said where one is no user ID
 * @throws MatrixError M_INVALID_PARAM, M_NOT_FOUND
 */
export async function assertAccounts(
  { db }: Pick<Edges, "db">,
  userIds: readonly string[],
  otherwise: string,
): Promise<void> {
  if (!userIds.every(isUserId))
    throw new MatrixError("M_INVALID_PARAM", otherwise);
  const known = new Set(await listExistingUsers(db, userIds));
  const unknown = userIds.find((userId) => !known.has(userId));
  if (unknown !== undefined)
    throw new MatrixError("M_NOT_FOUND", `${unknown} has no account here.`);
}
