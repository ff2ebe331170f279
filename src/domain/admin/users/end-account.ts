import type { Edges } from "../../../edges.ts";
import { MatrixError } from "../../../core/errors.ts";
import { findErasure, isErasureHeld } from "../../../storage/erasures.ts";
import type { Write } from "../../../storage/write.ts";
import {
  deactivateAccount,
  guardGranters,
  type LeaverEdges,
} from "../../accounts/deactivate.ts";
import { assertStrongPassword, hashPassword } from "../../accounts/password.ts";
import type { Administrator } from "../change-authority.ts";
import type { Permission } from "../permissions.ts";
import { erasureClaim } from "./erasure-claim.ts";
import { getAccountRow } from "./account.ts";
import { assertMay, commitAct, recordOf } from "./act.ts";
import { commitOfAccount } from "./commit-of-account.ts";

/**
 * Ends an account at once. Where it is to be erased too, both wait until they can no longer
 * be taken back, since tools ask for it by mistake: meanwhile nobody can use it.
 */
export async function endAccount(
  edges: LeaverEdges,
  by: Administrator,
  userId: string,
  isErased: boolean,
): Promise<void> {
  await getAccountRow(edges, userId);
  if (isErased) await assertMay(edges, by, "users.erase", { userId });
  await end(edges, by, userId, isErased ? "users.erase" : undefined);
}

/** Throws what keeps an account from being ended, or erased, as things are. */
export async function validateEnd(
  edges: Pick<Edges, "db" | "settings">,
  userId: string,
  isErased: boolean,
): Promise<void> {
  await getAccountRow(edges, userId);
  if (isErased) await assertNotHeld(edges, userId);
}

/** The same for who may erase what a person has here, and end no other account. */
export const beginErasure = (
  edges: LeaverEdges,
  by: Administrator,
  userId: string,
): Promise<void> => end(edges, by, userId, "privacy.erase");

async function end(
  edges: LeaverEdges,
  by: Administrator,
  userId: string,
  erasure: Permission | undefined,
): Promise<void> {
  const account = await getAccountRow(edges, userId);
  const isErased = erasure !== undefined;
  if (isErased) await assertNotHeld(edges, userId);
  const about = {
    target: userId,
    details: { deactivated: true, erase: isErased },
    act: erasure ?? ("users.deactivate" as const),
  };
  const waitMs = edges.settings.undoWindowMs;
  const pending = { userId, requestedBy: by.requester.userId, waitMs };
  const rows: Write["rows"] = isErased ? { pendingErasures: [pending] } : {};
  const isOver = account.isDeactivated && !account.isEnding;
  if (isOver || (account.isEnding && isErased))
    return commitAct(edges, by, about, { rows });
  if (isErased && waitMs > 0) {
    const authority = await guardGranters(edges, userId);
    return commitOfAccount(edges, by, about, {
      ...(authority && { authority }),
      rows: { ...rows, userUpdates: [{ userId, isEnding: true }] },
    });
  }
  const audit = [recordOf(edges, by, about)];
  await deactivateAccount(edges, { userId }, false, { audit, rows });
}

/** @throws MatrixError M_FORBIDDEN */
async function assertNotHeld(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<void> {
  if (!(await isErasureHeld(db, userId))) return;
  throw new MatrixError(
    "M_FORBIDDEN",
    "A legal hold keeps this user's data: nothing of it is erased before it is released.",
    { "org.myelin.held": true },
  );
}

/**
 * When the erasure that waits was asked for.
 * @throws MatrixError M_NOT_FOUND
 */
export async function getWaitingErasure(
  { db }: Pick<Edges, "db">,
  userId: string,
): Promise<number> {
  const { requestedTs } = await findErasure(db, userId);
  if (requestedTs !== null) return requestedTs;
  throw new MatrixError("M_NOT_FOUND", "No erasure of that user waits.");
}

/**
 * Takes back that an account is to be erased, and to end with that; one that had ended
 * before stays so.
 * @throws MatrixError M_NOT_FOUND where nothing waits
 */
export async function takeBackErasure(
  edges: Pick<Edges, "committer" | "db" | "notifier" | "now" | "settings">,
  by: Administrator,
  userId: string,
): Promise<void> {
  const requestedTs = await getWaitingErasure(edges, userId);
  const { isEnding } = await getAccountRow(edges, userId);
  const details = {
    ...{ erasure_taken_back: true },
    ...(isEnding && { deactivated: false }),
  };
  await commitOfAccount(
    edges,
    by,
    { target: userId, details },
    {
      idempotency: [{ key: erasureClaim(userId, requestedTs), answer: "" }],
      rows: {
        removedErasures: [{ userId }],
        ...(isEnding && { userUpdates: [{ userId, isEnding: false }] }),
      },
    },
  );
}

/**
 * Takes an account back into use, and takes back that it is to be erased. One that had
 * ended takes a password; one that was about to is as it was.
 * @throws MatrixError M_FORBIDDEN where it was erased
 */
export async function reviveAccount(
  edges: Pick<
    Edges,
    "committer" | "db" | "notifier" | "now" | "passwordHasher" | "settings"
  >,
  by: Administrator,
  userId: string,
  password: string | null,
): Promise<void> {
  if (password !== null) assertStrongPassword(edges.settings, password);
  const erasure = await findErasure(edges.db, userId);
  if (erasure.isDone) {
    throw new MatrixError(
      "M_FORBIDDEN",
      "This account was erased: it cannot be taken back into use.",
    );
  }
  const passwordHash =
    password === null ? null : await hashPassword(edges, password);
  const { requestedTs } = erasure;
  const { isEnding } = await getAccountRow(edges, userId);
  const keepsPassword = isEnding && password === null;
  await commitOfAccount(
    edges,
    by,
    {
      target: userId,
      details: {
        ...{ deactivated: false, erasure_taken_back: requestedTs !== null },
        ...(password !== null && { password: true }),
      },
      act: "users.deactivate",
    },
    {
      idempotency:
        requestedTs === null
          ? []
          : [{ key: erasureClaim(userId, requestedTs), answer: "" }],
      rows: {
        userUpdates: [
          {
            ...{ userId, isDeactivated: false, isEnding: false },
            ...(!keepsPassword && { passwordHash }),
          },
        ],
        removedErasures: [{ userId }],
      },
    },
  );
}
