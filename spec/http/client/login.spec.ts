import { expect } from "chai";
import { newCrossSigning } from "../../support/device-identity.ts";
import { whileUserIsHeld } from "../../support/held-row.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

const byPassword = (user: string, password: string, more: Json = {}): Json => ({
  type: "m.login.password",
  identifier: { type: "m.id.user", user },
  password,
  ...more,
});

/** Sets flags of an account, as an administrator's act would. */
async function flag(
  server: TestServer,
  userId: string,
  flags: { isLocked?: boolean; isSuspended?: boolean; isDeactivated?: boolean },
): Promise<void> {
  await server.edges.committer.commit({
    positions: 1,
    rows: { userUpdates: [{ userId, ...flags }] },
  });
}

describe("POST /login", () => {
  const server = useServer();

  it("takes a user id, a localpart in any case, and the old form", async () => {
    const { password } = await server.user("alice");
    for (const name of ["alice", "ALICE", "@alice:test", "@Alice:test"]) {
      const answer = await server.post("/login", byPassword(name, password));
      expect(answer.status, name).to.equal(200);
      expect(answer.body["user_id"]).to.equal("@alice:test");
    }
    const old = { type: "m.login.password", user: "alice", password };
    expect((await server.post("/login", old)).status).to.equal(200);
  });

  it("row 55: says the same of a wrong password, an unknown user and one of another server", async () => {
    await server.user("known");
    const answers = await Promise.all(
      ["known", "unknown", "@known:elsewhere", "@a:b:c", ""].map((name) =>
        server.post("/login", byPassword(name, "wrong password")),
      ),
    );
    for (const { status, body } of answers) {
      expect(status).to.equal(403);
      expect(body).to.deep.equal(answers[0]!.body);
    }
  });

  it("refuses what it does not offer", async () => {
    const { password } = await server.user("offered");
    for (const body of [
      { type: "m.login.token", token: "x" },
      { type: "m.login.dummy" },
      {
        ...byPassword("offered", password),
        identifier: { type: "m.id.phone", country: "CH", phone: "1" },
      },
    ]) {
      const answer = await server.post("/login", body);
      expect(answer.status).to.equal(400);
      expect(answer.body["errcode"]).to.equal("M_UNKNOWN");
    }
    const empty = await server.post("/login", { type: "m.login.password" });
    expect(empty.body["errcode"]).to.equal("M_MISSING_PARAM");
  });

  it("gives a new device its name, and keeps that of one that is known", async () => {
    const alice = await server.user("named");
    const login = (name: string) =>
      server.post(
        "/login",
        byPassword("named", alice.password, {
          device_id: "PHONE",
          initial_device_display_name: name,
        }),
      );
    const first = await login("First");
    const second = await login("Second");
    const device = await alice.get("/devices/PHONE");
    expect(device.body["display_name"]).to.equal("First");
    const old = { accessToken: first.body["access_token"] as string };
    const dead = await server.as(old).get("/account/whoami");
    expect(dead.body["errcode"]).to.equal("M_UNKNOWN_TOKEN");
    const now = { accessToken: second.body["access_token"] as string };
    expect((await server.as(now).get("/account/whoami")).status).to.equal(200);
  });

  it("takes null for what was left out", async () => {
    const { password } = await server.user("nobodys");
    const answer = await server.post("/login", {
      ...byPassword("nobodys", password),
      device_id: null,
      initial_device_display_name: null,
      refresh_token: null,
    });
    expect(answer.status, answer.text).to.equal(200);
    expect(answer.body["device_id"]).to.match(/^[A-Z]{10}$/);
    expect(answer.body).to.not.have.property("refresh_token");
  });

  it("gives no device the name of a cross-signing key", async () => {
    const alice = await server.user("crossed");
    const { body, master } = newCrossSigning(alice.userId);
    await alice.post("/keys/device_signing/upload", body);
    const answer = await server.post(
      "/login",
      byPassword("crossed", alice.password, { device_id: master.publicKey }),
    );
    expect(answer.status).to.equal(403);
    expect(answer.body["errcode"]).to.equal("M_FORBIDDEN");
  });

  it("refuses device ids that are none", async () => {
    const { password } = await server.user("strange");
    for (const device_id of ["", "a\nb", "x".repeat(256)]) {
      const body = byPassword("strange", password, { device_id });
      const answer = await server.post("/login", body);
      expect(answer.status).to.equal(400);
      expect(answer.body["errcode"]).to.equal("M_INVALID_PARAM");
    }
  });

  it("opens no more than a thousand devices, also where many log in at once", async () => {
    const { userId, password } = await server.user("many");
    const { sql } = server.database;
    await sql`
      insert into devices (user_id, device_id, key_id, sealed, created_ts)
      select ${userId}, 'D' || n, 0, '', 0 from generate_series(1, 998) n`;
    const second = await server.startProcess();
    const body = byPassword("many", password);
    const answers = await whileUserIsHeld(
      server.database,
      userId,
      async (waiting) => {
        const logins = [server, second].map((each) =>
          each.post("/login", body),
        );
        await waiting(2);
        return () => Promise.all(logins);
      },
    );
    for (const { status, body: said } of answers) {
      if (status !== 200)
        expect(said["errcode"]).to.equal("M_USER_LIMIT_EXCEEDED");
    }
    const devices = await sql`select from devices where user_id = ${userId}`;
    expect(devices.length).to.be.at.most(1000);
  });

  it("opens one device where two log in to a new one at once", async () => {
    const { password } = await server.user("twins");
    const body = byPassword("twins", password, { device_id: "SAME" });
    const answers = await Promise.all([
      server.post("/login", body),
      server.post("/login", body),
    ]);
    for (const { status, text } of answers) expect(status, text).to.equal(200);
  });
});

describe("POST /login by one who guesses", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.login.per_second": 0.001,
  });

  it("row 54: stops after ten wrong passwords, and does not count right ones", async () => {
    const { password } = await server.user("alice");
    for (let i = 0; i < 12; i += 1) {
      const right = await server.post("/login", byPassword("alice", password));
      expect(right.status, right.text).to.equal(200);
    }
    const statuses: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const wrong = await server.post("/login", byPassword("alice", "guess"));
      statuses.push(wrong.status);
    }
    expect(statuses.slice(0, 10)).to.deep.equal(Array(10).fill(403));
    expect(statuses.slice(10)).to.deep.equal([429, 429]);
    const late = await server.post("/login", byPassword("alice", password));
    expect(late.status, "not even the right one").to.equal(429);
    expect(late.body["retry_after_ms"]).to.be.above(0);
  });
});

describe("POST /login by those who guess from many places", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.login.per_second": 0.001,
    behind_proxy: true,
  });

  const from = (address: string) => ({
    headers: { "x-forwarded-for": address },
  });
  const logIn = async (name: string, password: string, address: string) =>
    (
      await server.ask(
        "POST",
        "/login",
        byPassword(name, password),
        from(address),
      )
    ).status;

  it("row 54: stops after ten wrong passwords from one address, whomever they are for", async () => {
    const { password } = await server.user("bystander");
    for (let i = 0; i < 10; i += 1)
      expect(await logIn(`nobody${i}`, "guess", "192.0.2.1")).to.equal(403);
    expect(await logIn("nobody10", "guess", "192.0.2.1")).to.equal(429);
    expect(await logIn("bystander", password, "192.0.2.1")).to.equal(429);
    expect(await logIn("bystander", password, "192.0.2.2")).to.equal(200);
  });

  it("row 54: stops after ten wrong passwords for one account, from however many addresses", async () => {
    const { password } = await server.user("target");
    for (let i = 0; i < 10; i += 1)
      expect(await logIn("target", "guess", `198.51.100.${i}`)).to.equal(403);
    expect(await logIn("target", "guess", "198.51.100.10")).to.equal(429);
    expect(await logIn("target", password, "198.51.100.11")).to.equal(429);
  });

  it("row 54: locks nobody out of where they use their devices, nor lets anybody guess on there", async () => {
    const alice = await server.user("alice");
    const home = "2001:db8:7:7::1";
    await until(async () => {
      const { body } = await alice.get("/devices", from(home));
      const [device] = body["devices"] as Json[];
      return device!["last_seen_ip"] === home;
    });
    for (let i = 0; i < 11; i += 1)
      await logIn("alice", "guess", `203.0.113.${i}`);
    const { password } = alice;
    expect(await logIn("alice", password, "203.0.113.99")).to.equal(429);
    // The same network, as one household has it.
    const beside = "2001:db8:7:7::2";
    expect(await logIn("alice", password, beside)).to.equal(200);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i += 1)
      statuses.push(await logIn("alice", "guess", home));
    expect(statuses.slice(0, 10)).to.deep.equal(Array(10).fill(403));
    expect(statuses.slice(10)).to.deep.equal([429, 429]);
  });
});

describe("a locked account", () => {
  const server = useServer();

  it("can log out, and nothing else, until it is unlocked", async () => {
    const alice = await server.user("alice");
    const phone = await server.post(
      "/login",
      byPassword("alice", alice.password, { refresh_token: true }),
    );
    await flag(server, alice.userId, { isLocked: true });
    await server.edges.notifier.revoke([(await tokenIds(alice.userId))[0]!]);
    const asked = await alice.get("/account/whoami");
    expect(asked.status).to.equal(401);
    expect(asked.body).to.include({
      errcode: "M_USER_LOCKED",
      soft_logout: true,
    });
    const login = byPassword("alice", alice.password);
    const refused = await server.post("/login", login);
    expect(refused.body).to.include({
      errcode: "M_USER_LOCKED",
      soft_logout: true,
    });
    const { refresh_token } = phone.body;
    const refreshed = await server.post("/refresh", { refresh_token });
    expect(refreshed.body["errcode"]).to.equal("M_USER_LOCKED");

    await flag(server, alice.userId, { isLocked: false });
    expect((await alice.get("/account/whoami")).status).to.equal(200);
    await flag(server, alice.userId, { isLocked: true });
    expect((await alice.post("/logout")).status).to.equal(200);
    const gone = await alice.get("/account/whoami");
    expect(gone.body["errcode"]).to.equal("M_UNKNOWN_TOKEN");
  });

  const tokenIds = async (userId: string) => {
    const rows = await server.database.sql<{ tokenId: number }[]>`
      select token_id from access_tokens where user_id = ${userId} order by created_ts`;
    return rows.map(({ tokenId }) => tokenId);
  };
});

describe("a suspended account", () => {
  const server = useServer();

  it("reads, leaves, logs in and logs out, and says nothing", async () => {
    const alice = await server.user("alice");
    const { body: room } = await alice.post("/createRoom");
    const roomId = encodeURIComponent(String(room["room_id"]));
    await flag(server, alice.userId, { isSuspended: true });
    const login = byPassword("alice", alice.password);
    const opened = await server.post("/login", login);
    expect(opened.status).to.equal(200);
    const session = { accessToken: opened.body["access_token"] as string };
    const client = server.as(session);
    expect((await client.get("/account/whoami")).status).to.equal(200);
    const name = { displayname: "Mallory" };
    const written = await client.put(
      `/profile/${alice.userId}/displayname`,
      name,
    );
    expect(written.status).to.equal(403);
    expect(written.body["errcode"]).to.equal("M_USER_SUSPENDED");
    const text = { msgtype: "m.text", body: "Hello" };
    const said = await client.put(
      `/rooms/${roomId}/send/m.room.message/1`,
      text,
    );
    expect(said.body["errcode"]).to.equal("M_USER_SUSPENDED");
    const left = await client.post(`/rooms/${roomId}/leave`);
    expect(left.status, left.text).to.equal(200);
    expect((await client.post("/logout")).status).to.equal(200);
  });
});
