import { MatrixError } from "../../../core/errors.ts";
import { sessionRows, type SessionEdges } from "../../accounts/open-session.ts";
import type { Administrator } from "../change-authority.ts";
import { getAccountRow } from "./account.ts";
import { commitAct } from "./act.ts";

const LONGEST_MS = 60 * 60 * 1000;

/** Throws what keeps somebody from acting as a user as things are. */
export async function validateActingAs(
  edges: Pick<SessionEdges, "db" | "now" | "settings">,
  by: Administrator,
  userId: string,
  untilTs: number | null,
): Promise<void> {
  if (by.requester.userId === userId)
    throw new MatrixError("M_UNKNOWN", "Nobody acts as themselves.");
  const account = await getAccountRow(edges, userId);
  if (account.isDeactivated) {
    throw new MatrixError(
      "M_USER_DEACTIVATED",
      "This account has been deactivated.",
    );
  }
  if (untilTs !== null && untilTs <= edges.now())
    throw new MatrixError("M_INVALID_PARAM", "That time is over.");
}

/**
 * A session in a user's place, which the user sees among their devices: for an hour at the
 * most, and not to change how they log in, or their keys.
 */
export async function actAs(
  edges: SessionEdges,
  by: Administrator,
  userId: string,
  untilTs: number | null,
): Promise<{ accessToken: string; expiresTs: number }> {
  const admin = by.requester.userId;
  await validateActingAs(edges, by, userId, untilTs);
  const expiresTs = Math.min(untilTs ?? Infinity, edges.now() + LONGEST_MS);
  const wish = {
    displayName: `Used by the administrator ${admin}`,
    canRefresh: false,
    actedBy: admin,
  };
  const { session, rows } = await sessionRows(edges, userId, wish);
  const { deviceId, accessToken } = session;
  const newTokens = (rows.newTokens ?? []).map((row) => ({
    ...row,
    expiresTs,
    actedBy: admin,
  }));
  const details = { device: deviceId, expires_ts: expiresTs };
  await commitAct(
    edges,
    by,
    { target: userId, details },
    {
      activeUsers: [userId],
      rows: { ...rows, newTokens, deviceListChanges: [{ at: 0, userId }] },
      wake: { users: [userId] },
    },
  );
  return { accessToken, expiresTs };
}
