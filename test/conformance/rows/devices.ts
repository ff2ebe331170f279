import { expect } from "chai";
import { passwordStage, withPassword } from "../harness/auth.ts";
import { expectError, path } from "../harness/client.ts";
import { list } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

const TEST = "TestDeviceManagement";

const loginNamed = async (server: Server, user: User, deviceId: string) =>
  server.userOf(
    await server.post("/login", {
      ...passwordStage(user.userId, user.password),
      device_id: deviceId,
      initial_device_display_name: `name of ${deviceId}`,
    }),
    user.password,
  );

row("csapi", TEST, "GET /device/{deviceId}", async (server) => {
  const alice = await server.user("devices");
  await loginNamed(server, alice, "SECOND");
  const device = await alice.mustGet("/devices/SECOND");
  expect(device["device_id"]).to.equal("SECOND");
  expect(device["display_name"]).to.equal("name of SECOND");
});

row(
  "csapi",
  TEST,
  "GET /device/{deviceId} gives a 404 for unknown devices",
  async (server) => {
    const alice = await server.user("devices");
    expectError(await alice.get("/devices/UNKNOWN"), 404, "M_NOT_FOUND");
    const bob = await server.user("devices");
    const notHers = await alice.get(path`/devices/${bob.deviceId}`);
    expectError(notHers, 404, "M_NOT_FOUND");
  },
);

row("csapi", TEST, "GET /devices", async (server) => {
  const alice = await server.user("devices");
  await loginNamed(server, alice, "SECOND");
  await loginNamed(server, alice, "THIRD");
  const devices = list(await alice.mustGet("/devices"), "devices");
  expect(devices.map((device) => device["device_id"])).to.have.members([
    alice.deviceId,
    "SECOND",
    "THIRD",
  ]);
  const third = devices.find((device) => device["device_id"] === "THIRD");
  expect(third?.["display_name"]).to.equal("name of THIRD");
});

row(
  "csapi",
  TEST,
  "PUT /device/{deviceId} updates device fields",
  async (server) => {
    const alice = await server.user("devices");
    await loginNamed(server, alice, "SECOND");
    await alice.mustPut("/devices/SECOND", { display_name: "renamed" });
    const device = await alice.mustGet("/devices/SECOND");
    expect(device["display_name"]).to.equal("renamed");
  },
);

row(
  "csapi",
  TEST,
  "PUT /device/{deviceId} gives a 404 for unknown devices",
  async (server) => {
    const alice = await server.user("devices");
    const answer = await alice.put("/devices/UNKNOWN", { display_name: "x" });
    expectError(answer, 404, "M_NOT_FOUND");
  },
);

row("csapi", TEST, "DELETE /device/{deviceId}", async (server) => {
  const alice = await server.user("devices");
  const second = await server.login(alice);
  const target = path`/devices/${second.deviceId}`;

  const asked = await alice.request("DELETE", target);
  expect(asked.status, asked.raw).to.equal(401);
  expect(asked.body).to.include.keys("session", "flows", "params");

  const wrong = await withPassword(alice, "DELETE", target, {}, "wrong");
  expectError(wrong, 401, "M_FORBIDDEN");
  expect(wrong.body).to.include.keys("session", "flows", "params", "error");
  await second.mustGet("/account/whoami");

  const done = await withPassword(alice, "DELETE", target);
  expect(done.status, done.raw).to.equal(200);
  expectError(await alice.get(target), 404, "M_NOT_FOUND");
  expectError(await second.get("/sync"), 401, "M_UNKNOWN_TOKEN");
});

row(
  "csapi",
  TEST,
  "DELETE /device/{deviceId} requires UI auth user to match device owner",
  async (server) => {
    const [alice, bob] = await Promise.all([
      server.user("devices"),
      server.user("devices"),
    ]);
    const second = await server.login(alice);
    const target = path`/devices/${second.deviceId}`;
    const { session } = (await alice.request("DELETE", target)).body;
    const auth = passwordStage(bob.userId, bob.password, session);
    const byBob = await alice.request("DELETE", target, { body: { auth } });
    expect(byBob.status, byBob.raw).to.be.oneOf([401, 403]);
    expect(byBob.body["errcode"]).to.be.a("string");
    await alice.mustGet(target);
    await second.mustGet("/account/whoami");

    const done = await withPassword(alice, "DELETE", target);
    expect(done.status, done.raw).to.equal(200);
    expectError(await alice.get(target), 404, "M_NOT_FOUND");
  },
);
