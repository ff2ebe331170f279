import { expect } from "chai";
import { insertRegistrationToken } from "../../../src/storage/registration-tokens.ts";
import { useServer } from "../../support/server.ts";
import type { Answer, Json, TestClient } from "../../support/server.ts";

/** Asks once for the session, then again with its one stage. */
async function register(
  client: TestClient,
  form: Json,
  stage: Json = { type: "m.login.dummy" },
): Promise<Answer> {
  const asked = await client.post("/register", form);
  if (asked.status !== 401) return asked;
  const auth = { ...stage, session: asked.body["session"] };
  return client.post("/register", { ...form, auth });
}

const password = "wonderland";

describe("POST /register where registration is open", () => {
  const server = useServer();

  it("asks for the dummy stage, then makes an account that can log in", async () => {
    const asked = await server.post("/register", {});
    expect(asked.status).to.equal(401);
    expect(asked.body["flows"]).to.deep.equal([{ stages: ["m.login.dummy"] }]);
    expect(asked.body["params"]).to.deep.equal({});

    const made = await register(server, { username: "alice", password });
    expect(made.status, made.text).to.equal(200);
    expect(made.body["user_id"]).to.equal("@alice:test");

    const opened = await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "alice" },
      password,
    });
    const accessToken = opened.body["access_token"] as string;
    const me = await server.as({ accessToken }).get("/account/whoami");
    expect(me.body).to.deep.equal({
      user_id: "@alice:test",
      device_id: opened.body["device_id"],
      is_guest: false,
    });
  });

  it("opens the session that was wished for, or none", async () => {
    const wished = await register(server, {
      username: "device",
      password,
      device_id: "MINE",
      initial_device_display_name: "My phone",
      refresh_token: true,
    });
    expect(wished.body["device_id"]).to.equal("MINE");
    expect(wished.body["refresh_token"]).to.be.a("string");
    expect(wished.body["expires_in_ms"]).to.be.a("number");
    const accessToken = wished.body["access_token"] as string;
    const device = await server.as({ accessToken }).get("/devices/MINE");
    expect(device.body["display_name"]).to.equal("My phone");

    const none = await register(server, {
      username: "no-session",
      password,
      inhibit_login: true,
    });
    expect(none.body).to.deep.equal({ user_id: "@no-session:test" });
    const devices = await server.database
      .sql`select from devices where user_id = '@no-session:test'`;
    expect(devices).to.have.length(0);
  });

  it("makes a name up where none is given", async () => {
    const made = await register(server, { password });
    expect(made.body["user_id"]).to.match(/^@[a-z]{16}:test$/);
  });

  it("refuses a taken, an invalid and a too long name, and a weak password, before it asks for anything", async () => {
    await server.user("taken");
    for (const [username, errcode] of [
      ["taken", "M_USER_IN_USE"],
      ["TAKEN", "M_USER_IN_USE"],
      ["with space", "M_INVALID_USERNAME"],
      ["ünïcode", "M_INVALID_USERNAME"],
      ["", "M_INVALID_USERNAME"],
      ["a".repeat(255), "M_INVALID_USERNAME"],
    ] as const) {
      const answer = await server.post("/register", { username, password });
      expect(answer.status, username).to.equal(400);
      expect(answer.body["errcode"], username).to.equal(errcode);
    }
    const form = { username: "weak", password: "short" };
    const weak = await server.post("/register", form);
    expect(weak.body["errcode"]).to.equal("M_WEAK_PASSWORD");
  });

  it("knows no guests", async () => {
    const guest = await server.post("/register?kind=guest");
    expect(guest.status).to.equal(403);
    expect(guest.body["errcode"]).to.equal("M_FORBIDDEN");
  });

  it("finishes at another process what began at this one", async () => {
    const other = await server.startProcess();
    const form = { username: "split", password };
    const asked = await server.post("/register", form);
    const auth = { type: "m.login.dummy", session: asked.body["session"] };
    const made = await other.post("/register", { ...form, auth });
    expect(made.status, made.text).to.equal(200);
    expect(made.body["user_id"]).to.equal("@split:test");
    const again = await server.post("/register", {
      ...form,
      username: "split2",
      auth,
    });
    expect(again.status, "a session authorises once").to.equal(401);
  });

  it("row 59: gives a name to one of a hundred who want it at once", async () => {
    const other = await server.startProcess();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        register(i % 2 ? server : other, { username: "racer", password }),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).to.have.length(1);
    const losers = answers.filter(({ status }) => status !== 200);
    for (const { status, body } of losers) {
      expect(status).to.equal(400);
      expect(body["errcode"]).to.equal("M_USER_IN_USE");
    }
    const winner = answers.find(({ status }) => status === 200)!;
    const [devices, tokens] = await Promise.all([
      server.database.sql`select from devices where user_id = '@racer:test'`,
      server.database
        .sql`select from access_tokens where user_id = '@racer:test'`,
    ]);
    expect([devices.length, tokens.length]).to.deep.equal([1, 1]);
    const accessToken = winner.body["access_token"] as string;
    const me = await server.as({ accessToken }).get("/account/whoami");
    expect(me.body["user_id"]).to.equal("@racer:test");
  }).timeout(60_000);
});

describe("POST /register with registration tokens", () => {
  const server = useServer({ "registration.mode": "token" });
  const stageOf = (token: unknown) => ({
    type: "m.login.registration_token",
    token,
  });
  const make = (
    token: string,
    limits: { usesAllowed?: number; expiresTs?: number } = {},
  ) =>
    insertRegistrationToken(server.edges.db, {
      token,
      usesAllowed: limits.usesAllowed ?? null,
      expiresTs: limits.expiresTs ?? null,
      createdTs: 1,
    });
  const isValid = async (token: string) => {
    const path = `/_matrix/client/v1/register/m.login.registration_token/validity?token=${token}`;
    return (await server.get(path)).body["valid"];
  };

  it("offers no other way", async () => {
    const form = { username: "alice", password };
    const asked = await server.post("/register", form);
    expect(asked.body["flows"]).to.deep.equal([
      { stages: ["m.login.registration_token"] },
    ]);
    const dummy = await register(server, form);
    expect(dummy.status).to.equal(401);
    expect(dummy.body["errcode"]).to.equal("M_UNRECOGNIZED");
  });

  it("row 59: takes a valid token, as often as it may be used", async () => {
    await make("twice", { usesAllowed: 2 });
    expect(await isValid("twice")).to.equal(true);
    const answers = await Promise.all(
      ["one", "two", "three", "four"].map((username) =>
        register(server, { username, password }, stageOf("twice")),
      ),
    );
    const made = answers.filter(({ status }) => status === 200);
    expect(made).to.have.length(2);
    for (const { status, body } of answers) {
      if (status === 200) continue;
      expect([status, body["errcode"]]).to.be.deep.oneOf([
        [401, "M_UNAUTHORIZED"],
        [403, "M_FORBIDDEN"],
      ]);
    }
    expect(await isValid("twice")).to.equal(false);
    const users = await server.database.sql`select from users`;
    expect(users).to.have.length(2);
  });

  it("refuses a wrong, an expired and a missing token", async () => {
    await make("old", { expiresTs: 2 });
    expect(await isValid("old")).to.equal(false);
    expect(await isValid("none")).to.equal(false);
    for (const token of ["old", "none", undefined, 7]) {
      const form = { username: "nobody", password };
      const answer = await register(server, form, stageOf(token));
      expect(answer.status).to.equal(401);
      expect(answer.body["errcode"]).to.be.oneOf([
        "M_UNAUTHORIZED",
        "M_MISSING_PARAM",
      ]);
    }
  });
});

describe("POST /register where registration is closed", () => {
  const server = useServer({ "registration.mode": "closed" });

  it("row 59: is forbidden", async () => {
    const form = { username: "alice", password };
    const answer = await server.post("/register", form);
    expect(answer.status).to.equal(403);
    expect(answer.body["errcode"]).to.equal("M_FORBIDDEN");
  });

  it("tells nobody who is here, nor which token would do elsewhere", async () => {
    await server.user("alice");
    const token = "/_matrix/client/v1/register/m.login.registration_token";
    for (const path of [
      "/register/available?username=alice",
      "/register/available?username=free",
      `${token}/validity?token=any`,
    ]) {
      const answer = await server.get(path);
      expect(answer.status, path).to.equal(403);
      expect(answer.body["errcode"]).to.equal("M_FORBIDDEN");
    }
  });
});

describe("POST /register by one address", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.register.burst": 2,
  });

  it("row 59: makes no more accounts than the limit, and says when the next may be made", async () => {
    for (const username of ["one", "two"]) {
      const made = await register(server, { username, password });
      expect(made.status, made.text).to.equal(200);
    }
    const refused = await register(server, { username: "three", password });
    expect(refused.status).to.equal(429);
    expect(refused.body["retry_after_ms"]).to.be.above(0);
  });
});

describe("GET /register/available", () => {
  const server = useServer();

  it("tells whether a name is free, taken or none", async () => {
    await server.user("alice");
    const ask = (name: string) =>
      server.get(`/register/available?username=${name}`);
    expect((await ask("bob")).body).to.deep.equal({ available: true });
    expect((await ask("Alice")).body["errcode"]).to.equal("M_USER_IN_USE");
    expect((await ask("a%20b")).body["errcode"]).to.equal("M_INVALID_USERNAME");
  });
});
