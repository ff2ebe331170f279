import { MatrixError } from "../../core/errors.ts";
import type { Edges, Settings } from "../../edges.ts";
import { getTotalUsage, getUsage } from "../../storage/media.ts";
import { userLimitExceeded } from "../accounts/user-limit.ts";

export const quotaExceeded = (settings: Settings): MatrixError =>
  userLimitExceeded(settings, "Your files take all the room that you have.");

/**
 * Refuses before anything is read what is known to be too much; the user's quota
 * is decided when the file is there.
 * @throws MatrixError M_USER_LIMIT_EXCEEDED, M_RESOURCE_LIMIT_EXCEEDED
 */
export async function assertRoomFor(
  { db, settings }: Pick<Edges, "db" | "settings">,
  userId: string,
  bytes: number,
): Promise<void> {
  const { serverQuota, userQuota } = settings.media;
  if (userQuota !== null && (await getUsage(db, userId)) + bytes > userQuota)
    throw quotaExceeded(settings);
  if (serverQuota !== null && (await getTotalUsage(db)) + bytes > serverQuota) {
    throw new MatrixError(
      "M_RESOURCE_LIMIT_EXCEEDED",
      "This server has no room for more files.",
      { admin_contact: adminContactOf(settings) },
    );
  }
}

const adminContactOf = ({ serverName, support }: Settings): string => {
  const mail = support.contacts.find(({ emailAddress }) => emailAddress);
  return mail ? `mailto:${mail.emailAddress}` : `https://${serverName}/`;
};
