import { hash } from "node:crypto";
import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import {
  insertLoginToken,
  takeLoginToken,
  type LoginTokenRow,
} from "../../storage/login-tokens.ts";
import { findUser, type UserRow } from "../../storage/users.ts";
import { removeDevices } from "./close-session.ts";
import { guess, type GuessEdges } from "./guesses.ts";
import { assertMayLogIn } from "./login.ts";
import {
  openSession,
  type OpenedSession,
  type SessionEdges,
  type SessionWish,
} from "./open-session.ts";
import type { Requester } from "./requester.ts";
import { hashToken } from "./tokens.ts";

const LIFETIME_MS = 2 * 60 * 1000;

export interface LoginToken {
  login_token: string;
  expires_in_ms: number;
}

/**
 * Makes a token by which another device of the same user logs in, once. Whoever asks
 * has proved the password.
 * https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token
 */
export async function makeLoginToken(
  { db, now, random }: Pick<Edges, "db" | "now" | "random">,
  { userId, deviceId }: Requester,
): Promise<LoginToken> {
  const user = await findUser(db, userId);
  const token = `myt_${random.token()}`;
  const nowTs = now();
  const row = {
    tokenHash: hashToken(token),
    userId,
    deviceId,
    passwordHashDigest: digestOf(user),
    expiresTs: nowTs + LIFETIME_MS,
  };
  if (!(await insertLoginToken(db, row, nowTs)))
    throw new MatrixError("M_UNKNOWN_TOKEN", "This device was removed.");
  return { login_token: token, expires_in_ms: LIFETIME_MS };
}

/**
 * Opens a session of the user whom the token is of. Throws `M_FORBIDDEN`.
 * @param address whoever tries, for the rate limit
 */
export async function logInByToken(
  edges: SessionEdges & GuessEdges,
  { token, address }: { token: string; address: string },
  wish: SessionWish,
): Promise<OpenedSession> {
  const taken = await guess(edges, [address], () => takeToken(edges, token));
  const { userId } = taken;
  const user = await findUser(edges.db, userId);
  if (!user || !isOfPassword(taken, user)) throw wrongToken();
  assertMayLogIn(user, edges.now());
  const session = await openSession(edges, userId, wish);
  // A change of the password ends the sessions that it finds: this one may have come after.
  const now = await findUser(edges.db, userId);
  if (isOfPassword(taken, now)) return session;
  await removeDevices(edges, userId, [session.deviceId]);
  throw wrongToken();
}

async function takeToken(
  { db, now }: Pick<Edges, "db" | "now">,
  token: string,
): Promise<LoginTokenRow> {
  const taken = await takeLoginToken(db, hashToken(token));
  if (taken && taken.expiresTs > now()) return taken;
  throw wrongToken();
}

const digestOf = (user: UserRow | undefined): Buffer =>
  hash("sha256", user?.passwordHash ?? "", "buffer");

const isOfPassword = (
  { passwordHashDigest }: LoginTokenRow,
  user: UserRow | undefined,
): boolean => digestOf(user).equals(passwordHashDigest);

const wrongToken = (): MatrixError =>
  new MatrixError(
    "M_FORBIDDEN",
    "The login token is wrong, or it was used or has expired.",
  );
