import { expect } from "chai";
import type { Endpoint } from "../../../src/http/endpoint.ts";
import { endpoints } from "../../../src/http/endpoints.ts";
import { pathTo, type Place } from "../../security/requests.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { administrator, bindRole } from "../../support/administrators.ts";
import { quiet } from "../../support/database.ts";
import { makeRoom, must, say } from "../../support/rooms.ts";
import { useServer, type TestUser } from "../../support/server.ts";

const acts = endpoints.filter(({ permission }) => permission !== undefined);

/** Nobody has ids like these, but a path needs some. */
const NOWHERE: Place & Readonly<Record<string, string>> = {
  userId: "@nobody-yet:test",
  roomId: "!none:test",
  eventId: "$none",
  deviceId: "NONE",
  alias: "#none:test",
  bindingId: "999999",
  tokenId: "999999",
  reportId: "999999",
  roleId: "none",
  groupId: "none",
};

describe("the audit log", () => {
  const server = useServer();
  const all = new Map<string, TestUser>();
  let nobody: TestUser;
  let user: TestUser;

  before(async () => {
    // Each permission is held by a person of its side.
    for (const roleId of [
      ...["system-admin", "security-admin", "auditor", "privacy-officer"],
      "compliance-officer",
    ])
      all.set(roleId, await administrator(server, roleId, roleId));
    nobody = await server.user("nobody");
    user = await server.user("user");
  });

  const since = async (head: number) => readAudit(server, head);

  const ask = async (who: TestUser, endpoint: Endpoint, body: unknown) => {
    const head = await auditHead(server);
    const hasBody = endpoint.method === "put" || endpoint.method === "post";
    const answer = await who.ask(
      endpoint.method.toUpperCase(),
      pathTo(endpoint, NOWHERE),
      hasBody ? body : undefined,
      { headers: { "user-agent": "the spec's" } },
    );
    return { answer, records: await since(head) };
  };

  const holders = async (permission: string): Promise<TestUser> => {
    for (const who of all.values()) {
      const { body } = await who.get("/_myelin/admin/v1/me/permissions");
      const { permissions } = body as { permissions: string[] };
      if (permissions.includes(permission)) return who;
      if (
        permission.startsWith("settings.") &&
        permissions.includes("settings.*")
      )
        return who;
    }
    throw new TypeError(`Nobody holds ${permission}.`);
  };

  it("sees the routes", () => expect(acts).to.have.length.above(15));

  for (const endpoint of acts) {
    const { method, path, permission = "" } = endpoint;
    it(`G1: holds one record of each ${method} ${path}, refused, in vain and allowed`, async () => {
      const denied = await ask(nobody, endpoint, {});
      expect(denied.answer.status, denied.answer.text).to.equal(403);
      expect(denied.records).to.have.length(1);
      expect(denied.records[0]).to.include({
        action: permission,
        result: "denied",
        errcode: "M_FORBIDDEN",
        request_id: denied.answer.headers["x-request-id"],
      });
      expect(denied.records[0]!.actor).to.include({
        user_id: nobody.userId,
        device_id: nobody.deviceId,
        ip: "127.0.0.1",
        user_agent: "the spec's",
      });

      const holder = await holders(permission);
      const asked = await ask(holder, endpoint, {});
      const { status, body } = asked.answer;
      expect(asked.records.map(({ action }) => action)).to.deep.equal([
        permission,
      ]);
      const [record] = asked.records;
      if (status < 300) {
        expect(record).to.include({ result: "allowed" });
      } else {
        expect(status).to.be.below(500);
        expect(record!["result"]).to.be.oneOf(["failed", "denied"]);
        expect(record).to.include({ errcode: body["errcode"] });
      }
      expect(record!.actor["roles"]).to.be.an("array").that.is.not.empty;

      const stranger = { ...nobody, ...server.as({ accessToken: "no-token" }) };
      const unknown = await ask(stranger, endpoint, {});
      expect(unknown.answer.status).to.equal(401);
      expect(unknown.records).to.have.length(1);
      expect(unknown.records[0]).to.include({ result: "denied" });
      expect(unknown.records[0]!.actor).to.include({
        type: "nobody",
        ip: "127.0.0.1",
      });
    });
  }

  it("holds an act in the commit of its effect, with what was before and after", async () => {
    const security = all.get("security-admin")!;
    const group = { group_id: "sales", description: "Those who sell" };
    const head = await auditHead(server);
    await security.post("/_myelin/admin/v1/groups", group);
    await security.put(
      `/_myelin/admin/v1/groups/sales/members/${user.userId}`,
      {},
    );
    const granted = await security.post("/_myelin/admin/v1/role-bindings", {
      user_id: user.userId,
      role: "helpdesk",
      scope: { kind: "group", id: "sales" },
      reason: "helps the sellers",
    });
    const [made, added, bound] = await since(head);
    expect(made).to.deep.include({ after: { group: "sales" } });
    expect(added!.resource).to.include({ type: "user", id: user.userId });
    expect(added).to.deep.include({ after: { group: "sales" } });
    expect(bound).to.deep.include({
      action: "roles.grant",
      result: "allowed",
      reason: "helps the sellers",
      after: {
        binding: granted.body["binding_id"],
        role: "helpdesk",
        scope: { kind: "group", id: "sales", users: 0 },
        expires_ts: null,
      },
    });
    const [xmin] = await server.database.sql<{ same: boolean }[]>`
      select (select xmin::text from audit_log where seq = ${bound!.seq})
        = (select xmin::text from role_bindings where binding_id = ${granted.body["binding_id"] as number}) as same`;
    expect(xmin!.same).to.equal(true);
  });

  it("G1: holds one record of an act that leaves a room as it was", async () => {
    const roomId = await makeRoom(user);
    const head = await auditHead(server);
    must(
      await all
        .get("system-admin")!
        .post(`/_synapse/admin/v1/join/${encodeURIComponent(roomId)}`, {
          user_id: user.userId,
        }),
    );
    const records = await since(head);
    expect(records.map(({ action, result }) => [action, result])).to.deep.equal(
      [["rooms.members.write", "allowed"]],
    );
  });

  it("holds no record of what people do in rooms, and sends cost nothing", async () => {
    const roomId = await makeRoom(user);
    const head = await auditHead(server);
    // Whoever so much as looked at the log would wait.
    await server.database.sql.begin(async (tx) => {
      await tx`lock table audit_log in access exclusive mode`;
      for (let i = 0; i < 5; i += 1) await say(user, roomId, `message ${i}`);
      must(await user.get("/sync?timeout=0"));
      must(await user.get(`/rooms/${roomId}/messages?dir=b`));
    });
    expect(await since(head)).to.deep.equal([]);
  });

  it("holds logins, refused ones too, and no name that is nobody's", async () => {
    const { localpart, password } = {
      localpart: "user",
      password: user.password,
    };
    const logIn = (name: string, secret: string) =>
      server.post("/login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: name },
        password: secret,
      });
    const head = await auditHead(server);
    const opened = await logIn(localpart, password);
    await logIn(localpart, "a wrong password");
    await logIn("a password typed too early", "x");
    const session = server.as({
      accessToken: opened.body["access_token"] as string,
    });
    await session.post("/logout");
    const records = await since(head);
    expect(
      records.map(({ action, result, actor, resource }) => [
        ...[action, result, actor["type"]],
        resource["id"],
      ]),
    ).to.deep.equal([
      ["auth.login", "allowed", "user", user.userId],
      ["auth.login", "denied", "nobody", user.userId],
      ["auth.login", "denied", "nobody", undefined],
      ["auth.logout", "allowed", "user", user.userId],
    ]);
    expect(records[0]!.actor).to.include({ user_id: user.userId });
  });

  it("holds a password's change, a registration and the end of an account, each once", async () => {
    const head = await auditHead(server);
    const auth = (session: TestUser) => ({
      type: "m.login.password",
      identifier: { type: "m.id.user", user: session.userId },
      password: session.password,
    });
    const made = await server.user("short");
    const changed = await made.post("/account/password", {
      new_password: "a new password",
      auth: auth(made),
    });
    expect(changed.status, changed.text).to.equal(200);
    const challenged = await made.post("/account/deactivate", {});
    expect(challenged.status).to.equal(401);
    const wrong = await made.post("/account/deactivate", {
      auth: {
        ...auth(made),
        password: "wrong",
        session: challenged.body["session"],
      },
    });
    expect(wrong.status).to.be.oneOf([401, 403]);
    const ended = await made.post("/account/deactivate", {
      auth: { ...auth(made), password: "a new password" },
    });
    expect(ended.status, ended.text).to.equal(200);
    const records = await since(head);
    expect(records.map(({ action, result }) => [action, result])).to.deep.equal(
      [
        ["auth.password", "allowed"],
        ["auth.deactivate", "denied"],
        ["auth.deactivate", "allowed"],
      ],
    );
  });

  it("G8: keeps the case and the reason that a reader names", async () => {
    const head = await auditHead(server);
    await all.get("security-admin")!.get("/_myelin/admin/v1/roles", {
      headers: {
        "x-myelin-case": "CASE-7",
        "x-myelin-reason": "yearly review",
      },
    });
    const [record] = await since(head);
    expect(record).to.include({ case_id: "CASE-7", reason: "yearly review" });
  });

  it("G1: holds no password, token or body of any request", async () => {
    const canary = "canary-7f3a91";
    await bindRole(server, nobody.userId, "user-manager");
    await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "user" },
      password: canary,
    });
    await server.post("/refresh", { refresh_token: canary });
    await server.as({ accessToken: canary }).get("/_myelin/admin/v1/roles");
    await server.get(`/_myelin/admin/v1/roles?access_token=${canary}`);
    for (const endpoint of acts) {
      const body = {
        canary,
        password: canary,
        description: canary,
        token: canary,
      };
      for (const who of all.values()) await ask(who, endpoint, body);
    }
    const rows = await server.database.sql<{ record: string }[]>`
      select record from audit_log`;
    const opened = JSON.stringify(await readAudit(server));
    expect(rows.map(({ record }) => record).join()).to.not.include(canary);
    expect(opened).to.not.include(canary);
    for (const { accessToken, password } of [nobody, user, ...all.values()]) {
      expect(opened).to.not.include(accessToken);
      expect(opened).to.not.include(password);
    }
  });
});

describe("the audit log that cannot be written", () => {
  const server = useServer({}, quiet);

  it("has what was asked refused", async () => {
    const admin = await administrator(server, "admin", "system-admin");
    const { sql } = server.database;
    await sql`alter table audit_log add constraint nothing check (facts is null)`;
    const answer = await admin.get("/_myelin/admin/v1/roles");
    expect(answer.status).to.equal(500);
    expect(answer.text).to.not.include("helpdesk");
  });
});
