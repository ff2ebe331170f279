import { expect } from "chai";
import { finishDeactivations } from "../../../src/domain/jobs/finish-deactivations.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { whileUserIsHeld } from "../../support/held-row.ts";
import { useServer } from "../../support/server.ts";
import type { TestServer } from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

const logIn = (server: TestServer, user: string, password: string) =>
  server.post("/login", { type: "m.login.password", user, password });

const openAnother = async (
  server: TestServer,
  { userId, password }: { userId: string; password: string },
) => {
  const { body } = await logIn(server, userId, password);
  return server.as({ accessToken: body["access_token"] as string });
};

describe("POST /account/password", () => {
  const server = useServer();
  const new_password = "a new password";

  it("sets a new one and logs the other devices out", async () => {
    const alice = await server.user("alice");
    const phone = await openAnother(server, alice);
    const body = { new_password };
    const path = "/account/password";
    const answer = await withPassword(alice, "POST", path, body);
    expect(answer.status, answer.text).to.equal(200);
    expect((await alice.get("/account/whoami")).status).to.equal(200);
    expect((await phone.get("/account/whoami")).status).to.equal(401);
    const old = await logIn(server, "alice", alice.password);
    expect(old.status).to.equal(403);
    const now = await logIn(server, "alice", new_password);
    expect(now.status).to.equal(200);
  });

  it("keeps the other devices where that is asked", async () => {
    const bob = await server.user("bob");
    const phone = await openAnother(server, bob);
    const body = { new_password, logout_devices: false };
    await withPassword(bob, "POST", "/account/password", body);
    expect((await phone.get("/account/whoami")).status).to.equal(200);
  });

  it("leaves no session that was being opened with the old one", async () => {
    const dora = await server.user("dora");
    const second = await server.startProcess();
    const body = { type: "m.login.password", user: "dora" };
    const { password } = dora;
    const { login, changed } = await whileUserIsHeld(
      server.database,
      dora.userId,
      async (waiting) => {
        const opening = second.post("/login", { ...body, password });
        await waiting(1);
        const path = "/account/password";
        const changing = withPassword(dora, "POST", path, { new_password });
        await waiting(2);
        return async () => ({ login: await opening, changed: await changing });
      },
    );
    expect(changed.status, changed.text).to.equal(200);
    const accessToken = login.body["access_token"] as string | undefined;
    if (accessToken === undefined) expect(login.status).to.equal(403);
    else {
      const asked = await server.as({ accessToken }).get("/account/whoami");
      expect(asked.status).to.equal(401);
    }
  });

  it("wants the own user's own password, each time anew", async () => {
    const carol = await server.user("carol");
    const mallory = await server.user("mallory");
    const path = "/account/password";
    const wrong = { password: "a guess" };
    const others = {
      identifier: { type: "m.id.user", user: mallory.userId },
      password: mallory.password,
    };
    const objects = { password: { password: carol.password } };
    for (const stage of [wrong, others, objects]) {
      const answer = await withPassword(
        carol,
        "POST",
        path,
        { new_password },
        stage,
      );
      expect(answer.status).to.equal(401);
      expect(answer.body["errcode"]).to.be.oneOf([
        "M_FORBIDDEN",
        "M_MISSING_PARAM",
      ]);
    }
    const still = await logIn(server, "carol", carol.password);
    expect(still.status).to.equal(200);
  });

  it("refuses a weak one before it asks for the old one", async () => {
    const dave = await server.user("dave");
    const body = { new_password: "short" };
    const answer = await dave.post("/account/password", body);
    expect(answer.body["errcode"]).to.equal("M_WEAK_PASSWORD");
  });
});

describe("user-interactive authentication", () => {
  const server = useServer();

  const stageOf = (user: { userId: string; password: string }) => ({
    type: "m.login.password",
    identifier: { type: "m.id.user", user: user.userId },
    password: user.password,
  });

  it("row 57 CVE-2025-62425: serves the one operation that it was begun for", async () => {
    const alice = await server.user("alice");
    await openAnother(server, alice);
    const asked = await alice.delete("/devices/ANY", {});
    const { session } = asked.body;
    const auth = { ...stageOf(alice), session };
    const other = await alice.post("/account/deactivate", { auth });
    expect(other.status).to.equal(401);
    expect(other.body["completed"]).to.deep.equal([]);
    expect((await alice.get("/account/whoami")).status).to.equal(200);
    const elsewhere = await alice.delete("/devices/OTHER", { auth });
    expect(elsewhere.status).to.equal(401);
  });

  it("row 57: serves the user that it was begun for", async () => {
    const [bob, carol] = [await server.user("bob"), await server.user("carol")];
    const asked = await bob.delete("/devices/ANY", {});
    const auth = { ...stageOf(carol), session: asked.body["session"] };
    const answer = await carol.delete("/devices/ANY", { auth });
    expect(answer.status).to.equal(401);
  });

  it("row 56: authorises once", async () => {
    const dave = await server.user("dave");
    const asked = await dave.delete("/devices/ANY", {});
    const auth = { ...stageOf(dave), session: asked.body["session"] };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => dave.delete("/devices/ANY", { auth })),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(done).to.have.length(1);
  });

  it("is over after ten minutes", async () => {
    const erin = await server.user("erin");
    const asked = await erin.delete("/devices/ANY", {});
    const { session } = asked.body;
    await server.database.sql`
      update uia_sessions set created_ts = created_ts - 600001 where session_id = ${String(session)}`;
    const auth = { ...stageOf(erin), session };
    const late = await erin.delete("/devices/ANY", { auth });
    expect(late.status).to.equal(401);
    expect(late.body["session"]).to.not.equal(session);
  });
});

describe("POST /account/deactivate", () => {
  const server = useServer();

  it("closes every way in, for good", async () => {
    const alice = await server.user("alice");
    const { body: pair } = await server.post("/login", {
      type: "m.login.password",
      user: "alice",
      password: alice.password,
      refresh_token: true,
    });
    const phone = server.as({ accessToken: pair["access_token"] as string });
    const pending = await alice.delete("/devices/ANY", {});
    const path = "/account/deactivate";
    const answer = await withPassword(alice, "POST", path, { erase: true });
    expect(answer.status, answer.text).to.equal(200);
    expect(answer.body).to.deep.equal({ id_server_unbind_result: "success" });

    for (const client of [alice, phone]) {
      const token = await client.get("/account/whoami");
      expect(token.body["errcode"]).to.equal("M_UNKNOWN_TOKEN");
    }
    for (const user of ["alice", "@alice:test"]) {
      const login = await logIn(server, user, alice.password);
      expect(login.status).to.equal(403);
    }
    const { refresh_token } = pair;
    const refreshed = await server.post("/refresh", { refresh_token });
    expect(refreshed.status).to.equal(401);
    const auth = {
      type: "m.login.password",
      user: "alice",
      password: alice.password,
      session: pending.body["session"],
    };
    const again = await alice.delete("/devices/ANY", { auth });
    expect(again.status).to.equal(401);
    const form = { username: "alice", password: "another password" };
    const taken = await server.post("/register", form);
    expect(taken.body["errcode"]).to.equal("M_USER_IN_USE");
  });

  it("leaves nothing of the account but its user id, and no room with it in", async () => {
    const bob = await server.user("bob");
    const carol = await server.user("carol");
    const rooms: string[] = [];
    for (const preset of ["private_chat", "public_chat"]) {
      const { body } = await carol.post("/createRoom", {
        preset,
        invite: [bob.userId],
      });
      rooms.push(body["room_id"] as string);
    }
    await bob.post(`/join/${encodeURIComponent(rooms[0]!)}`);
    await bob.put(`/user/${bob.userId}/account_data/m.x`, { a: 1 });
    await bob.put(`/profile/${bob.userId}/m.tz`, { "m.tz": "UTC" });
    await bob.post(`/user/${bob.userId}/filter`, {});
    await bob.put(`/presence/${bob.userId}/status`, { presence: "online" });
    const path = "/account/deactivate";
    const answer = await withPassword(bob, "POST", path);
    expect(answer.status, answer.text).to.equal(200);

    const { sql } = server.database;
    const tables = [
      ...["access_tokens", "refresh_tokens", "devices", "device_keys"],
      ...["profile_fields", "account_data", "filters", "presence"],
      ...["cross_signing_keys", "to_device", "stripped_states"],
      ...["dehydrated_devices", "login_tokens"],
    ];
    for (const table of tables) {
      const rows = await sql`
        select from ${sql(table)} where user_id = ${bob.userId}`;
      expect(rows, table).to.have.length(0);
    }
    const [user] = await sql<{ passwordHash: string | null }[]>`
      select password_hash from users where user_id = ${bob.userId}`;
    expect(user!.passwordHash).to.equal(null);
    const memberships = await sql<{ membership: string }[]>`
      select membership from memberships where user_id = ${bob.userId}`;
    expect(memberships.map((row) => row.membership)).to.deep.equal([
      "leave",
      "leave",
    ]);
    const profile = await server.get(`/profile/${bob.userId}`);
    expect(profile.status).to.equal(404);
  });

  it("is finished by a job where a crash or the database came between", async () => {
    const dave = await server.user("dave");
    const { body } = await dave.post("/createRoom");
    await server.edges.committer.commit({
      positions: 1,
      rows: { userUpdates: [{ userId: dave.userId, isDeactivated: true }] },
    });
    await runJob(server.edges, finishDeactivations);
    const [row] = await server.database.sql<{ membership: string }[]>`
      select membership from memberships join rooms using (room_nid)
      where user_id = ${dave.userId} and room_id = ${String(body["room_id"])}`;
    expect(row!.membership).to.equal("leave");
  });
});
