import { expect } from "chai";
import { passwordStage, withPassword } from "../harness/auth.ts";
import { expectError, type Answer } from "../harness/client.ts";
import { list, strings } from "../harness/json.ts";
import { row, shared } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

const NEW_PASSWORD = "quite another pass phrase";

const logIn = (server: Server, user: User, password: string): Promise<Answer> =>
  server.post("/login", passwordStage(user.userId, password));

const changePassword = (user: User, more: Record<string, unknown> = {}) =>
  withPassword(user, "POST", "/account/password", {
    new_password: NEW_PASSWORD,
    ...more,
  });

/** An account whose password the first of its two sessions has changed. */
const changed = shared(async (server) => {
  const first = await server.user("password");
  const second = await server.login(first);
  const answer = await changePassword(first);
  expect(answer.status, answer.raw).to.equal(200);
  return { first, second };
});

row(
  "csapi",
  "TestChangePassword",
  "After changing password, can't log in with old password",
  async (server) => {
    const { first } = await changed(server);
    const answer = await logIn(server, first, first.password);
    expectError(answer, 403, "M_FORBIDDEN");
  },
);

row(
  "csapi",
  "TestChangePassword",
  "After changing password, can log in with new password",
  async (server) => {
    const { first } = await changed(server);
    const answer = await logIn(server, first, NEW_PASSWORD);
    expect(answer.status, answer.raw).to.equal(200);
    expect(answer.body["user_id"]).to.equal(first.userId);
  },
);

row(
  "csapi",
  "TestChangePassword",
  "After changing password, existing session still works",
  async (server) => {
    const { first } = await changed(server);
    const whoami = await first.mustGet("/account/whoami");
    expect(whoami["device_id"]).to.equal(first.deviceId);
  },
);

row(
  "csapi",
  "TestChangePassword",
  "After changing password, a different session no longer works by default",
  async (server) => {
    const { second } = await changed(server);
    const answer = await second.get("/account/whoami");
    expectError(answer, 401, "M_UNKNOWN_TOKEN");
  },
);

row(
  "csapi",
  "TestChangePassword",
  "After changing password, different sessions can optionally be kept",
  async (server) => {
    const first = await server.user("password");
    const second = await server.login(first);
    const answer = await changePassword(first, { logout_devices: false });
    expect(answer.status, answer.raw).to.equal(200);
    const whoami = await second.mustGet("/account/whoami");
    expect(whoami["device_id"]).to.equal(second.deviceId);
    expectError(await logIn(server, first, first.password), 403);
  },
);

row(
  "csapi",
  "TestDeactivateAccount",
  "Password flow is available",
  async (server) => {
    const alice = await server.user("deactivate");
    const answer = await alice.post("/account/deactivate", {});
    expect(answer.status, answer.raw).to.equal(401);
    const stages = list(answer.body, "flows").flatMap((flow) =>
      strings(flow, "stages"),
    );
    expect(stages).to.include("m.login.password");
  },
);

row(
  "csapi",
  "TestDeactivateAccount",
  "Can't deactivate account with wrong password",
  async (server) => {
    const alice = await server.user("deactivate");
    const answer = await withPassword(
      alice,
      "POST",
      "/account/deactivate",
      {},
      "wrong",
    );
    expectError(answer, 401, "M_FORBIDDEN");
    await alice.mustGet("/account/whoami");
  },
);

const deactivated = shared(async (server) => {
  const alice = await server.user("deactivate");
  const answer = await withPassword(alice, "POST", "/account/deactivate");
  return { alice, answer };
});

row(
  "csapi",
  "TestDeactivateAccount",
  "Can deactivate account",
  async (server) => {
    const { alice, answer } = await deactivated(server);
    expect(answer.status, answer.raw).to.equal(200);
    const whoami = await alice.get("/account/whoami");
    expectError(whoami, 401, "M_UNKNOWN_TOKEN");
  },
);

row(
  "csapi",
  "TestDeactivateAccount",
  "After deactivating account, can't log in with password",
  async (server) => {
    const { alice, answer } = await deactivated(server);
    expect(answer.status, answer.raw).to.equal(200);
    expectError(await logIn(server, alice, alice.password), 403);
  },
);
