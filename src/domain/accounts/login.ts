import type { Edges } from "../../edges.ts";
import { MatrixError } from "../../core/errors.ts";
import { findUser } from "../../storage/users.ts";
import { isLocalUser } from "../rooms/local-user.ts";
import { openSession, type OpenedSession, type SessionEdges, type SessionWish } from "./open-session.ts";
import { isPassword } from "./password.ts";

export type LoginEdges = SessionEdges & Pick<Edges, "settings">;

/** A user id from what people type: a whole id, or the part before the colon. */
export function userIdFrom({ serverName }: Edges["settings"], text: string): string {
  return text.startsWith("@") && text.includes(":") ? text : `@${text.replace(/^@/, "")}:${serverName}`;
}

/**
 * The one check of a password, whatever asks for it. Throws `M_FORBIDDEN` with
 * the same words for an unknown user and a wrong password, after the same work.
 */
export async function checkPassword(edges: Pick<Edges, "db" | "settings">, userId: string, password: string): Promise<void> {
  const user = isLocalUser(edges.settings, userId) ? await findUser(edges.db, userId) : undefined;
  const isRight = await isPassword(edges.settings, user?.passwordHash ?? null, password);
  if (!user || !isRight) {
    throw new MatrixError("M_FORBIDDEN", "The user name or the password is wrong.");
  }
  if (user.isDeactivated) {
    throw new MatrixError("M_USER_DEACTIVATED", "This account has been deactivated.");
  }
}

export async function logIn(
  edges: LoginEdges,
  credentials: { user: string; password: string },
  wish: SessionWish,
): Promise<OpenedSession> {
  const userId = userIdFrom(edges.settings, credentials.user);
  await checkPassword(edges, userId, credentials.password);
  return openSession(edges, userId, wish);
}
