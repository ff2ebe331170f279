import { createHash } from "node:crypto";
import { expect } from "chai";
import { path } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

describe("OpenID tokens", () => {
  const server = useServer();
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  const request = (user: TestUser, owner = user.userId) =>
    user.post(path`/user/${owner}/openid/request_token`, {});

  const tokenOf = async (user: TestUser): Promise<string> =>
    String((await request(user)).body["access_token"]);

  const userinfo = (token: string) =>
    server.get(
      `/_matrix/federation/v1/openid/userinfo?access_token=${encodeURIComponent(token)}`,
    );

  it("prove for an hour who a user is", async () => {
    const { status, body } = await request(alice);
    expect(status).to.equal(200);
    expect(body).to.include({
      token_type: "Bearer",
      matrix_server_name: "test",
      expires_in: 3600,
    });
    const told = await userinfo(String(body["access_token"]));
    expect(told.status).to.equal(200);
    expect(told.body).to.deep.equal({ sub: "@alice:test" });
    const { sql } = server.database;
    await sql`update openid_tokens set expires_ts = 1`;
    const late = await userinfo(String(body["access_token"]));
    expect(late.status).to.equal(401);
    expect(late.body["errcode"]).to.equal("M_UNKNOWN_TOKEN");
    await request(alice);
    const left = await sql`select count(*)::int as count from openid_tokens`;
    expect(left).to.deep.equal([{ count: 1 }]);
  });

  it("are for oneself alone", async () => {
    const bob = await server.user("bob");
    const { status, body } = await request(bob, alice.userId);
    expect(status).to.equal(403);
    expect(body["errcode"]).to.equal("M_FORBIDDEN");
  });

  it("CVE-2023-38691: name a user of this server, and nobody else", async () => {
    const { body } = await userinfo(await tokenOf(alice));
    expect(String(body["sub"])).to.match(/^@[^:]+:test$/);
  });

  it("row 56: open nothing else, and are told by nothing else", async () => {
    const token = await tokenOf(alice);
    const stranger = server.as({ accessToken: token });
    expect((await stranger.get("/account/whoami")).status).to.equal(401);
    for (const other of ["", "x", alice.accessToken, `${token}x`, "%"]) {
      const { status, body } = await userinfo(other);
      expect(status, other).to.equal(401);
      expect(body["errcode"], other).to.equal("M_UNKNOWN_TOKEN");
    }
    const untold = await server.get("/_matrix/federation/v1/openid/userinfo");
    expect(untold.status).to.equal(400);
  });

  it("C12: stand in the database as hashes", async () => {
    const token = await tokenOf(alice);
    const { sql } = server.database;
    const hash = createHash("sha256").update(token).digest();
    const rows = await sql`
      select user_id from openid_tokens where token_hash = ${hash}`;
    expect(rows).to.deep.equal([{ userId: alice.userId }]);
  });

  it("end with the session, the account, and while it is locked", async () => {
    const { sql } = server.database;
    const carol = await server.user("carol");
    const token = await tokenOf(carol);
    await sql`update users set is_locked = true where user_id = ${carol.userId}`;
    expect((await userinfo(token)).status).to.equal(401);
    await sql`update users set is_locked = false where user_id = ${carol.userId}`;
    expect((await userinfo(token)).status).to.equal(200);
    expect((await carol.post("/logout")).status).to.equal(200);
    expect((await userinfo(token)).status).to.equal(401);
  });
});
