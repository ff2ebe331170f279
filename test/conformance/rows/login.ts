import { expect } from "chai";
import { expectError, type Answer } from "../harness/client.ts";
import { list, text } from "../harness/json.ts";
import { row, shared } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";

const alice = shared((server) => server.user("login"));

const login = (
  server: Server,
  user: string,
  password: string,
  more: Record<string, string> = {},
): Promise<Answer> =>
  server.post("/login", {
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
    ...more,
  });

row(
  "csapi",
  "TestLogin",
  "parallel/GET /login yields a set of flows",
  async (server) => {
    const answer = await server.get("/login");
    expect(answer.status, answer.raw).to.equal(200);
    expect(answer.headers.get("content-type")).to.match(/^application\/json/);
    const types = list(answer.body, "flows").map((flow) => text(flow, "type"));
    expect(types).to.include("m.login.password");
  },
);

row(
  "csapi",
  "TestLogin",
  "parallel/POST /login can login as user",
  async (server) => {
    const { userId, password } = await alice(server);
    const answer = await login(server, userId, password);
    expect(answer.status, answer.raw).to.equal(200);
    const session = server.userOf(answer, password);
    expect(session.userId).to.equal(userId);
    const whoami = await session.mustGet("/account/whoami");
    expect(whoami["user_id"]).to.equal(userId);
    expect(whoami["device_id"]).to.equal(session.deviceId);
  },
);

row(
  "csapi",
  "TestLogin",
  "parallel/POST /login returns the same device id as that in the request",
  async (server) => {
    const { userId, password } = await alice(server);
    const answer = await login(server, userId, password, {
      device_id: "GIVEN_DEVICE",
    });
    expect(answer.status, answer.raw).to.equal(200);
    expect(answer.body["device_id"]).to.equal("GIVEN_DEVICE");
  },
);

row(
  "csapi",
  "TestLogin",
  "parallel/POST /login can log in as a user with just the local part of the id",
  async (server) => {
    const { userId, localpart, password } = await alice(server);
    const answer = await login(server, localpart, password);
    expect(answer.status, answer.raw).to.equal(200);
    expect(answer.body["user_id"]).to.equal(userId);
  },
);

row(
  "csapi",
  "TestLogin",
  "parallel/POST /login as non-existing user is rejected",
  async (server) => {
    const { serverName } = await alice(server);
    const userId = `@${server.newLocalpart("nobody")}:${serverName}`;
    expectError(await login(server, userId, "anything"), 403, "M_FORBIDDEN");
  },
);

row(
  "csapi",
  "TestLogin",
  "parallel/POST /login wrong password is rejected",
  async (server) => {
    const { userId } = await alice(server);
    expectError(await login(server, userId, "wrong"), 403, "M_FORBIDDEN");
  },
);

row(
  "csapi",
  "TestLogin",
  "parallel/Login with uppercase username works and GET /whoami afterwards also",
  async (server) => {
    const { userId, localpart, password } = await alice(server);
    const answer = await login(server, localpart.toUpperCase(), password);
    expect(answer.status, answer.raw).to.equal(200);
    const session = server.userOf(answer, password);
    expect(session.userId).to.equal(userId);
    const whoami = await session.mustGet("/account/whoami");
    expect(whoami["user_id"]).to.equal(userId);
  },
);

const deviceIds = (answer: Record<string, unknown>): string[] =>
  list(answer, "devices").map((device) => text(device, "device_id"));

row("csapi", "TestLogout", "Can logout current device", async (server) => {
  const kept = await server.user("logout");
  const gone = await server.login(kept);
  expect(deviceIds(await gone.mustGet("/devices"))).to.have.members([
    kept.deviceId,
    gone.deviceId,
  ]);
  await gone.mustPost("/logout");
  expectError(await gone.get("/sync"), 401, "M_UNKNOWN_TOKEN");
  expect(deviceIds(await kept.mustGet("/devices"))).to.deep.equal([
    kept.deviceId,
  ]);
});

row("csapi", "TestLogout", "Can logout all devices", async (server) => {
  const first = await server.user("logout-all");
  const second = await server.login(first);
  await second.mustPost("/logout/all");
  for (const session of [first, second])
    expectError(await session.get("/sync"), 401, "M_UNKNOWN_TOKEN");
  const again = await server.login(first);
  expect(deviceIds(await again.mustGet("/devices"))).to.deep.equal([
    again.deviceId,
  ]);
});

row(
  "csapi",
  "TestLogout",
  "Request to logout with invalid an access token is rejected",
  async (server) => {
    const token = "no-such-token";
    const answer = await server.request("POST", "/logout", { token, body: {} });
    expectError(answer, 401, "M_UNKNOWN_TOKEN");
  },
);

row(
  "csapi",
  "TestLogout",
  "Request to logout without an access token is rejected",
  async (server) => {
    expectError(await server.post("/logout"), 401, "M_MISSING_TOKEN");
  },
);
