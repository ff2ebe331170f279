import { expect } from "chai";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { endpoints } from "../../src/http/endpoints.ts";
import { makeRoom, must, send } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Answer, Json, TestClient, TestUser } from "../support/server.ts";
import { bodyFor, nameOf, pathTo } from "./requests.ts";
import type { Place } from "./requests.ts";

/** All that answers without a session; another one here is a decision, not an oversight. */
const OPEN = [
  "DELETE /_matrix/client/unstable/io.element.msc4388/rendezvous/:rendezvousId",
  "DELETE /_matrix/client/unstable/org.matrix.msc4108/rendezvous/:rendezvousId",
  "GET /.well-known/matrix/client",
  "GET /.well-known/matrix/server",
  "GET /.well-known/matrix/support",
  "GET /_matrix/client/unstable/im.nheko.summary/summary/:roomIdOrAlias",
  "GET /_matrix/client/unstable/io.element.msc4388/rendezvous",
  "GET /_matrix/client/unstable/io.element.msc4388/rendezvous/:rendezvousId",
  "GET /_matrix/client/unstable/org.matrix.msc4108/rendezvous/:rendezvousId",
  "GET /_matrix/client/v1/register/m.login.registration_token/validity",
  "GET /_matrix/client/v1/room_summary/:roomIdOrAlias",
  "GET /_matrix/client/v3/directory/list/room/:roomId",
  "GET /_matrix/client/v3/directory/room/:roomAlias",
  "GET /_matrix/client/v3/login",
  "GET /_matrix/client/v3/profile/:userId",
  "GET /_matrix/client/v3/profile/:userId/:keyName",
  "GET /_matrix/client/v3/publicRooms",
  "GET /_matrix/client/v3/register/available",
  "GET /_matrix/client/versions",
  "GET /_matrix/federation/v1/openid/userinfo",
  "GET /_matrix/key/v2/server",
  // What was uploaded while downloads without a session were open, and nothing else.
  "GET /_matrix/media/v3/download/:serverName/:mediaId/:fileName",
  "GET /_matrix/media/v3/thumbnail/:serverName/:mediaId",
  // What the admin API is, not what it holds.
  "GET /_myelin/admin/v1/docs",
  "GET /_myelin/admin/v1/openapi.json",
  "GET /_myelin/admin/v1/openapi.yaml",
  "GET /_myelin/client/v1/consent",
  "GET /_myelin/client/v1/unsubscribe",
  "GET /_synapse/admin/v1/register",
  "POST /_matrix/client/unstable/io.element.msc4388/rendezvous",
  "POST /_matrix/client/unstable/org.matrix.msc4108/rendezvous",
  // Its id is what it takes: it is given to those who watch over a call.
  "POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/:delayId",
  "POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/:delayId/:action",
  "POST /_matrix/client/v3/login",
  "POST /_matrix/client/v3/refresh",
  "POST /_matrix/client/v3/register",
  "POST /_myelin/client/v1/consent",
  "POST /_myelin/client/v1/unsubscribe",
  "POST /_synapse/admin/v1/register",
  "PUT /_matrix/client/unstable/io.element.msc4388/rendezvous/:rendezvousId",
  "PUT /_matrix/client/unstable/org.matrix.msc4108/rendezvous/:rendezvousId",
];

/** What the specification lets anyone see of another user, or say of them. */
const OF_OTHERS = [
  "POST /_matrix/client/v3/users/:userId/report",
  "GET /_matrix/client/v3/presence/:userId/status",
  "GET /_matrix/client/v3/profile/:userId",
  "GET /_matrix/client/v3/profile/:userId/:keyName",
];

const closed = endpoints.filter(
  ({ auth }) => auth !== "none" && auth !== "optional",
);

describe("the matrix of authentication", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let place: Place;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
    const roomId = await makeRoom(alice);
    const eventId = await send(alice, roomId, "m.room.message", { body: "b" });
    const { userId, deviceId } = alice;
    place = { roomId, eventId, userId, deviceId, alias: "#taken:test" };
  });

  const ask = (client: TestClient, endpoint: Endpoint, at = place) =>
    client.ask(
      endpoint.method.toUpperCase(),
      pathTo(endpoint, at),
      bodyFor(endpoint, at),
    );

  /** Every endpoint asked so, and that nothing was written for it. */
  async function askAll(
    client: TestClient,
    list: readonly Endpoint[],
    expectRefusal: (answer: Answer, endpoint: Endpoint) => void,
    at = place,
  ): Promise<void> {
    expect(list.length).to.be.above(5);
    const before = await headOfStream();
    for (const endpoint of list) {
      const answer = await ask(client, endpoint, at);
      expectRefusal(answer, endpoint);
    }
    expect(await headOfStream()).to.deep.equal(before);
  }

  // That somebody was refused stands in the audit log, which takes no place in it.
  const headOfStream = () =>
    server.database.sql`
      select count(last_position), max(last_position) from batches`;

  const refuses =
    (status: number, errcode: string) =>
    (answer: Answer, endpoint: Endpoint): void => {
      const label = `${nameOf(endpoint)}: ${answer.text}`;
      expect(answer.status, label).to.equal(status);
      expect(answer.body["errcode"], label).to.equal(errcode);
    };

  /** A session of its own whose access token has run out. */
  async function expiredSession(): Promise<TestClient> {
    const { body } = await server.post("/login", {
      type: "m.login.password",
      user: "alice",
      password: alice.password,
      refresh_token: true,
    });
    await server.database
      .sql`update access_tokens set expires_ts = 1 where expires_ts is not null`;
    return server.as({ accessToken: body["access_token"] as string });
  }

  it("C13 1.0.0rc3: opens no more endpoints than are named here", () => {
    const open = endpoints.filter((endpoint) => !closed.includes(endpoint));
    expect(open.map(nameOf).sort()).to.deep.equal(OPEN);
  });

  it("C13 0.16.1-r1: refuses every other endpoint without a token, and does nothing", async () => {
    await askAll(server, closed, refuses(401, "M_MISSING_TOKEN"));
  });

  it("C13 0.16.1-r1: refuses every endpoint a wrong token, and does nothing", async () => {
    for (const accessToken of [`${alice.accessToken}x`, "'", "%00", "null"]) {
      const stranger = server.as({ accessToken });
      await askAll(stranger, closed, refuses(401, "M_UNKNOWN_TOKEN"));
    }
  });

  it("C13 0.16.1-r1: refuses every endpoint an expired token, softly, and does nothing", async () => {
    const late = await expiredSession();
    await askAll(late, closed, (answer, endpoint) => {
      refuses(401, "M_UNKNOWN_TOKEN")(answer, endpoint);
      expect(answer.body["soft_logout"]).to.equal(true);
    });
  });

  it("C13 0.16.1-r1: refuses every endpoint a token that was logged out", async () => {
    const gone = await server.user("gone");
    expect((await gone.post("/logout")).status).to.equal(200);
    await askAll(gone, closed, refuses(401, "M_UNKNOWN_TOKEN"));
  });

  it("C13: refuses every endpoint but logout to a locked account", async () => {
    const locked = await server.user("locked");
    await server.database
      .sql`update users set is_locked = true where user_id = ${locked.userId}`;
    const others = closed.filter(({ path }) => !/\/logout(\/all)?$/.test(path));
    await askAll(locked, others, refuses(401, "M_USER_LOCKED"));
  });

  it("C3 C13 0.16.1-r1: refuses everything in another user's name", async () => {
    const named = closed.filter(
      (endpoint) =>
        endpoint.path.includes(":userId") &&
        !OF_OTHERS.includes(nameOf(endpoint)),
    );
    await askAll(bob, named, refuses(403, "M_FORBIDDEN"));
    const insider = { ...place, roomId: await makeRoom(bob) };
    await askAll(bob, named, refuses(403, "M_FORBIDDEN"), insider);
  });

  it("C3: folds no other spelling of a user id into the own one", async () => {
    const named = closed.filter(
      (endpoint) =>
        endpoint.path.includes(":userId") &&
        !OF_OTHERS.includes(nameOf(endpoint)),
    );
    for (const userId of [
      "@ALICE:test",
      "@alice:TEST",
      "@alice:test:",
      "@alice:test ",
      "@аlice:test",
      "alice",
    ]) {
      await askAll(
        alice,
        named,
        ({ status, text }, endpoint) => {
          const label = `${nameOf(endpoint)} ${userId}: ${text}`;
          expect(status, label).to.be.oneOf([400, 403]);
        },
        { ...place, userId },
      );
    }
  });
});

describe("sessions that others fix, and redirects", () => {
  const server = useServer();

  it("row 57: a login opens a session of its own, whatever was brought to it", async () => {
    const alice = await server.user("alice");
    const mallory = await server.user("mallory");
    const { accessToken } = mallory;
    const login = (client: TestClient, more: Json) =>
      client.post("/login", {
        type: "m.login.password",
        user: "alice",
        password: alice.password,
        ...more,
      });
    for (const [client, more] of [
      [server.as(mallory), {}],
      [server, { access_token: accessToken, token: accessToken }],
      [server, { device_id: mallory.deviceId }],
    ] as const) {
      const opened = must<{ access_token: string; user_id: string }>(
        await login(client, more),
      );
      expect(opened.user_id).to.equal(alice.userId);
      expect(opened.access_token).to.not.equal(accessToken);
    }
    const { user_id } = must(await mallory.get("/account/whoami"));
    expect(user_id).to.equal(mallory.userId);
    must(await alice.get("/account/whoami"));
  });

  it("row 57: nobody is redirected, wherever somebody would have them go", async () => {
    for (const target of [
      ...["https://evil.example/", "//evil.example", "javascript:alert(1)"],
      ...["https://test@evil.example/", "/\\evil.example"],
    ])
      for (const path of [
        ...["/login/sso/redirect", "/login/sso/redirect/idp"],
        ...["/login/cas/redirect", "/login/cas/ticket", "/login"],
        ...["/_matrix/client/v3/auth/m.login.sso/fallback/web", "/_/"],
      ]) {
        const query = `redirectUrl=${encodeURIComponent(target)}&idp=${encodeURIComponent(target)}`;
        const { status, headers, text } = await server.get(`${path}?${query}`);
        expect(status, path).to.be.oneOf([200, 404]);
        expect(headers, path).to.not.have.property("location");
        expect(text, path).to.not.include("evil");
      }
  });
});
