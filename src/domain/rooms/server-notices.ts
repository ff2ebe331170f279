import type { Settings } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import type { MembershipRecord } from "../../storage/memberships.ts";

/** Who tells users what the server has to say. */
export const noticesUserId = ({
  serverName,
  serverNotices,
}: Pick<Settings, "serverName" | "serverNotices">): string =>
  `@${serverNotices.localpart}:${serverName}`;

/**
 * The invite to what the server has to say cannot be declined; the room can be left.
 * https://spec.matrix.org/v1.19/client-server-api/#server-notices
 */
export function assertDeclinable(
  settings: Pick<Settings, "serverName" | "serverNotices">,
  { membership, sender }: Pick<MembershipRecord, "membership" | "sender">,
): void {
  if (membership !== "invite" || sender !== noticesUserId(settings)) return;
  throw new MatrixError(
    "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM",
    "The invite to what this server has to tell you cannot be declined.",
  );
}
