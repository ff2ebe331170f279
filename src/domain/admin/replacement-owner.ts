import { MatrixError } from "../../core/errors.ts";
import { isCompliantUserId } from "../../core/ids.ts";
import type { Edges, Settings } from "../../edges.ts";
import { findUser } from "../../storage/users.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import { noticesUserId } from "../rooms/server-notices.ts";
import type { ActingAdministrator } from "./administrator.ts";
import { assertMay } from "./users/act.ts";

type Needs = Parameters<typeof assertMay>[0] & Pick<Edges, "settings">;

/** Whether to make a room as this one is to act in somebody else's name. */
export const isSomebodyElse = (
  settings: Pick<Settings, "serverName" | "serverNotices">,
  asker: string,
  userId: string,
): boolean => userId !== asker && userId !== noticesUserId(settings);

/**
 * A room in place of a deleted one has an owner, who says in it why: the asker, the account
 * of the server's notices, or whom the asker may act as.
 */
export async function assertMayMakeRoomAs(
  edges: Needs,
  by: ActingAdministrator,
  userId: string,
  roomId: string,
): Promise<void> {
  const { db, settings } = edges;
  const isOwn = isCompliantUserId(userId) && isLocalUser(settings, userId);
  const user = isOwn ? await findUser(db, userId) : undefined;
  if (!user || user.isDeactivated) {
    throw new MatrixError(
      "M_INVALID_PARAM",
      "new_room_user_id must be an account of this server.",
    );
  }
  const asker = by.requester.userId;
  // Where somebody logs in by that name, it is not the server that speaks.
  const isPersons = userId !== asker && user.passwordHash !== null;
  if (isPersons || isSomebodyElse(settings, asker, userId))
    await assertMay(edges, by, "users.impersonate", { userId, roomId });
}
