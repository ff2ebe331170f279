import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import { hasRole } from "../../../storage/accounts.ts";
import type { WriteRows } from "../../../storage/write.ts";
import type { Administrator } from "../change-authority.ts";
import type { Permission } from "../permissions.ts";
import { getAccountRow } from "./account.ts";
import { commitOfAccount } from "./commit-of-account.ts";

type Needs = Pick<
  Edges,
  "committer" | "db" | "keyring" | "memory" | "notifier" | "now" | "settings"
>;
type Change = Omit<WriteRows["userUpdates"][number], "userId">;

/**
 * Suspends an account, or lets it be used again. An administrator's own, and another
 * one's, are left alone: their roles are taken away first.
 * https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminsuspenduserid
 */
export const setSuspended = (
  edges: Needs,
  by: Administrator,
  userId: string,
  isSuspended: boolean,
): Promise<void> =>
  restrain(edges, by, userId, { isSuspended }, { suspended: isSuspended });

/** https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminlockuserid */
export const setLocked = (
  edges: Needs,
  by: Administrator,
  userId: string,
  isLocked: boolean,
): Promise<void> =>
  restrain(edges, by, userId, { isLocked }, { locked: isLocked }, "users.lock");

/** Has what somebody says go nowhere, without telling them. */
export const setShadowBanned = (
  edges: Needs,
  by: Administrator,
  userId: string,
  isShadowBanned: boolean,
): Promise<void> =>
  restrain(
    edges,
    by,
    userId,
    { isShadowBanned },
    { shadow_banned: isShadowBanned },
  );

async function restrain(
  edges: Needs,
  by: Administrator,
  userId: string,
  change: Change,
  details: JsonObject,
  act: Permission = by.actor.permission,
): Promise<void> {
  await getAccountRow(edges, userId);
  if (Object.values(details).includes(true))
    await assertNoAdministrator(edges, by, userId);
  await changeAccount(edges, by, userId, change, details, act);
}

async function assertNoAdministrator(
  { db }: Pick<Edges, "db">,
  { requester }: Administrator,
  userId: string,
): Promise<void> {
  if (requester.userId === userId)
    throw new MatrixError("M_FORBIDDEN", "Nobody does this to themselves.");
  if (await hasRole(db, userId)) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "This is an administrator: their roles have to be revoked first.",
    );
  }
}

/** In place of the limit that all have; none at all where it is 0 a second. Null for that of all. */
export async function setMessageLimit(
  edges: Needs,
  by: Administrator,
  userId: string,
  limit: { perSecond: number; burst: number } | null,
): Promise<void> {
  await getAccountRow(edges, userId);
  const { perSecond: messagesPerSecond = null, burst: burstCount = null } =
    limit ?? {};
  await changeAccount(
    edges,
    by,
    userId,
    { messagesPerSecond, burstCount },
    { messages_per_second: messagesPerSecond, burst_count: burstCount },
  );
}

/** From when on an account is of no use until it is renewed; null for never. */
export async function setAccountEnd(
  edges: Needs,
  by: Administrator,
  userId: string,
  expiresTs: number | null,
): Promise<void> {
  await getAccountRow(edges, userId);
  if (by.requester.userId === userId)
    throw new MatrixError("M_FORBIDDEN", "Nobody does this to themselves.");
  const details = { expires_ts: expiresTs };
  await changeAccount(edges, by, userId, { expiresTs }, details);
}

async function changeAccount(
  edges: Needs,
  by: Administrator,
  userId: string,
  change: Change,
  details: JsonObject,
  act: Permission = by.actor.permission,
): Promise<void> {
  const about = { target: userId, details, act };
  await commitOfAccount(edges, by, about, {
    rows: { userUpdates: [{ userId, ...change }] },
  });
}
