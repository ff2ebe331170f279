import { readAudit } from "../../support/audit.ts";
import { expect } from "chai";
import { administrator, bindRole } from "../../support/administrators.ts";
import { must } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type {
  Answer,
  Json,
  TestProcess,
  TestUser,
} from "../../support/server.ts";

const A = "/_myelin/admin/v1";

describe("the admin API's roles", () => {
  // What a second person has to do with it is approvals.spec.ts's.
  const server = useServer({ "approvals.required": [] });
  let second: TestProcess;
  let security: TestUser;
  let other: TestUser;
  let nobody: TestUser;
  let count = 0;

  before(async () => {
    second = await server.startProcess();
    security = await administrator(server, "security", "security-admin");
    other = await administrator(server, "security2", "security-admin");
    nobody = await server.user("nobody");
  });

  const newUser = () => server.user(`user${(count += 1)}`);
  const grant = (
    userId: string,
    role: string,
    more: Json = {},
    by = security,
  ): Promise<Answer> =>
    by.post(`${A}/role-bindings`, {
      user_id: userId,
      role,
      scope: { kind: "server" },
      reason: "for the spec",
      ...more,
    });
  const granted = async (...asked: Parameters<typeof grant>) =>
    must<{ binding_id: number }>(await grant(...asked)).binding_id;
  const records = () => readAudit(server);
  const mine = async (user: TestUser) =>
    must<{ permissions: string[] }>(await user.get(`${A}/me/permissions`))
      .permissions;
  const refused = (answer: Answer, permission: string) => {
    expect(answer.status, answer.text).to.equal(403);
    expect(answer.body).to.include({
      errcode: "M_FORBIDDEN",
      "org.myelin.permission": permission,
    });
  };

  it("tell everyone what they may do themselves", async () => {
    expect(await mine(nobody)).to.deep.equal([]);
    expect(await mine(security)).to.include("roles.grant");
    expect(await mine(security)).to.not.include("users.credentials");
  });

  it("name the permission that is missing, and record that it was", async () => {
    const before = (await records()).length;
    refused(await nobody.get(`${A}/roles`), "roles.read");
    refused(await grant(nobody.userId, "helpdesk", {}, nobody), "roles.grant");
    const auditor = await administrator(server, "auditor", "auditor");
    must(await auditor.get(`${A}/roles`));
    refused(await grant(nobody.userId, "helpdesk", {}, auditor), "roles.grant");
    const made = (await records()).slice(before);
    expect(made.map(({ action, result }) => [action, result])).to.deep.equal([
      ["roles.read", "denied"],
      ["roles.grant", "denied"],
      ["roles.read", "allowed"],
      ["roles.grant", "denied"],
    ]);
  });

  it("are granted, listed and revoked, each with a record in its commit", async () => {
    const user = await newUser();
    const before = (await records()).length;
    const bindingId = await granted(user.userId, "helpdesk");
    expect(await mine(user)).to.include("users.credentials");
    const list = must<{ role_bindings: Json[]; total: number }>(
      await security.get(
        `${A}/role-bindings?user_id=${encodeURIComponent(user.userId)}`,
      ),
    );
    expect(list.total).to.equal(1);
    expect(list.role_bindings[0]).to.deep.include({
      binding_id: bindingId,
      role: "helpdesk",
      scope: { kind: "server" },
      reason: "for the spec",
      granted_by: security.userId,
      is_expired: false,
    });
    must(await security.delete(`${A}/role-bindings/${bindingId}`));
    expect(await mine(user)).to.deep.equal([]);
    const made = (await records()).slice(before);
    const grants = made.filter(({ action }) => action === "roles.grant");
    expect(made).to.have.length(3);
    expect(grants).to.have.length(2);
    for (const { actor, resource } of grants) {
      expect(actor).to.include({ user_id: security.userId });
      expect(resource).to.include({ type: "user", id: user.userId });
    }
    const again = await security.delete(`${A}/role-bindings/${bindingId}`);
    expect(again.status).to.equal(404);
  });

  it("G2: end at once in every process when they are revoked", async () => {
    const user = await newUser();
    for (let i = 0; i < 10; i += 1) {
      const bindingId = await granted(user.userId, "auditor");
      const there = second.as(user);
      must(await there.get(`${A}/roles`));
      must(await security.delete(`${A}/role-bindings/${bindingId}`));
      refused(await there.get(`${A}/roles`), "roles.read");
    }
  });

  it("end when their time is over, by the database's", async () => {
    const user = await newUser();
    await bindRole(server, user.userId, "auditor", { expiresInMs: 60_000 });
    must(await user.get(`${A}/roles`));
    await server.database.sql`
      update role_bindings set expires_ts = database_ms() where user_id = ${user.userId}`;
    refused(await user.get(`${A}/roles`), "roles.read");
    const past = await grant(user.userId, "auditor", { expires_ts: 1 });
    expect(past.body["errcode"]).to.equal("M_INVALID_PARAM");
  });

  it("G2: are granted by nobody to themselves, nor by any way around", async () => {
    refused(await grant(security.userId, "system-admin"), "roles.grant");
    refused(await grant(security.userId, "helpdesk"), "roles.grant");
    refused(await grant(security.userId, "security-admin"), "roles.grant");
    const user = await newUser();
    refused(await grant(user.userId, "owner"), "roles.grant");
    // A role that one holds oneself.
    const role = { role_id: "second-line", description: "d" };
    const permissions = ["roles.read"];
    must(await security.post(`${A}/roles`, { ...role, permissions }));
    await granted(other.userId, "second-line");
    const change = { description: "d", permissions: ["policies.write"] };
    const path = `${A}/roles/second-line`;
    refused(await other.put(path, change), "roles.write");
  });

  it("G2: keep system, security and audit apart, also where grants race", async () => {
    const sides = ["system-admin", "security-admin", "auditor", "helpdesk"];
    for (const one of sides.slice(0, 3))
      for (const two of sides.filter((each) => each !== one)) {
        if (one === "system-admin" && two === "helpdesk") continue;
        const user = await newUser();
        await granted(user.userId, one);
        refused(await grant(user.userId, two), "roles.grant");
      }
    for (let i = 0; i < 10; i += 1) {
      const user = await newUser();
      const elsewhere = { ...other, ...second.as(other) };
      const answers = await Promise.all([
        grant(user.userId, "system-admin"),
        grant(user.userId, "auditor", {}, elsewhere),
      ]);
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).to.deep.equal([200, 403]);
    }
  });

  it("are made up of one side, changed and taken away", async () => {
    const role = { role_id: "key-keeper", description: "Keeps keys." };
    const make = (permissions: string[]) =>
      security.post(`${A}/roles`, { ...role, permissions });
    refused(await make(["users.read", "roles.grant"]), "roles.write");
    refused(await make(["users.read", "audit.read"]), "roles.write");
    const unknown = await make(["users.fly"]);
    expect(unknown.body["errcode"]).to.equal("M_INVALID_PARAM");
    must(await make(["users.read", "settings.media"]));
    expect((await make(["users.read"])).status).to.equal(400);
    const user = await newUser();
    await granted(user.userId, "key-keeper");
    expect(await mine(user)).to.deep.equal(["settings.media", "users.read"]);
    const path = `${A}/roles/key-keeper`;
    const change = (permissions: string[]) =>
      security.put(path, { description: "Keeps keys.", permissions });
    must(await change(["users.read", "users.lock"]));
    expect(await mine(user)).to.deep.equal(["users.lock", "users.read"]);
    refused(await change(["audit.read"]), "roles.write");
    expect((await security.delete(path)).status).to.equal(400);
    refused(await security.delete(`${A}/roles/auditor`), "roles.write");
    const { role_bindings } = must<{ role_bindings: Json[] }>(
      await security.get(`${A}/role-bindings?role=key-keeper`),
    );
    const id = String(role_bindings[0]!["binding_id"]);
    must(await security.delete(`${A}/role-bindings/${id}`));
    must(await security.delete(path));
    expect((await security.delete(path)).status).to.equal(404);
  });

  it("are listed in pages, in any order", async () => {
    const ids: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      const user = await newUser();
      ids.push(await granted(user.userId, "backup-operator"));
    }
    const page = async (query: string) =>
      must<{ role_bindings: Json[]; total: number; next_token?: string }>(
        await security.get(`${A}/role-bindings?role=backup-operator&${query}`),
      );
    const seen: unknown[] = [];
    let from: string | undefined = "0";
    while (from !== undefined) {
      const found = await page(`limit=2&from=${from}&dir=b`);
      expect(found.total).to.equal(5);
      seen.push(...found.role_bindings.map((each) => each["binding_id"]));
      from = found.next_token;
    }
    expect(seen).to.have.members(ids);
    const byUser = await page("order_by=user_id");
    const users = byUser.role_bindings.map((each) => String(each["user_id"]));
    expect(users).to.deep.equal([...users].sort());
    for (const odd of ["limit=0", "limit=501", "order_by=reason", "from=-1"]) {
      const answer = await security.get(`${A}/role-bindings?${odd}`);
      expect(answer.body["errcode"], odd).to.equal("M_INVALID_PARAM");
    }
  });

  it("refuse scopes that are not there, or are of no use to a role", async () => {
    const user = await newUser();
    const { userId } = user;
    for (const [role, scope] of [
      ["helpdesk", { kind: "group", id: "absent" }],
      ["helpdesk", { kind: "group", id: "a\u0000" }],
      ["room-moderator", { kind: "room", id: "!absent:test" }],
      ["room-moderator", { kind: "room", id: "#alias:test" }],
      ["helpdesk", { kind: "users", users: [] }],
      ["helpdesk", { kind: "users", users: ["@x:elsewhere"] }],
      ["helpdesk", { kind: "server", id: "x" }],
    ] as const) {
      const answer = await grant(userId, role, { scope });
      expect(answer.status, JSON.stringify(scope)).to.equal(400);
    }
    const scope = { kind: "users", users: [nobody.userId] };
    refused(await grant(userId, "auditor", { scope }), "roles.grant");
    refused(await grant(userId, "room-moderator", { scope }), "roles.grant");
    await granted(userId, "helpdesk", { scope });
    const missing = await grant("@absent:test", "helpdesk");
    expect(missing.status).to.equal(404);
  });

  it("take groups as scopes, and lose what a group was the scope of", async () => {
    const manager = await newUser();
    const group = { group_id: "berlin", description: "Colleagues there" };
    must(await security.post(`${A}/groups`, group));
    const member = `${A}/groups/berlin/members/${encodeURIComponent(nobody.userId)}`;
    must(await security.put(member, undefined));
    const { members } = must<{ members: Json[] }>(
      await security.get(`${A}/groups/berlin/members`),
    );
    expect(members.map((each) => each["user_id"])).to.deep.equal([
      nobody.userId,
    ]);
    const scope = { kind: "group", id: "berlin" };
    await granted(manager.userId, "user-manager", { scope });
    // Whoever acts within a group has no say in who is in it.
    refused(await manager.put(member, undefined), "groups.write");
    must(await security.delete(member));
    expect((await security.delete(member)).status).to.equal(404);
    must(await security.delete(`${A}/groups/berlin`));
    must(await security.post(`${A}/groups`, group));
    expect(await mine(manager)).to.deep.equal([]);
  });

  it("are lost with the account", async () => {
    const user = await newUser();
    await granted(user.userId, "helpdesk");
    await user.post("/account/deactivate", {
      auth: {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: user.userId },
        password: user.password,
      },
    });
    const left = await server.database.sql`
      select from role_bindings where user_id = ${user.userId}`;
    expect(left).to.have.length(0);
    expect((await grant(user.userId, "helpdesk")).status).to.equal(404);
  });
});

describe("the admin API's tokens", () => {
  const server = useServer();
  let second: TestProcess;
  let manager: TestUser;
  let bindingId: number;
  const DAY = 86_400_000;

  before(async () => {
    second = await server.startProcess();
    manager = await server.user("manager");
    bindingId = await bindRole(server, manager.userId, "user-manager");
  });

  const make = (more: Json = {}) =>
    manager.post(`${A}/tokens`, {
      name: "a script",
      permissions: ["groups.read", "me.tokens"],
      expires_ts: Date.now() + DAY,
      ...more,
    });
  const made = async (more: Json = {}) => {
    const { token } = must<{ token: string }>(await make(more));
    return { token, client: server.as({ accessToken: token }) };
  };

  it("carry what they name and nothing else, and are no session", async () => {
    const { token, client } = await made();
    must(await client.get(`${A}/groups`));
    const other = await client.get(`${A}/roles`);
    expect(other.body["org.myelin.permission"]).to.equal("roles.read");
    const own = must(await client.get(`${A}/me/permissions`));
    expect(own["permissions"]).to.deep.equal(["groups.read", "me.tokens"]);
    for (const path of ["/account/whoami", "/sync", "/joined_rooms"]) {
      const answer = await client.get(path);
      expect(answer.status, path).to.equal(403);
    }
    expect((await client.post("/logout")).status).to.equal(403);
    const again = await client.post(`${A}/tokens`, {
      name: "another",
      permissions: ["groups.read"],
      expires_ts: Date.now() + DAY,
    });
    expect(again.status).to.equal(403);
    const rows = await server.database.sql<{ row: string }[]>`
      select admin_tokens::text as row from admin_tokens`;
    expect(rows.map(({ row }) => row).join()).to.not.include(token);
    const audit = await server.database.sql<{ record: string }[]>`
      select record from audit_log order by seq desc limit 1`;
    expect(audit[0]!.record).to.include("me.tokens").and.not.include(token);
  });

  it("name what their maker holds, for thirty days at the most", async () => {
    const more = await make({ permissions: ["rooms.delete"] });
    expect(more.status).to.equal(403);
    expect(more.body["org.myelin.permission"]).to.equal("rooms.delete");
    for (const wrong of [
      { expires_ts: Date.now() - 1 },
      { expires_ts: Date.now() + 31 * DAY },
      { permissions: ["nothing"] },
      { networks: ["10.0.0.0/99"] },
      { networks: ["10.0.0"] },
    ]) {
      const answer = await make(wrong);
      expect(answer.status, JSON.stringify(wrong)).to.equal(400);
    }
  });

  it("are good from the named networks alone", async () => {
    const here = await made({ networks: ["127.0.0.0/8", "::1/128"] });
    must(await here.client.get(`${A}/groups`));
    const elsewhere = await made({ networks: ["10.0.0.0/8"] });
    const answer = await elsewhere.client.get(`${A}/groups`);
    expect(answer.status).to.equal(401);
    expect(answer.body["errcode"]).to.equal("M_UNKNOWN_TOKEN");
  });

  it("G2: are dead in every process when they end, and when their maker's right does", async () => {
    const { token, client } = await made();
    const there = second.as({ accessToken: token });
    must(await there.get(`${A}/groups`));
    const { tokens } = must<{ tokens: { token_id: number }[] }>(
      await manager.get(`${A}/tokens?dir=b`),
    );
    must(await manager.delete(`${A}/tokens/${tokens[0]!.token_id}`));
    expect((await there.get(`${A}/groups`)).status).to.equal(401);
    expect((await client.get(`${A}/groups`)).status).to.equal(401);
    const left = await made();
    const late = await made();
    await server.database.sql`
      update admin_tokens set expires_ts = database_ms()
      where token_id = (select max(token_id) from admin_tokens)`;
    expect((await late.client.get(`${A}/groups`)).status).to.equal(401);
    must(await left.client.get(`${A}/groups`));
    await server.database
      .sql`delete from role_bindings where binding_id = ${bindingId}`;
    expect((await left.client.get(`${A}/groups`)).status).to.equal(403);
  });
});
