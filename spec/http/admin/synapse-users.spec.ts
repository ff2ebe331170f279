import { auditHead, readAudit } from "../../support/audit.ts";
import { expect } from "chai";
import { searchAccounts } from "../../../src/domain/admin/users/list-accounts.ts";
import { eraseAccounts } from "../../../src/domain/jobs/erase-accounts.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { PERSONAL_TABLES } from "../../../src/domain/privacy/personal-tables.ts";
import { administrator, bindRole } from "../../support/administrators.ts";
import { countStatements } from "../../support/count-statements.ts";
import { seedPersonal } from "../../support/personal.ts";
import { makePublicRoom, makeRoom, must, path } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Answer, Json, TestUser } from "../../support/server.ts";

const V1 = "/_synapse/admin/v1";
const V2 = "/_synapse/admin/v2";
const V3 = "/_synapse/admin/v3";

/** As synadm sends it: nothing of it is percent-encoded. */
const raw = (base: string, userId: string, rest = "") =>
  `${base}/${userId}${rest}`;

const refused = (answer: Answer, permission: string) => {
  expect(answer.status, answer.text).to.equal(403);
  expect(answer.body).to.include({
    errcode: "M_FORBIDDEN",
    "org.myelin.permission": permission,
  });
};

/** Nothing is missing to who asks: the other one has more power. */
const outranked = (answer: Answer) => {
  expect(answer.status, answer.text).to.equal(403);
  expect(answer.body).to.include({
    errcode: "M_FORBIDDEN",
    "org.myelin.reason": "target",
  });
};

interface Listed {
  name: string;
  displayname: string | null;
}
interface List {
  users: Listed[];
  total: number;
  next_token?: unknown;
}

describe("Synapse's lists of users", () => {
  const server = useServer();
  let admin: TestUser;
  let bob: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    bob = await server.user("bob");
    const names = ["Zoe Quick", "anna Brown", "Ben"];
    for (const [i, name] of names.entries()) {
      const user = await server.user(`person${i}`);
      const field = path`/profile/${user.userId}/displayname`;
      must(await user.put(field, { displayname: name }));
    }
    await server.user("ended");
    await server.user("shut");
    const { sql } = server.database;
    await sql`update users set is_deactivated = true where user_id = '@ended:test'`;
    await sql`update users set is_locked = true, user_type = 'bot' where user_id = '@shut:test'`;
    await sql`
      insert into users (user_id, is_guest, created_ts) values ('@guest:test', true, 1)`;
  });

  const list = async (query: string, base = V2) =>
    must<List>(await admin.get(`${base}/users?${query}`));
  const ids = async (query: string, base = V2) =>
    (await list(query, base)).users.map(({ name }) => name.split(":")[0]);

  it("show all of a user that tools read, and tell the time in milliseconds", async () => {
    const { users, total } = await list("");
    expect(total).to.equal(users.length).and.equal(6);
    const shown = users.find(({ name }) => name === "@person1:test")!;
    expect(shown).to.include({
      ...{ name: "@person1:test", displayname: "anna Brown", avatar_url: null },
      ...{ is_guest: false, admin: false, deactivated: false, locked: false },
      ...{ shadow_banned: false, suspended: false, erased: false },
      user_type: null,
    });
    const { creation_ts } = shown as unknown as { creation_ts: number };
    expect(creation_ts).to.be.above(1_600_000_000_000);
    const root = users.find(({ name }) => name === "@root:test");
    expect(root).to.include({ admin: true });
  });

  it("go by pages whose token is a text", async () => {
    const seen: unknown[] = [];
    let from = "0";
    for (;;) {
      const page = await list(`limit=2&from=${from}&guests=true`);
      expect(page.total).to.equal(6);
      seen.push(...page.users.map(({ name }) => name));
      if (page.next_token === undefined) break;
      expect(page.next_token).to.be.a("string");
      from = String(page.next_token);
    }
    expect(seen).to.have.length(6);
    expect(new Set(seen).size).to.equal(6);
  });

  it("mean different things by `deactivated`", async () => {
    expect(await ids("deactivated=false")).to.not.include("@ended");
    expect(await ids("deactivated=true")).to.include.members([
      "@ended",
      "@bob",
    ]);
    expect(await ids("", V3)).to.include.members(["@ended", "@bob"]);
    expect(await ids("deactivated=true", V3)).to.deep.equal(["@ended"]);
    expect(await ids("deactivated=false", V3)).to.not.include("@ended");
  });

  it("take each filter, and an empty one as none", async () => {
    expect(await ids("guests=false")).to.not.include("@guest");
    expect(await ids("admins=true")).to.deep.equal(["@root"]);
    expect(await ids("admins=false")).to.not.include("@root");
    expect(await ids("")).to.not.include("@shut");
    expect(await ids("locked=true")).to.include("@shut");
    expect(await ids("locked=true&not_user_type=bot")).to.not.include("@shut");
    expect(await ids("locked=true&not_user_type=")).to.deep.equal(["@shut"]);
    expect(await ids("user_id=ERSON1")).to.deep.equal(["@person1"]);
    const empty = "name=&user_id=&guests=&deactivated=&admins=&order_by=";
    expect(await ids(empty)).to.deep.equal(await ids(""));
  });

  it("find names in any case, as synadm asks twice for them", async () => {
    for (const name of ["BROWN", "brown", "Anna%20b", "nna"])
      expect(await ids(`name=${name}`), name).to.deep.equal(["@person1"]);
    expect(await ids("name=Person2")).to.deep.equal(["@person2"]);
    expect(await ids("name=%25")).to.deep.equal([]);
  });

  it("are in any order, both ways", async () => {
    const named = ["@person1", "@person2", "@person0"];
    const byName = await ids("order_by=displayname");
    expect(byName.filter((id) => named.includes(id!))).to.deep.equal(named);
    const backwards = await ids("order_by=displayname&dir=b");
    expect(backwards.filter((id) => named.includes(id!))).to.deep.equal(
      named.toReversed(),
    );
    for (const order of [
      ...["name", "is_guest", "admin", "user_type", "deactivated"],
      ...["shadow_banned", "avatar_url", "creation_ts", "last_seen_ts"],
    ])
      for (const dir of ["f", "b"])
        expect(await ids(`order_by=${order}&dir=${dir}`)).to.have.length(6);
    expect(await ids("order_by=creation_ts")).to.have.property("0", "@guest");
    for (const odd of ["order_by=x", "dir=x", "limit=-1", "from=-1"]) {
      const answer = await admin.get(`${V2}/users?${odd}`);
      expect(answer.body["errcode"], odd).to.equal("M_INVALID_PARAM");
    }
  });

  it("cost the same statements for a page of 2 and of 500", async () => {
    const { sql, taken } = countStatements(server.edges.db);
    const edges = { ...server.edges, db: sql };
    const count = async (limit: number) => {
      await searchAccounts(edges, {
        ...{ userId: null, name: null, limit, offset: 0, isAdmin: null },
        ...{ includesGuests: true, includesLocked: true, isDeactivated: null },
        ...{ notUserTypes: [], orderBy: "name", isDescending: false },
      });
      return taken();
    };
    await count(2);
    expect(await count(500)).to.equal(await count(2));
  });

  it("are for who may read users, within the whole server", async () => {
    refused(await bob.get(`${V2}/users`), "users.read");
    refused(await bob.get(`${V3}/users`), "users.read");
    const scoped = await server.user("scoped");
    const users = [bob.userId];
    const scope = { scopeKind: "users", users } as const;
    await bindRole(server, scoped.userId, "helpdesk", scope);
    refused(await scoped.get(`${V2}/users`), "users.read");
    must(await scoped.get(raw(`${V2}/users`, bob.userId)));
    refused(await scoped.get(raw(`${V2}/users`, admin.userId)), "users.read");
    await server.database
      .sql`delete from role_bindings where user_id = ${scoped.userId}`;
  });

  it("answer a slash too many with 404, never with everybody", async () => {
    for (const target of [`${V2}/users/`, `${V3}/users/`, `${V2}/users//`]) {
      const answer = await admin.get(target);
      expect(answer.status, target).to.equal(404);
      expect(answer.body["errcode"]).to.equal("M_UNRECOGNIZED");
    }
    const group = await admin.post(`${V1}/delete_group/x`);
    expect(group.status).to.equal(404);
  });
});

describe("Synapse's accounts", () => {
  const server = useServer();
  let admin: TestUser;
  let security: TestUser;
  let nobody: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    security = await administrator(server, "sec", "security-admin");
    nobody = await server.user("nobody");
  });

  const user = (localpart: string) => `@${localpart}:test`;
  const put = (localpart: string, body: Json, by: TestUser = admin) =>
    by.put(raw(`${V2}/users`, user(localpart)), body);
  const get = async (localpart: string) =>
    must(await admin.get(raw(`${V2}/users`, user(localpart))));
  const logIn = (localpart: string, password: string) =>
    server.post("/login", {
      type: "m.login.password",
      user: localpart,
      password,
    });
  const records = async (target: string) =>
    (await readAudit(server)).filter(({ resource }) => resource.id === target);

  it("are made with 201, changed with 200, and hold what was put", async () => {
    const made = await put("made", {
      password: "a long password",
      displayname: "Made",
      avatar_url: "mxc://test/abc",
      threepids: [
        { medium: "email", address: "made@example.org" },
        { medium: "msisdn", address: "447470274584" },
      ],
      external_ids: [{ auth_provider: "idp", external_id: "sub/1" }],
      admin: false,
      deactivated: false,
      user_type: "bot",
    });
    expect(made.status, made.text).to.equal(201);
    expect(made.body).to.include({
      ...{ name: user("made"), displayname: "Made", user_type: "bot" },
      ...{ avatar_url: "mxc://test/abc", admin: false, deactivated: false },
    });
    expect(made.body["creation_ts"]).to.be.below(100_000_000_000);
    const threepids = made.body["threepids"] as Json[];
    expect(threepids.map(({ address }) => address)).to.have.members([
      "made@example.org",
      "447470274584",
    ]);
    expect(made.body["external_ids"]).to.deep.equal([
      { auth_provider: "idp", external_id: "sub/1" },
    ]);
    must(await logIn("made", "a long password"));
    const changed = await put("made", { displayname: "Anew", threepids: [] });
    expect(changed.status).to.equal(200);
    expect(changed.body).to.deep.include({
      ...{ displayname: "Anew", threepids: [], user_type: "bot" },
      avatar_url: "mxc://test/abc",
    });
    expect((await put("made", { user_type: null })).body["user_type"]).to.equal(
      null,
    );
    const changes = (await records(user("made"))).filter(
      ({ action }) => action === "users.write",
    );
    expect(changes.map(({ result }) => result)).to.deep.equal(
      Array(changes.length).fill("allowed"),
    );
    expect(changes[0]!.after).to.include({
      ...{ act: "users.create", created: true, password: true },
      ...{ threepids: 2, external_ids: 1, user_type: "bot" },
    });
    expect(JSON.stringify(await records(user("made")))).to.not.match(
      /long password|example\.org|sub\/1/,
    );
  });

  it("are changed in parts of which each has a record of just that part", async () => {
    const password = "another password";
    await put("parts", { password: "a long password" });
    const head = await auditHead(server);
    const wish = { password, displayname: "Part", user_type: "bot" };
    must(await put("parts", { ...wish, locked: true, threepids: [] }));
    const parts = (await readAudit(server, head)).map(
      ({ action, after, request_id, result }) => {
        expect([action, result]).to.deep.equal(["users.write", "allowed"]);
        expect(request_id).to.be.a("string");
        return after;
      },
    );
    expect(parts).to.deep.equal([
      { act: "users.credentials", password: true, logout_devices: true },
      { threepids: 0, user_type: "bot", displayname: true },
      { act: "users.lock", locked: true },
    ]);
    const writes = await server.database.sql<{ xmin: string }[]>`
      select xmin::text from audit_log where seq = ${head + 2}
      union all select xmin::text from profile_fields
        where user_id = ${user("parts")} and name = 'displayname'`;
    expect(writes).to.have.length(2);
    expect(writes[0]).to.deep.equal(writes[1]);
  });

  it("answer ids as they are and encoded alike", async () => {
    await put("same+one", { password: "a long password" });
    for (const target of [
      `${V2}/users/@same+one:test`,
      `${V2}/users/%40same%2Bone%3Atest`,
      `/_myelin/admin/v1/users/@same+one:test`,
    ])
      expect(must(await admin.get(target))["name"]).to.equal("@same+one:test");
  });

  it("are refused where what is put is no good, and nothing is made", async () => {
    const odd: [string, Json, string][] = [
      ["odd1", { password: "short" }, "M_WEAK_PASSWORD"],
      ["odd2", { avatar_url: "http://x" }, "M_INVALID_PARAM"],
      [
        "odd3",
        { threepids: [{ medium: "email", address: "x" }] },
        "M_INVALID_PARAM",
      ],
      ["ODD4", {}, "M_INVALID_USERNAME"],
      ["odd5", { admin: "yes" }, "M_BAD_JSON"],
      ["notices", {}, "M_USER_IN_USE"],
    ];
    for (const [localpart, body, errcode] of odd) {
      const answer = await put(localpart, body);
      expect(answer.body["errcode"], localpart).to.equal(errcode);
    }
    const far = await admin.put(raw(`${V2}/users`, "@x:elsewhere"), {});
    expect(far.status).to.equal(400);
    const absent = await admin.get(raw(`${V2}/users`, user("odd1")));
    expect(absent.status).to.equal(404);
    expect(absent.body["errcode"]).to.equal("M_NOT_FOUND");
  });

  it("have what is somebody's alone once", async () => {
    const threepids = [{ medium: "email", address: "One@example.org" }];
    const external_ids = [{ auth_provider: "idp", external_id: "one" }];
    await put("first", { threepids, external_ids });
    const same = [{ medium: "email", address: "one@EXAMPLE.org" }];
    const second = await put("second", { threepids: same });
    expect(second.body["errcode"]).to.equal("M_THREEPID_IN_USE");
    const third = await put("third", { external_ids });
    expect(third.status).to.equal(400);
    const found = `${V1}/threepid/email/users/one@example.org`;
    expect(must(await admin.get(found))["user_id"]).to.equal(user("first"));
    const subject = `${V1}/auth_providers/idp/users/one`;
    expect(must(await admin.get(subject))["user_id"]).to.equal(user("first"));
    for (const target of [
      `${V1}/threepid/email/users/two@example.org`,
      `${V1}/threepid/fax/users/1`,
      `${V1}/auth_providers/idp/users/two`,
    ])
      expect((await admin.get(target)).status, target).to.equal(404);
    refused(await nobody.get(found), "users.read");
    refused(await nobody.get(subject), "users.read");
  });

  it("are made administrators by who may grant, and by nobody else", async () => {
    await put("chief", { password: "a long password" });
    refused(await put("chief", { admin: true }), "roles.grant");
    // As consoles send the whole form: what stays as it is takes no permission.
    expect((await put("chief", { admin: false })).status).to.equal(200);
    // Who grants changes no accounts, so that none may do both in one request.
    const both = raw(`${V2}/users`, user("chief"));
    refused(await security.put(both, { admin: true }), "users.write");
    const target = raw(`${V1}/users`, user("chief"), "/admin");
    refused(await admin.put(target, { admin: true }), "roles.grant");
    expect(must(await admin.get(target))).to.deep.equal({ admin: false });
    must(await security.put(target, { admin: true }));
    expect(must(await admin.get(target))).to.deep.equal({ admin: true });
    expect((await get("chief"))["admin"]).to.equal(true);
    const bound = await server.database.sql<{ roleId: string }[]>`
      select role_id from role_bindings where user_id = ${user("chief")}`;
    expect(bound.map(({ roleId }) => roleId)).to.deep.equal(["system-admin"]);
    must(await security.put(target, { admin: false }));
    expect((await get("chief"))["admin"]).to.equal(false);
    for (const role of ["system-admin", "user-manager"])
      await bindRole(server, user("chief"), role);
    const head = await auditHead(server);
    must(await security.put(target, { admin: false }));
    const [gone, ...others] = await readAudit(server, head);
    expect(others).to.deep.equal([]);
    const { bindings } = gone!.before as { bindings: { role: string }[] };
    expect(bindings.map(({ role }) => role)).to.have.members([
      ...["system-admin", "user-manager"],
    ]);
    expect(must(await admin.get(target))).to.deep.equal({ admin: false });
    const own = raw(`${V1}/users`, security.userId, "/admin");
    const demotion = await security.put(own, { admin: false });
    expect(demotion.body["errcode"]).to.equal("M_UNKNOWN");
    refused(await nobody.get(target), "roles.read");
  });

  it("G2: of who has powers of their own are out of the reach of who has less", async () => {
    const manager = await administrator(server, "manager", "user-manager");
    const target = security.userId;
    outranked(
      await manager.put(raw(`${V2}/users`, target), { displayname: "x" }),
    );
    outranked(
      await admin.post(raw(`${V1}/reset_password`, target), {
        new_password: "another password",
      }),
    );
    outranked(await admin.post(raw(`${V1}/deactivate`, target), {}));
    outranked(await admin.post(raw(`${V1}/users`, target, "/login"), {}));
  });

  it("have their password reset, and their sessions ended unless that is not wished for", async () => {
    const ann = await server.user("ann");
    const reset = (body: Json) =>
      admin.post(raw(`${V1}/reset_password`, ann.userId), body);
    must(
      await reset({ new_password: "second password", logout_devices: false }),
    );
    must(await ann.get("/account/whoami"));
    must(await logIn("ann", "second password"));
    must(await reset({ new_password: "third password" }));
    expect((await ann.get("/account/whoami")).status).to.equal(401);
    expect((await logIn("ann", "second password")).status).to.equal(403);
    must(await logIn("ann", "third password"));
    const weak = await reset({ new_password: "x" });
    expect(weak.body["errcode"]).to.equal("M_WEAK_PASSWORD");
    const resets = (await records(ann.userId)).filter(
      ({ action }) => action === "users.credentials",
    );
    expect(resets.map(({ result }) => result)).to.deep.equal([
      ...["allowed", "allowed", "failed"],
    ]);
  });

  it("are locked and suspended, at once and in every process", async () => {
    const second = await server.startProcess();
    const ann = await server.user("lockable");
    const there = second.as(ann);
    must(await there.get("/account/whoami"));
    const lock = `/_matrix/client/v1/admin/lock/${ann.userId}`;
    must(await admin.put(lock, { locked: true }));
    expect((await there.get("/account/whoami")).body["errcode"]).to.equal(
      "M_USER_LOCKED",
    );
    expect(must(await admin.get(lock))).to.deep.equal({ locked: true });
    must(await admin.put(lock, { locked: false }));
    must(await there.get("/account/whoami"));
    const suspend = raw(`${V1}/suspend`, ann.userId);
    expect(must(await admin.put(suspend, { suspend: true }))).to.deep.equal({
      [`user_${ann.userId}_suspended`]: true,
    });
    const spec = `/_matrix/client/v1/admin/suspend/${ann.userId}`;
    expect(must(await admin.get(spec))).to.deep.equal({ suspended: true });
    const room = await there.post("/createRoom", {});
    expect(room.body["errcode"]).to.equal("M_USER_SUSPENDED");
    must(await admin.put(spec, { suspended: false }));
    must(await there.post("/createRoom", {}));
    const absent = "/_matrix/client/v1/admin/lock/@absent:test";
    expect((await admin.get(absent)).status).to.equal(404);
    refused(await nobody.put(lock, { locked: true }), "users.lock");
    for (const other of [admin.userId, security.userId])
      for (const [target, body] of [
        [`/_matrix/client/v1/admin/lock/${other}`, { locked: true }],
        [`/_matrix/client/v1/admin/suspend/${other}`, { suspended: true }],
      ] as const)
        expect((await admin.put(target, body)).status, target).to.equal(403);
  });

  it("are of no use at once, and end and are erased when it can no longer be taken back", async () => {
    const ann = await server.user("leaving");
    await put("leaving", {
      threepids: [{ medium: "email", address: "leaving@example.org" }],
    });
    const target = raw(`${V1}/deactivate`, ann.userId);
    const answer = must(await admin.post(target, { erase: true }));
    expect(answer).to.deep.equal({ id_server_unbind_result: "success" });
    const away = await ann.get("/account/whoami");
    expect(away.status).to.equal(401);
    expect(away.body).to.include({
      errcode: "M_USER_LOCKED",
      soft_logout: true,
    });
    const login = await logIn("leaving", ann.password);
    expect(login.body["errcode"]).to.equal("M_USER_DEACTIVATED");
    expect(await get("leaving")).to.deep.include({
      ...{ deactivated: true, erased: true, locked: false },
    });
    const ended = must<{ users: Json[] }>(
      await admin.get(`${V2}/users?deactivated=true&name=leaving`),
    );
    expect(ended.users).to.have.length(1);
    const { sql } = server.database;
    const erased = async () => {
      const [row] = await sql<{ erasedPosition: number | null }[]>`
        select erased_position from users where user_id = ${ann.userId}`;
      return row!.erasedPosition !== null;
    };
    expect(await erased()).to.equal(false);
    const { scheduled_tasks } = must<{ scheduled_tasks: Json[] }>(
      await admin.get(`${V1}/scheduled_tasks?resource_id=${ann.userId}`),
    );
    expect(scheduled_tasks).to.have.length(1);
    expect(scheduled_tasks[0]).to.include({ action: "erase_user" });
    const in24h = Date.now() + 24 * 3_600_000;
    expect(scheduled_tasks[0]!["timestamp"]).to.be.closeTo(in24h, 600_000);
    must(await put("leaving", { deactivated: false }));
    must(await ann.get("/account/whoami"));
    expect(await get("leaving")).to.include({
      ...{ deactivated: false, erased: false },
    });
    const left = await sql`select from pending_erasures`;
    expect(left).to.have.length(0);
  });

  it("keep the sessions that are renewed, while it can be taken back that they end", async () => {
    const ann = await server.user("renewing");
    const { refresh_token } = must<{ refresh_token: string }>(
      await server.post("/login", {
        ...{ type: "m.login.password", user: "renewing" },
        ...{ password: ann.password, refresh_token: true },
      }),
    );
    must(
      await admin.post(raw(`${V1}/deactivate`, ann.userId), { erase: true }),
    );
    const refresh = () => server.post("/refresh", { refresh_token });
    expect((await refresh()).body).to.include({
      ...{ errcode: "M_USER_LOCKED", soft_logout: true },
    });
    must(await put("renewing", { deactivated: false }));
    must(await refresh());
  });

  it("are taken back with a password where they had ended", async () => {
    const ann = await server.user("ended");
    must(await admin.post(raw(`${V1}/deactivate`, ann.userId), {}));
    const revive = await put("ended", { deactivated: false });
    expect(revive.body["errcode"]).to.equal("M_MISSING_PARAM");
    const password = "a new password";
    must(await put("ended", { deactivated: false, password }));
    must(await logIn("ended", password));
  });

  it("lose nothing by an erasing save of a tool that is taken back", async () => {
    const ann = await server.user("saved");
    const roomId = await makePublicRoom(ann);
    const { sql } = server.database;
    const [room] = await sql<{ roomNid: number }[]>`
      select room_nid from rooms where room_id = ${roomId}`;
    await seedPersonal(server, ann.userId, room!.roomNid, "S");
    await sql`delete from pending_erasures where user_id = ${ann.userId}`;
    await sql`delete from role_bindings where user_id = ${ann.userId}`;
    const kept = async () => {
      const found: Record<string, unknown> = {};
      for (const { table, of } of PERSONAL_TABLES)
        found[table] = await sql.unsafe(
          `select to_jsonb(t) as row from ${table} t where ${of} = $1 order by 1`,
          [ann.userId],
        );
      return found;
    };
    const before = await kept();
    for (let save = 0; save < 2; save += 1) {
      must(
        await admin.post(raw(`${V1}/deactivate`, ann.userId), { erase: true }),
      );
      must(await put("saved", { deactivated: true, locked: false }));
      must(await put("saved", { deactivated: false, locked: false }));
    }
    expect(await kept()).to.deep.equal(before);
    must(await ann.get("/account/whoami"));
    const joined = must<{ joined_rooms: string[] }>(
      await ann.get("/joined_rooms"),
    );
    expect(joined.joined_rooms).to.deep.equal([roomId]);
  });

  it("end where nobody has taken it back in time, with all that is theirs", async () => {
    const ann = await server.user("gone");
    await makePublicRoom(ann);
    must(
      await admin.post(raw(`${V1}/deactivate`, ann.userId), { erase: true }),
    );
    const { sql } = server.database;
    await sql`update pending_erasures set due_ts = 1 where user_id = ${ann.userId}`;
    await sql`delete from leases`;
    await runJob(server.edges, eraseAccounts);
    const [row] = await sql<{ isDone: boolean }[]>`
      select is_deactivated and not is_ending and password_hash is null and erased_position is not null as is_done
      from users where user_id = ${ann.userId}`;
    expect(row!.isDone).to.equal(true);
    expect(
      await sql`select from devices where user_id = ${ann.userId}`,
    ).to.have.length(0);
    expect(
      await sql`select from memberships where user_id = ${ann.userId} and membership = 'join'`,
    ).to.have.length(0);
  });

  it("are ended and erased by who may, each asked for by itself", async () => {
    const manager = await administrator(server, "manager2", "user-manager");
    const ann = await server.user("staying");
    const target = raw(`${V1}/deactivate`, ann.userId);
    refused(await manager.post(target, { erase: true }), "users.erase");
    must(await ann.get("/account/whoami"));
    must(await manager.post(target, {}));
    expect((await ann.get("/account/whoami")).status).to.equal(401);
  });

  it("of the last one who can grant do not end", async () => {
    const auth = {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: security.userId },
      password: security.password,
    };
    await server.database.sql`update authority set sealed_ts = 1`;
    const own = await security.post("/account/deactivate", { auth });
    refused(own, "roles.grant");
    must(await security.get("/account/whoami"));
    const second = await administrator(server, "sec2", "security-admin");
    must(
      await second.post("/account/deactivate", {
        auth: {
          ...auth,
          identifier: { type: "m.id.user", user: second.userId },
          password: second.password,
        },
      }),
    );
  });

  it("end when their time is over, until it is set anew", async () => {
    const ann = await server.user("timed");
    const set = (expiration_ts: number) =>
      admin.post(`${V1}/account_validity/validity`, {
        user_id: ann.userId,
        expiration_ts,
        enable_renewal_emails: false,
      });
    expect(must(await set(1))).to.deep.equal({ expiration_ts: 1 });
    const gone = await ann.get("/account/whoami");
    expect(gone.status).to.equal(403);
    expect(gone.body["errcode"]).to.equal("ORG_MATRIX_EXPIRED_ACCOUNT");
    expect((await logIn("timed", ann.password)).status).to.equal(403);
    must(await set(Date.now() + 60_000));
    must(await ann.get("/account/whoami"));
    const other = await admin.post(`${V1}/account_validity/validity`, {
      user_id: security.userId,
    });
    outranked(other);
  });

  it("are told of names that are free", async () => {
    const ask = (name: string) =>
      admin.get(`${V1}/username_available?username=${name}`);
    expect(must(await ask("free-name"))).to.deep.equal({ available: true });
    expect((await ask("root")).body["errcode"]).to.equal("M_USER_IN_USE");
    expect((await ask("No")).body["errcode"]).to.equal("M_INVALID_USERNAME");
  });

  it("are found by the list of old", async () => {
    const target = `${V1}/search_users/${admin.userId}?term=nobod`;
    const answer = await admin.get(target);
    expect(JSON.parse(answer.text)).to.deep.equal([
      { name: nobody.userId, is_guest: false, admin: false, user_type: null },
    ]);
  });

  it("G8: are acted as by a device that shows, for an hour, and that keeps off their keys", async () => {
    const ann = await server.user("acted");
    const target = raw(`${V1}/users`, ann.userId, "/login");
    const far = Date.now() + 1_000_000_000;
    const { access_token } = must<{ access_token: string }>(
      await admin.post(target, { valid_until_ms: far }),
    );
    const acting = server.as({ accessToken: access_token });
    expect(must(await acting.get("/account/whoami"))["user_id"]).to.equal(
      ann.userId,
    );
    const { devices } = must<{ devices: Json[] }>(await ann.get("/devices"));
    const names = devices.map((device) => device["display_name"]);
    expect(names).to.include(`Used by the administrator ${admin.userId}`);
    const [token] = await server.database.sql<{ expiresTs: number }[]>`
      select expires_ts from access_tokens where acted_by = ${admin.userId}`;
    expect(token!.expiresTs).to.be.at.most(Date.now() + 3_600_000);
    await makeRoom(acting);
    for (const [method, place] of [
      ["POST", "/account/password"],
      ["POST", "/account/deactivate"],
      ["POST", "/keys/device_signing/upload"],
      ["POST", "/keys/upload"],
      ["POST", "/logout/all"],
      ["POST", "/room_keys/version"],
      ["GET", `${V2}/users`],
      ["GET", "/_myelin/admin/v1/me/permissions"],
    ] as const) {
      const answer = await acting.ask(
        method,
        place,
        method === "POST" ? {} : undefined,
      );
      expect(answer.status, place).to.equal(403);
    }
    const self = await admin.post(
      raw(`${V1}/users`, admin.userId, "/login"),
      {},
    );
    expect(self.status).to.equal(400);
    const past = await admin.post(target, { valid_until_ms: 1 });
    expect(past.body["errcode"]).to.equal("M_INVALID_PARAM");
    await server.database.sql`
      update access_tokens set expires_ts = 1 where acted_by is not null`;
    // One that does not know the session yet.
    const fresh = (await server.startProcess()).as({
      accessToken: access_token,
    });
    expect((await fresh.get("/account/whoami")).status).to.equal(401);
  });

  it("are shadow-banned by a request without a body", async () => {
    const ann = await server.user("shadow");
    const friend = await server.user("friend");
    const roomId = await makeRoom(ann, { invite: [friend.userId] });
    must(await friend.post(path`/join/${roomId}`));
    const target = raw(`${V1}/users`, ann.userId, "/shadow_ban");
    expect(must(await admin.ask("POST", target))).to.deep.equal({});
    expect((await get("shadow"))["shadow_banned"]).to.equal(true);
    const say = (txn: string) =>
      ann.put(path`/rooms/${roomId}/send/m.room.message/${txn}`, { body: "b" });
    const first = must(await say("1"));
    expect(first["event_id"]).to.match(/^\$[\w-]{43}$/);
    expect(must(await say("1"))).to.deep.equal(first);
    expect(must(await say("2"))["event_id"]).to.not.equal(first["event_id"]);
    const lone = await makeRoom(ann, { invite: [friend.userId] });
    must(
      await ann.post(path`/rooms/${roomId}/invite`, { user_id: nobody.userId }),
    );
    must(
      await ann.put(path`/rooms/${roomId}/state/m.room.topic/`, { topic: "t" }),
    );
    const sent = await server.database.sql`
      select from events where sender = ${ann.userId} and type in ('m.room.message', 'm.room.topic')`;
    expect(sent).to.have.length(0);
    const invited = await server.database.sql`
      select from memberships where membership = 'invite'
        and (user_id = ${friend.userId} or user_id = ${nobody.userId})`;
    expect(invited, lone).to.have.length(0);
    must(await admin.ask("DELETE", target));
    must(await say("3"));
    const real = await server.database.sql`
      select from events where sender = ${ann.userId} and type = 'm.room.message'`;
    expect(real).to.have.length(1);
  });

  it("may replace their keys once without a password, where they are let", async () => {
    const ann = await server.user("keyed");
    const target = raw(
      `${V1}/users`,
      ann.userId,
      "/_allow_cross_signing_replacement_without_uia",
    );
    expect((await admin.ask("POST", target)).status).to.equal(404);
    const { newCrossSigning } =
      await import("../../support/device-identity.ts");
    const upload = () =>
      ann.post("/keys/device_signing/upload", newCrossSigning(ann.userId).body);
    must(await upload());
    expect((await upload()).status).to.equal(401);
    const { updatable_without_uia_before_ms: until } = must<{
      updatable_without_uia_before_ms: number;
    }>(await admin.ask("POST", target));
    expect(until).to.be.closeTo(Date.now() + 600_000, 60_000);
    must(await upload());
    expect((await upload()).status).to.equal(401);
  });
});
