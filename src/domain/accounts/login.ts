import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { isUserId } from "../../core/ids.ts";
import { findUser, type UserRow } from "../../storage/users.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import { removeDevices } from "./close-session.ts";
import { guess, type GuessEdges } from "./guesses.ts";
import { isKnownAddress } from "./known-address.ts";
import { openSession } from "./open-session.ts";
import type {
  OpenedSession,
  SessionEdges,
  SessionWish,
} from "./open-session.ts";
import { isPassword } from "./password.ts";
import { forgetFailures, mayTryPassword } from "./password-failures.ts";

/**
 * A user id from what people type: a whole id, or the part before the colon, in
 * any case. The accounts of this server are all lower-case.
 */
export function userIdFrom(
  { serverName }: Pick<Edges["settings"], "serverName">,
  text: string,
): string {
  const [, localpart = "", server = serverName] =
    /^@?([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  return `@${localpart.toLowerCase()}:${server}`;
}

/**
 * The one check of a password, whatever asks for it. Throws `M_FORBIDDEN` with
 * the same words for an unknown user, a wrong password and one that is not looked at
 * after too many, after the same work.
 * @param address whoever tries, for the rate limit
 * @returns the hash that it was checked against
 */
export function checkPassword(
  edges: GuessEdges,
  userId: string,
  password: string,
  address: string,
): Promise<string> {
  const check = async () => {
    const isOurs = isUserId(userId) && isLocalUser(edges.settings, userId);
    const user = isOurs ? await findUser(edges.db, userId) : undefined;
    const hash = user?.passwordHash ?? null;
    const isTried =
      !edges.settings.rateLimitsEnabled ||
      (await mayTryPassword(edges, userId, address, hash !== null));
    const stored = isTried ? hash : null;
    const isRight = await isPassword(edges, stored, password);
    if (!user || stored === null || !isRight) throw wrongPassword();
    await forgetFailures(edges, userId);
    assertMayLogIn(user, edges.now());
    return stored;
  };
  // Whoever guesses elsewhere locks nobody out of where they use their devices.
  const findOther = async (key: string) =>
    key === userId && (await isKnownAddress(edges, userId, address))
      ? `${userId} ${address}`
      : undefined;
  return guess(edges, [address, userId], check, findOther);
}

/** Throws `M_USER_DEACTIVATED`, `M_USER_LOCKED`; for whoever has proved to be the user. */
export function assertMayLogIn(
  user: Pick<UserRow, "isDeactivated" | "isLocked" | "expiresTs">,
  nowTs: number,
): void {
  if (user.isDeactivated) {
    throw new MatrixError(
      "M_USER_DEACTIVATED",
      "This account has been deactivated.",
    );
  }
  if (user.isLocked) {
    throw new MatrixError("M_USER_LOCKED", "This account is locked.", {
      soft_logout: true,
    });
  }
  if (user.expiresTs !== null && user.expiresTs <= nowTs)
    throw accountExpired();
}

export const accountExpired = (): MatrixError =>
  new MatrixError(
    "ORG_MATRIX_EXPIRED_ACCOUNT",
    "This account has expired: an administrator can renew it.",
  );

export async function logIn(
  edges: SessionEdges & GuessEdges,
  credentials: { user: string; password: string; address: string },
  wish: SessionWish,
): Promise<OpenedSession> {
  const { user, password, address } = credentials;
  const userId = userIdFrom(edges.settings, user);
  const checked = await checkPassword(edges, userId, password, address);
  const session = await openSession(edges, userId, wish);
  // A change of the password ends the sessions that it finds: this one may have come after.
  const now = await findUser(edges.db, userId);
  if (now?.passwordHash === checked) return session;
  await removeDevices(edges, userId, [session.deviceId]);
  throw wrongPassword();
}

const wrongPassword = (): MatrixError =>
  new MatrixError("M_FORBIDDEN", "The user name or the password is wrong.");
