import { expect } from "chai";
import { passwordStage } from "../harness/auth.ts";
import { expectError, path } from "../harness/client.ts";
import { text } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import { findEvent, roomAccountData } from "../harness/sync.ts";

const sessions = ownRows("sessions");

sessions(
  "a refresh token gives new tokens and ends the old ones",
  async ({ server, alice }) => {
    const login = await server.mustPost("/login", {
      ...passwordStage(alice.userId, alice.password),
      refresh_token: true,
    });
    expect(login["expires_in_ms"]).to.be.a("number");
    const old = text(login, "refresh_token");
    const refresh = (refresh_token: string) =>
      server.post("/refresh", { refresh_token });
    const whoami = (token: string) =>
      server.request("GET", "/account/whoami", { token });

    const fresh = await refresh(old);
    expect(fresh.status, fresh.raw).to.equal(200);
    const token = text(fresh.body, "access_token");
    expect((await whoami(token)).body["device_id"]).to.equal(
      login["device_id"],
    );
    expectError(await refresh(old), 401, "M_UNKNOWN_TOKEN");
    expect(text(fresh.body, "refresh_token")).to.not.equal(old);
  },
);

sessions(
  "the old form of login with a bare user works",
  async ({ server, alice }) => {
    const login = await server.mustPost("/login", {
      type: "m.login.password",
      user: alice.localpart,
      password: alice.password,
    });
    expect(login["user_id"]).to.equal(alice.userId);
  },
);

sessions("/r0 answers as /v3", async ({ server, alice }) => {
  const r0 = "/_matrix/client/r0";
  const whoami = await alice.mustGet(`${r0}/account/whoami`);
  expect(whoami["user_id"]).to.equal(alice.userId);
  expect((await server.get(`${r0}/login`)).status).to.equal(200);
});

sessions(
  "the access token may stand in the query",
  async ({ server, alice }) => {
    const access_token = alice.accessToken;
    const whoami = await server.mustGet("/account/whoami", { access_token });
    expect(whoami["user_id"]).to.equal(alice.userId);
  },
);

sessions(
  "a login to a device in use ends that device's session before",
  async ({ server, alice }) => {
    const again = await server.login(alice, alice.deviceId);
    expect(again.deviceId).to.equal(alice.deviceId);
    expectError(await alice.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN");
    await again.mustGet("/account/whoami");
  },
);

sessions(
  "browsers may read every answer, errors too",
  async ({ server, alice }) => {
    const preflight = await server.request("OPTIONS", "/sync");
    expect(preflight.status).to.be.oneOf([200, 204]);
    const answers = [
      preflight,
      await server.get("/sync"),
      await alice.get("/_matrix/client/v3/unknown"),
      await alice.get("/account/whoami"),
    ];
    for (const { headers } of answers)
      expect(headers.get("access-control-allow-origin")).to.equal("*");
    const allowed = preflight.headers.get("access-control-allow-headers");
    expect(allowed?.toLowerCase()).to.include("authorization");
  },
);

const data = ownRows("account data");

data("what the server manages itself is refused", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const user = path`/user/${alice.userId}`;
  const room = path`/user/${alice.userId}/rooms/${roomId}`;
  const rules = `${user}/account_data/m.push_rules`;
  const marker = `${room}/account_data/m.fully_read`;
  for (const target of [rules, marker]) {
    const answer = await alice.put(target, { event_id: "$x" });
    expectError(answer, 405, "M_BAD_JSON");
  }
});

data("tags are kept, listed, told of and removed", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const tags = path`/user/${alice.userId}/rooms/${roomId}/tags`;
  const since = await alice.syncToken();
  await alice.mustPut(`${tags}/u.work`, { order: 0.5 });
  await alice.mustPut(`${tags}/m.favourite`, {});
  const both = { tags: { "u.work": { order: 0.5 }, "m.favourite": {} } };
  expect(await alice.mustGet(tags)).to.deep.equal(both);
  const event = findEvent(
    roomAccountData(await alice.sync({ since }), roomId),
    "m.tag",
  );
  expect(event?.["content"]).to.deep.equal(both);
  await alice.mustDelete(`${tags}/u.work`);
  const left = { tags: { "m.favourite": {} } };
  expect(await alice.mustGet(tags)).to.deep.equal(left);
});

const profile = ownRows("profiles");

profile("fields beyond name and avatar", async ({ server, alice, bob }) => {
  const target = path`/profile/${alice.userId}/m.tz`;
  expectError(await server.get(target), 404, "M_NOT_FOUND");
  await alice.mustPut(target, { "m.tz": "Europe/Zurich" });
  expect(await server.mustGet(target)).to.deep.equal({
    "m.tz": "Europe/Zurich",
  });
  const whole = await server.mustGet(path`/profile/${alice.userId}`);
  expect(whole["m.tz"]).to.equal("Europe/Zurich");
  const byBob = await bob.put(target, { "m.tz": "UTC" });
  expectError(byBob, 403, "M_FORBIDDEN");
  await alice.mustDelete(target);
  expectError(await server.get(target), 404, "M_NOT_FOUND");
});

profile("nobody writes another's", async ({ alice, bob }) => {
  const target = path`/profile/${alice.userId}/displayname`;
  const answer = await bob.put(target, { displayname: "Mallory" });
  expectError(answer, 403, "M_FORBIDDEN");
});

profile("a user nobody knows is not found", async ({ server, alice }) => {
  const nobody = `@${server.newLocalpart("nobody")}:${alice.serverName}`;
  const answer = await server.get(path`/profile/${nobody}`);
  expectError(answer, 404, "M_NOT_FOUND");
});
