import { expect } from "chai";
import { withPassword } from "../harness/auth.ts";
import { at, list, type JsonObject } from "../harness/json.ts";
import { row, shared } from "../harness/registry.ts";
import type { User } from "../harness/user.ts";

const TEST = "TestChangePasswordPushers";

const pusher = (pushkey: string): JsonObject => ({
  kind: "http",
  app_id: "complement",
  pushkey,
  app_display_name: "App",
  device_display_name: "Device",
  profile_tag: "tag",
  lang: "en",
  data: { url: "https://push.example.org/_matrix/push/v1/notify" },
});

const set = (user: User, pushkey: string) =>
  user.mustPost("/pushers/set", pusher(pushkey));

const keysOf = async (user: User): Promise<unknown[]> =>
  list(await user.mustGet("/pushers"), "pushers").map((each) =>
    at(each, "pushkey"),
  );

/** A password that was changed by one of two sessions, each with a pusher. */
const changed = shared(async (server) => {
  const first = await server.user("pushers");
  const second = await server.login(first);
  await set(first, "of the same token");
  await set(second, "of a different token");
  const answer = await withPassword(first, "POST", "/account/password", {
    new_password: "quite another pass phrase",
  });
  expect(answer.status, answer.raw).to.equal(200);
  return keysOf(first);
});

row(
  "csapi",
  TEST,
  "Pushers created with a different access token are deleted on password change",
  async (server) => {
    expect(await changed(server)).to.not.include("of a different token");
  },
);

row(
  "csapi",
  TEST,
  "Pushers created with the same access token are not deleted on password change",
  async (server) => {
    expect(await changed(server)).to.include("of the same token");
  },
);
