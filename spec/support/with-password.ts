import type { Answer, Json, TestUser } from "./server.ts";

/** Sends a request that asks for the user's password, first without and then with it. */
export async function withPassword(
  user: TestUser,
  method: string,
  path: string,
  body: Json = {},
  stage: Json = {},
): Promise<Answer> {
  const asked = await user.ask(method, path, body);
  if (asked.status !== 401) return asked;
  return user.ask(method, path, {
    ...body,
    auth: {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: user.userId },
      password: user.password,
      session: asked.body["session"],
      ...stage,
    },
  });
}
