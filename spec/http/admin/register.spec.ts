import { readAudit } from "../../support/audit.ts";
import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import { useServer } from "../../support/server.ts";
import type { Json } from "../../support/server.ts";

const PATH = "/_synapse/admin/v1/register";
const SECRET = "a shared secret of the spec";

/** As the clients of Synapse's API compute it. */
const macOf = (parts: readonly string[], secret = SECRET) =>
  createHmac("sha1", secret).update(parts.join("\0")).digest("hex");

describe("/_synapse/admin/v1/register", () => {
  const server = useServer({
    "registration.mode": "closed",
    "registration.shared_secret": SECRET,
  });
  const newNonce = async () => (await server.get(PATH)).body["nonce"] as string;
  const password = "wonderland";

  const sign = async (username: string, more: Json = {}, secret = SECRET) => {
    const nonce = await newNonce();
    const power = more["admin"] === true ? "admin" : "notadmin";
    const type = more["user_type"];
    const parts = [nonce, username, password, power];
    if (typeof type === "string") parts.push(type);
    return { nonce, username, password, mac: macOf(parts, secret), ...more };
  };
  const audit = () => readAudit(server);

  it("makes an account with a session, and records the act", async () => {
    const answer = await server.post(PATH, await sign("Alice"));
    expect(answer.status, answer.text).to.equal(200);
    expect(answer.body).to.include({
      user_id: "@alice:test",
      home_server: "test",
    });
    const accessToken = answer.body["access_token"] as string;
    const me = await server.as({ accessToken }).get("/account/whoami");
    expect(me.body["user_id"]).to.equal("@alice:test");
    const record = (await audit()).at(-1)!;
    expect(record).to.deep.include({
      action: "users.create",
      result: "allowed",
      after: { is_admin: false },
    });
    expect(record.actor).to.include({ type: "shared secret", ip: "127.0.0.1" });
    expect(record.resource).to.include({ type: "user", id: "@alice:test" });
    expect(JSON.stringify(record)).to.not.include(password);
  });

  it("makes administrators, and takes a type and a name", async () => {
    const form = await sign("root", {
      admin: true,
      user_type: "support",
      displayname: "The root",
    });
    const answer = await server.post(PATH, form);
    expect(answer.status, answer.text).to.equal(200);
    const [binding] = await server.database.sql`
      select role_id, scope_kind, granted_by from role_bindings where user_id = '@root:test'`;
    expect(binding).to.deep.equal({
      roleId: "system-admin",
      scopeKind: "server",
      grantedBy: "shared secret",
    });
    const profile = await server.get("/profile/@root:test");
    expect(profile.body["displayname"]).to.equal("The root");
    expect((await audit()).at(-1)!["after"]).to.deep.equal({
      is_admin: true,
    });
  });

  it("gives nobody a name that no profile may have", async () => {
    const long = await sign("longname", { displayname: "x".repeat(257) });
    const refused = await server.post(PATH, long);
    expect(refused.status).to.equal(400);
    expect(refused.body["errcode"]).to.equal("M_INVALID_PARAM");
    const none = await server.post(
      PATH,
      await sign("noname", { displayname: "" }),
    );
    expect(none.status, none.text).to.equal(200);
    const { body } = await server.get("/profile/@noname:test");
    expect(body).to.deep.equal({});
  });

  it("keeps a hash of a nonce, which is no use to who reads it", async () => {
    const nonce = await newNonce();
    const rows = await server.database.sql<{ row: string }[]>`
      select registration_nonces::text as row from registration_nonces`;
    expect(rows).to.have.length.above(0);
    const hash = createHash("sha256").update(nonce).digest("hex");
    expect(rows.map(({ row }) => row).join()).to.include(hash);
    expect(rows.map(({ row }) => row).join()).to.not.include(nonce);
  });

  it("takes a nonce once, also when it was wrong", async () => {
    const form = await sign("once");
    const wrong = await server.post(PATH, { ...form, mac: "00" });
    expect(wrong.status).to.equal(403);
    const right = await server.post(PATH, form);
    expect(right.status).to.equal(400);
    const racers = await sign("twice");
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => server.post(PATH, racers)),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(done).to.have.length(1);
  });

  it("refuses whatever was not signed so, and records that it did", async () => {
    const before = (await audit()).length;
    const form = await sign("mallory");
    for (const changed of [
      { admin: true },
      { username: "mallory2" },
      { password: "another password" },
      { mac: macOf([form.nonce, "mallory", password, "notadmin"], "guess") },
      { mac: "" },
      { mac: "zz".repeat(20) },
    ]) {
      const nonce = await newNonce();
      const mac = macOf([nonce, "mallory", password, "notadmin"]);
      const body = { ...form, nonce, mac, ...changed };
      const answer = await server.post(PATH, body);
      expect(answer.status, JSON.stringify(changed)).to.equal(403);
    }
    const users = await server.database
      .sql`select from users where user_id like '@mallory%'`;
    expect(users).to.have.length(0);
    const refused = (await audit()).slice(before);
    expect(refused).to.have.length(6);
    for (const { actor, resource, ...record } of refused) {
      expect(record).to.include({ result: "denied", errcode: "M_FORBIDDEN" });
      expect(actor["type"]).to.equal("nobody");
      expect(resource).to.deep.equal({ type: "users" });
    }
  });

  it("refuses a taken name, and records nothing", async () => {
    await server.user("taken");
    const before = (await audit()).length;
    const answer = await server.post(PATH, await sign("taken"));
    expect(answer.body["errcode"]).to.equal("M_USER_IN_USE");
    expect(await audit()).to.have.length(before);
  });
});

describe("/_synapse/admin/v1/register without a shared secret", () => {
  const server = useServer();

  it("gives out no nonce and makes no account", async () => {
    expect((await server.get(PATH)).status).to.equal(400);
    const username = "alice";
    const password = "wonderland";
    const nonce = "";
    const mac = macOf([nonce, username, password, "notadmin"], "");
    const body = { nonce, username, password, mac };
    expect((await server.post(PATH, body)).status).to.equal(400);
  });
});
