import type { Answer } from "./client.ts";
import type { JsonObject } from "./json.ts";
import type { User } from "./user.ts";

/** The password stage of interactive authentication. */
export const passwordStage = (
  userId: string,
  password: string,
  session?: unknown,
): JsonObject => ({
  type: "m.login.password",
  identifier: { type: "m.id.user", user: userId },
  password,
  ...(session === undefined ? {} : { session }),
});

/** Sends a request that wants interactive authentication, first without and then with this user's password. */
export async function withPassword(
  user: User,
  method: string,
  target: string,
  body: JsonObject = {},
  password: string = user.password,
): Promise<Answer> {
  const first = await user.request(method, target, { body });
  if (first.status !== 401)
    throw new Error(`expected 401, got ${first.status} ${first.raw}`);
  const auth = passwordStage(user.userId, password, first.body["session"]);
  return user.request(method, target, { body: { ...body, auth } });
}
