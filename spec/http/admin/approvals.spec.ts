import { expect } from "chai";
import { administrator, bindRole } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { act, makeRoom, must, path } from "../../support/rooms.ts";
import { doTasks } from "../../support/tasks.ts";
import { until } from "../../support/until.ts";
import {
  useServer,
  type Answer,
  type Json,
  type TestClient,
  type TestProcess,
  type TestUser,
} from "../../support/server.ts";

const A = "/_myelin/admin/v1";
const V1 = "/_synapse/admin/v1";
const V2 = "/_synapse/admin/v2";

/** A request that is sent again and again, each time alike. */
type Request = [method: string, path: string, body?: unknown];

interface Approval extends Json {
  approval_id: string;
  state: string;
  permissions: string[];
  request: Json;
}

const wanted = (answer: Answer): string => {
  expect(answer.status, answer.text).to.equal(403);
  expect(answer.body).to.include({ errcode: "ORG_MYELIN_APPROVAL_REQUIRED" });
  return answer.body["approval_id"] as string;
};

const refused = (answer: Answer) => {
  expect(answer.status, answer.text).to.equal(403);
  expect(answer.body).to.include({ errcode: "M_FORBIDDEN" });
};

describe("approvals", () => {
  const server = useServer({
    "approvals.required": ["D", "users.content.read"],
    "approvals.when_alone": "refuse",
  });
  let second: TestProcess;
  let root: TestUser;
  let other: TestUser;
  let count = 0;

  before(async () => {
    second = await server.startProcess();
    root = await administrator(server, "root", "system-admin");
    other = await administrator(server, "other", "system-admin");
  });

  const newUser = () => server.user(`user${(count += 1)}`);
  const send = (who: TestClient, [method, target, body]: Request) =>
    who.ask(method, target, body);
  const approve = (id: string, by: TestClient = other, body: Json = {}) =>
    by.post(`${A}/approvals/${id}/approve`, body);
  const read = async (id: string) =>
    must<Approval>(await root.get(`${A}/approvals/${id}`));
  const stateOf = async (id: string) => (await read(id)).state;
  const recordsOf = async (doing: () => Promise<Answer>) => {
    const head = await auditHead(server);
    const answer = await doing();
    return { answer, records: await readAudit(server, head) };
  };
  const deactivation = ({ userId }: TestUser, erase = false): Request => [
    "POST",
    `${V1}/deactivate/${userId}`,
    { erase },
  ];
  const acting = ({ userId }: TestUser): Request => [
    "POST",
    `${V1}/users/${userId}/login`,
    {},
  ];
  const isDeactivated = async ({ userId }: TestUser) =>
    must(await root.get(`${V2}/users/${userId}`))["deactivated"];
  const devicesOf = async ({ userId }: TestUser) => {
    const answer = await root.get(`${V2}/users/${userId}/devices`);
    return must<{ total: number }>(answer).total;
  };

  it("G3: synadm's deactivation of a user succeeds when it is sent again after approval", async () => {
    const user = await newUser();
    // As `synadm user deactivate` sends it: two looks, then the act, nothing encoded.
    must(await root.get(`${V2}/users/${user.userId}`));
    must(await root.get(`${V1}/users/${user.userId}/joined_rooms`));
    const request = deactivation(user);
    const first = await recordsOf(() => send(root, request));
    const id = wanted(first.answer);
    expect(first.records).to.have.length(1);
    expect(first.records[0]).to.include({
      action: "users.deactivate",
      result: "denied",
      errcode: "ORG_MYELIN_APPROVAL_REQUIRED",
      approval_id: id,
    });
    expect(await isDeactivated(user)).to.equal(false);

    const again = await recordsOf(() => send(root, request));
    expect(wanted(again.answer)).to.equal(id);
    expect(again.records).to.have.length(1);
    expect(again.records[0]).to.include({ result: "denied", approval_id: id });

    const decided = await recordsOf(() =>
      approve(id, other, { comment: "they have left" }),
    );
    must(decided.answer);
    expect(decided.records).to.have.length(1);
    expect(decided.records[0]).to.deep.include({
      action: "approvals.decide",
      result: "allowed",
      approval_id: id,
      reason: "they have left",
    });

    const done = await recordsOf(() => send(root, request));
    expect(must(done.answer)).to.include({
      id_server_unbind_result: "success",
    });
    expect(done.records).to.have.length(1);
    expect(done.records[0]).to.include({
      action: "users.deactivate",
      result: "allowed",
      approval_id: id,
    });
    expect(await isDeactivated(user)).to.equal(true);
    expect(await read(id)).to.include({
      state: "used",
      decided_by: other.userId,
      user_id: user.userId,
    });
  });

  it("G3: synadm's deletion of a room succeeds when it is sent again after approval", async () => {
    const user = await newUser();
    const roomId = await makeRoom(user);
    const request: Request = [
      "DELETE",
      `${V1}/rooms/${roomId}`,
      { block: false, purge: true, message: "gone" },
    ];
    const id = wanted(await send(root, request));
    expect(await read(id)).to.include({ room_id: roomId });
    must(await user.get(`/rooms/${roomId}/state`));
    must(await approve(id));
    const { answer, records } = await recordsOf(() => send(root, request));
    expect(must(answer)["kicked_users"]).to.deep.equal([user.userId]);
    const own = records.filter(({ action }) => action === "rooms.delete");
    expect(own).to.have.length(1);
    expect(own[0]).to.include({ result: "allowed", approval_id: id });
  });

  it("G3: a second person agrees at once to a room's deletion and to speaking as somebody in place of it", async () => {
    const [user, speaker] = [await newUser(), await newUser()];
    const roomId = await makeRoom(user);
    const request: Request = [
      "DELETE",
      `${V1}/rooms/${roomId}`,
      { new_room_user_id: speaker.userId, message: "said by nobody" },
    ];
    const id = wanted(await send(root, request));
    expect(await read(id)).to.deep.include({
      permissions: ["rooms.delete", "users.impersonate"],
      room_id: roomId,
      user_id: speaker.userId,
    });
    must(await approve(id));
    const { answer, records } = await recordsOf(() => send(root, request));
    expect(must(answer)["new_room_id"]).to.be.a("string");
    const own = records.filter(({ action }) => action === "rooms.delete");
    expect(own).to.have.length(1);
    expect(own[0]).to.include({ result: "allowed", approval_id: id });
    expect(own[0]!.after).to.include({ new_room_user: speaker.userId });
  });

  it("G3: parameters that differ by one byte are refused", async () => {
    const user = await newUser();
    const like = await newUser();
    const id = wanted(await send(root, deactivation(user)));
    must(await approve(id));
    for (const request of [
      deactivation(user, true),
      deactivation(like),
      ["POST", `${V1}/deactivate/${user.userId}`, { erase: false, x: 1 }],
      ["POST", `${V1}/deactivate/${user.userId}`, {}],
      [
        ...(["POST", `${V1}/reset_password/${user.userId}`] as const),
        { new_password: "another-password" },
      ],
    ] as Request[])
      expect(wanted(await send(root, request))).not.to.equal(id);
    const old = Date.now() - 1000;
    const media = (size: number): Request => [
      "POST",
      `${V1}/media/delete?before_ts=${old}&size_gt=${size}`,
    ];
    const ofMedia = wanted(await send(root, media(10)));
    must(await approve(ofMedia));
    expect(wanted(await send(root, media(11)))).not.to.equal(ofMedia);
    must(await send(root, media(10)));
    // Another who may do it has to be approved as well.
    expect(wanted(await send(other, deactivation(user)))).not.to.equal(id);
    // White space and order say nothing.
    must(
      await root.ask("POST", `${V1}/deactivate/${user.userId}`, {
        ...{ erase: false },
      }),
    );
  });

  it("G3: a replay is refused", async () => {
    const user = await newUser();
    const id = wanted(await send(root, acting(user)));
    must(await approve(id));
    must(await send(root, acting(user)));
    const devices = await devicesOf(user);
    const { answer, records } = await recordsOf(() => send(root, acting(user)));
    expect(wanted(answer)).not.to.equal(id);
    expect(records).to.have.length(1);
    expect(records[0]).to.include({ result: "denied" });
    expect(await devicesOf(user)).to.equal(devices);
    expect((await approve(id)).status).to.equal(403);
  });

  it("G3: what has expired is refused, before it was approved and after", async () => {
    const { sql } = server.database;
    const user = await newUser();
    const first = wanted(await send(root, acting(user)));
    await sql`update approvals set expires_ts = 1 where approval_id = ${first}`;
    expect(await stateOf(first)).to.equal("expired");
    expect((await approve(first)).body).to.include({ errcode: "M_BAD_STATE" });
    const id = wanted(await send(root, acting(user)));
    expect(id).not.to.equal(first);
    must(await approve(id));
    await sql`update approvals set expires_ts = 1 where approval_id = ${id}`;
    expect(wanted(await send(root, acting(user)))).not.to.equal(id);
    expect(await devicesOf(user)).to.equal(1);
  });

  it("G3: an approver who was demoted in between approves nothing", async () => {
    const { sql } = server.database;
    const user = await newUser();
    const third = await administrator(server, "third", "user-manager");
    const id = wanted(await send(root, deactivation(user)));
    must(await approve(id, third));
    await sql`delete from role_bindings where user_id = ${third.userId}`;
    await sql`update authority set version = version + 1`;
    const { answer, records } = await recordsOf(() =>
      send(root, deactivation(user)),
    );
    const next = wanted(answer);
    expect(next).not.to.equal(id);
    expect(records).to.have.length(1);
    expect(await stateOf(id)).to.equal("void");
    expect(await isDeactivated(user)).to.equal(false);
    // Locked accounts approve nothing either.
    must(await approve(next));
    await sql`update users set is_locked = true where user_id = ${other.userId}`;
    const last = wanted(await send(root, deactivation(user)));
    await sql`update users set is_locked = false where user_id = ${other.userId}`;
    expect(last).not.to.equal(next);
  });

  it("G3: a demotion that commits between the look and the act is noticed by the act", async () => {
    const { sql } = server.database;
    const user = await newUser();
    const fourth = await administrator(server, "fourth", "user-manager");
    const id = wanted(await send(root, deactivation(user)));
    must(await approve(id, fourth));
    let asked: Promise<Answer> | undefined;
    await sql.begin(async (tx) => {
      await tx`update authority set version = version + 1`;
      await tx`delete from role_bindings where user_id = ${fourth.userId}`;
      // The look sees what stood before; the act waits for who changes it.
      asked = send(root, deactivation(user));
      await until(async () => {
        const waiting = await sql`
          select from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
        return waiting.length > 0;
      });
    });
    expect(wanted(await asked!)).to.equal(id);
    expect(await isDeactivated(user)).to.equal(false);
    expect(wanted(await send(root, deactivation(user)))).not.to.equal(id);
  });

  it("G3: who asked approves nothing, by no session and no token of theirs", async () => {
    const id = wanted(await send(root, deactivation(await newUser())));
    refused(await approve(id, root));
    const { token } = must<{ token: string }>(
      await root.post(`${A}/tokens`, {
        name: "a script's",
        permissions: ["approvals.decide", "users.deactivate"],
        expires_ts: Date.now() + 60_000,
      }),
    );
    const script = server.as({ accessToken: token });
    const { answer, records } = await recordsOf(() => approve(id, script));
    refused(answer);
    expect(records).to.have.length(1);
    expect(records[0]).to.include({
      action: "approvals.decide",
      result: "denied",
    });
    refused(await root.post(`${A}/approvals/${id}/deny`, {}));
    expect(await stateOf(id)).to.equal("pending");
  });

  it("G3: a second account of the same person approves nothing", async () => {
    const { sql } = server.database;
    const alias = await administrator(server, "root2", "system-admin");
    const id = wanted(await send(root, deactivation(await newUser())));
    const hash = Buffer.from("the same address");
    for (const { userId } of [root, alias])
      await sql`
        insert into third_party_ids (user_id, medium, address_hash, key_id, sealed, created_ts)
        values (${userId}, 'email', ${hash}, 0, '', 1)`;
    refused(await approve(id, alias));
    await sql`delete from third_party_ids where user_id = ${alias.userId}`;
    must(await approve(id, alias));
  });

  it("G3: a role that who asked granted since, or that was changed since, approves nothing", async () => {
    const { sql } = server.database;
    const friend = await newUser();
    const id = wanted(await send(root, deactivation(await newUser())));
    const binding = await bindRole(server, friend.userId, "system-admin");
    await sql`
      update role_bindings set granted_by = ${root.userId}, granted_ts = ${Date.now()}
      where binding_id = ${binding}`;
    refused(await approve(id, friend));
    await sql`
      insert into custom_roles (role_id, description, permissions, side, created_by, changed_ts)
      values ('made-for-it', '', '{approvals.decide,users.deactivate}', 'operations', 'x', ${Date.now()})`;
    await bindRole(server, friend.userId, "made-for-it");
    refused(await approve(id, friend));
    await sql`update custom_roles set changed_ts = 1 where role_id = 'made-for-it'`;
    must(await approve(id, friend));
  });

  it("G3: an account whose password who asks has set approves nothing", async () => {
    const taken = await administrator(server, "taken", "user-manager");
    const reset: Request = [
      "POST",
      `${V1}/reset_password/${taken.userId}`,
      { new_password: "a-password-of-root", logout_devices: false },
    ];
    must(await approve(wanted(await send(root, reset))));
    must(await send(root, reset));
    const id = wanted(await send(root, deactivation(await newUser())));
    refused(await approve(id, taken));
    must(await approve(id));
  });

  it("G3: who may not do it approves nothing, nor whom it is about", async () => {
    const officer = await administrator(
      server,
      "officer",
      "compliance-officer",
    );
    const helper = await administrator(server, "helper", "helpdesk");
    const manager = await administrator(server, "manager", "user-manager");
    const user = await newUser();
    const id = wanted(await send(root, deactivation(user)));
    refused(await approve(id, officer));
    refused(await approve(id, helper));
    refused(await approve(id, user));
    must(await officer.post(`${A}/approvals/${id}/deny`, { comment: "no" }));
    expect(await read(id)).to.include({ state: "denied", comment: "no" });
    expect((await approve(id)).body).to.include({ errcode: "M_BAD_STATE" });
    const about = wanted(await send(root, deactivation(manager)));
    refused(await approve(about, manager));
    const within = await newUser();
    await bindRole(server, within.userId, "user-manager", {
      scopeKind: "users",
      users: [user.userId],
    });
    refused(await approve(about, within));
  });

  it("G3: 100 executions at once run once, over two processes", async () => {
    const user = await newUser();
    const before = await devicesOf(user);
    const id = wanted(await send(root, acting(user)));
    must(await approve(id));
    const elsewhere = second.as(root);
    const { records, answers } = await (async () => {
      const head = await auditHead(server);
      const all = await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          send(i % 2 === 0 ? root : elsewhere, acting(user)),
        ),
      );
      return { answers: all, records: await readAudit(server, head) };
    })();
    const [done, ...more] = answers.filter(({ status }) => status === 200);
    expect(done).not.to.equal(undefined);
    expect(more).to.deep.equal([]);
    for (const answer of answers) if (answer !== done) wanted(answer);
    expect(await devicesOf(user)).to.equal(before + 1);
    expect(records).to.have.length(100);
    const allowed = records.filter(({ result }) => result === "allowed");
    expect(allowed).to.have.length(1);
    expect(allowed[0]).to.include({ approval_id: id });
  });

  it("G3: 100 executions at once of what goes into a room run once", async () => {
    const [owner, heir] = [await newUser(), await newUser()];
    const roomId = await makeRoom(owner, { preset: "public_chat" });
    await act(heir, roomId, "join");
    const request: Request = [
      "POST",
      `${V1}/rooms/${roomId}/make_room_admin`,
      { user_id: heir.userId },
    ];
    const id = wanted(await send(root, request));
    must(await approve(id));
    const elsewhere = second.as(root);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        send(i % 2 === 0 ? root : elsewhere, request),
      ),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(done).to.have.length(1);
    for (const answer of answers) if (answer.status !== 200) wanted(answer);
    expect(await stateOf(id)).to.equal("used");
  });

  it("makes one request of 100 that are sent at once", async () => {
    const user = await newUser();
    const elsewhere = second.as(root);
    const head = await auditHead(server);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        send(i % 2 === 0 ? root : elsewhere, deactivation(user)),
      ),
    );
    expect(new Set(answers.map(wanted)).size).to.equal(1);
    const records = await readAudit(server, head);
    expect(records).to.have.length(100);
    const named = new Set(records.map((record) => record["approval_id"]));
    expect([...named]).to.deep.equal([wanted(answers[0]!)]);
  });

  it("keeps an approval whose act fails, for the next try", async () => {
    const { sql } = server.database;
    const user = await newUser();
    const id = wanted(await send(root, acting(user)));
    must(await approve(id));
    await sql`update users set is_deactivated = true where user_id = ${user.userId}`;
    const { answer, records } = await recordsOf(() => send(root, acting(user)));
    expect(answer.body).to.include({ errcode: "M_USER_DEACTIVATED" });
    expect(records).to.have.length(1);
    expect(records[0]).to.include({ approval_id: id });
    expect(await stateOf(id)).to.equal("approved");
    await sql`update users set is_deactivated = false where user_id = ${user.userId}`;
    must(await send(root, acting(user)));
    expect(await stateOf(id)).to.equal("used");
  });

  it("keeps no password, and shows who approves none", async () => {
    const user = await newUser();
    const password = "hush-hush-42";
    const request: Request = [
      "POST",
      `${V1}/reset_password/${user.userId}`,
      { new_password: password, logout_devices: false },
    ];
    const head = await auditHead(server);
    const id = wanted(await send(root, request));
    const approval = await read(id);
    expect(approval.request).to.deep.include({
      method: "POST",
      path: `${V1}/reset_password/:userId`,
      params: { userId: user.userId },
      body: { new_password: "(hidden)", logout_devices: false },
    });
    const { sql } = server.database;
    const rows = await sql`select * from approvals where approval_id = ${id}`;
    expect(JSON.stringify(rows)).not.to.include(password);
    must(await approve(id));
    must(await send(root, request));
    const records = await readAudit(server, head);
    expect(JSON.stringify([approval, records])).not.to.include(password);
    must(
      await server.post("/login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: user.userId },
        password,
      }),
    );
  });

  it("takes one approval for all that a request does", async () => {
    const user = await newUser();
    const erasure = wanted(await send(root, deactivation(user, true)));
    expect((await read(erasure)).permissions).to.deep.equal([
      "users.deactivate",
      "users.erase",
    ]);
    const request: Request = [
      "PUT",
      `${V2}/users/${user.userId}`,
      { deactivated: true, locked: true },
    ];
    const id = wanted(await send(root, request));
    expect((await read(id)).permissions).to.deep.equal(["users.deactivate"]);
    expect(must(await root.get(`${V2}/users/${user.userId}`))).to.include({
      locked: false,
    });
    must(await approve(id));
    must(await send(root, request));
    expect(await isDeactivated(user)).to.equal(true);
    // What takes nobody else does not wait.
    const free = await newUser();
    must(await root.put(`${V2}/users/${free.userId}`, { locked: true }));
  });

  it("is asked for anew where what waits does not hold all that the act takes by now", async () => {
    const { sql } = server.database;
    const user = await newUser();
    const request: Request = [
      "PUT",
      `${V2}/users/${user.userId}`,
      { password: "another-password", deactivated: true },
    ];
    const first = wanted(await send(root, request));
    expect((await read(first)).permissions).to.have.length(2);
    await sql`update approvals set permissions = '{users.deactivate}' where approval_id = ${first}`;
    const next = wanted(await send(root, request));
    expect(next).not.to.equal(first);
    expect(await stateOf(first)).to.equal("void");
    expect((await read(next)).permissions).to.deep.equal([
      "users.credentials",
      "users.deactivate",
    ]);
    must(await approve(next));
    must(await send(root, request));
  });

  it("takes a second person to read, where that is asked for", async () => {
    const user = await newUser();
    const request: Request = ["GET", `${V1}/users/${user.userId}/accountdata`];
    const id = wanted(await send(root, request));
    must(await approve(id));
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => send(root, request)),
    );
    const read200 = answers.filter(({ status }) => status === 200);
    expect(read200).to.have.length(1);
    expect(await stateOf(id)).to.equal("used");
  });

  it("is withdrawn by who asked for it, and by nobody else", async () => {
    const user = await newUser();
    const id = wanted(await send(root, deactivation(user)));
    const own = `${A}/me/approvals/${id}`;
    expect((await other.delete(own)).status).to.equal(404);
    const mine = must<{ approvals: Approval[] }>(
      await root.get(`${A}/me/approvals?state=pending&limit=500`),
    );
    const ids = mine.approvals.map(({ approval_id }) => approval_id);
    expect(ids).to.include(id);
    const { answer, records } = await recordsOf(() => root.delete(own));
    must(answer);
    expect(records).to.have.length(1);
    expect(records[0]).to.include({
      action: "approvals.withdraw",
      result: "allowed",
      approval_id: id,
    });
    expect((await approve(id)).body).to.include({ errcode: "M_BAD_STATE" });
    expect(wanted(await send(root, deactivation(user)))).not.to.equal(id);
  });

  it("is listed in pages, by its state and by who asked", async () => {
    const query = `requested_by=${encodeURIComponent(root.userId)}&state=used`;
    const { approvals, total } = must<{ approvals: Approval[]; total: number }>(
      await other.get(`${A}/approvals?${query}&limit=2&dir=b`),
    );
    expect(total).to.be.above(2);
    expect(approvals.map(({ state }) => state)).to.deep.equal(["used", "used"]);
    refused(await (await newUser()).get(`${A}/approvals`));
    const none = await other.get(path`${A}/approvals/${"none"}`.slice(0));
    expect(none.status).to.equal(404);
  });

  it("G3: is asked of nobody for what could not be done as things are", async () => {
    const user = await newUser();
    const roomId = await makeRoom(user);
    const reset = `${V1}/reset_password/`;
    const redact = (of: string): string => `${V1}/user/${of}/redact`;
    const purge = (of: string): string => `${V1}/purge_history/${of}`;
    const takeOver = (of: string): string =>
      `${V1}/rooms/${of}/make_room_admin`;
    const keys = "_allow_cross_signing_replacement_without_uia";
    const NONE = "@absent:test";
    const NOWHERE = "!absent:test";
    const approvals = () => server.database.sql`select from approvals`;
    const before = (await approvals()).length;
    for (const [request, errcode] of [
      [
        ["POST", reset + NONE, { new_password: "long-enough-42" }],
        "M_NOT_FOUND",
      ],
      [["POST", reset + user.userId, { new_password: "x" }], "M_WEAK_PASSWORD"],
      [["POST", `${V1}/users/${user.userId}/${keys}`], "M_NOT_FOUND"],
      [["POST", redact(NONE), { rooms: [] }], "M_NOT_FOUND"],
      [["POST", redact(user.userId), { rooms: ["here"] }], "M_INVALID_PARAM"],
      [
        ["POST", redact(NONE), { rooms: [roomId], after_ts: 2, before_ts: 1 }],
        "M_INVALID_PARAM",
      ],
      [["POST", purge(NOWHERE), { purge_up_to_ts: 1 }], "M_NOT_FOUND"],
      [["POST", purge(roomId), {}], "M_BAD_JSON"],
      [["POST", purge(roomId), { purge_up_to_ts: 1 }], "M_NOT_FOUND"],
      [["POST", `${purge(roomId)}/$absent`, {}], "M_NOT_FOUND"],
      [["POST", takeOver(NOWHERE), { user_id: user.userId }], "M_NOT_FOUND"],
      [["POST", takeOver(roomId), { user_id: "@a:far" }], "M_INVALID_PARAM"],
      [["POST", `${V1}/media/delete?before_ts=5`], "M_INVALID_PARAM"],
      [["POST", `${V1}/purge_media_cache?before_ts=5`], "M_INVALID_PARAM"],
      [["DELETE", `${V1}/users/${user.userId}/media?dir=x`], "M_INVALID_PARAM"],
    ] as [Request, string][]) {
      const answer = await send(root, request);
      const label = `${request[1]} ${answer.text}`;
      expect(answer.body["errcode"], label).to.equal(errcode);
    }
    expect(await approvals()).to.have.length(before);
    const officer = await administrator(server, "privacy", "privacy-officer");
    const none = await officer.delete(A + path`/users/${user.userId}/erasure`);
    expect(none.body).to.include({ errcode: "M_NOT_FOUND" });
    expect(await approvals()).to.have.length(before);
    // What can be done is asked for.
    const resetting: Request = [
      ...(["POST", reset + user.userId] as const),
      { new_password: "long-enough-42" },
    ];
    for (const request of [
      resetting,
      ["POST", redact(user.userId), { rooms: [] }],
      ["POST", purge(roomId), { purge_up_to_ts: Date.now() }],
      ["POST", takeOver(roomId), { user_id: user.userId }],
    ] as Request[])
      wanted(await send(root, request));
  });

  describe("in haste", () => {
    let security: TestUser;
    let auditor: TestUser;
    let friend: TestUser;
    before(async () => {
      const { sql } = server.database;
      await sql`update authority set sealed_ts = 1`;
      security = await administrator(server, "sec", "security-admin");
      auditor = await administrator(server, "auditor", "auditor");
    });
    beforeEach(async () => {
      friend = await newUser();
    });
    const granting = (): Request => [
      "POST",
      `${A}/role-bindings`,
      {
        user_id: friend.userId,
        role: "helpdesk",
        scope: { kind: "server" },
        reason: "nobody else is there",
      },
    ];

    it("two people do at once what cannot wait, an alert tells it, and an auditor signs", async () => {
      const id = wanted(await send(security, granting()));
      refused(await approve(id, root));
      const confirm = (by: TestUser) =>
        by.post(`${A}/approvals/${id}/break-glass`, { comment: "agreed" });
      expect((await confirm(root)).body).to.include({ errcode: "M_BAD_STATE" });
      const ask = `${A}/me/approvals/${id}/break-glass`;
      expect((await root.post(ask, { reason: "x" })).status).to.equal(404);
      const asked = await recordsOf(() =>
        security.post(ask, { reason: "the server burns" }),
      );
      must(asked.answer);
      expect(asked.records).to.have.length(1);
      expect(asked.records[0]).to.include({
        action: "approvals.break_glass",
        reason: "the server burns",
      });
      refused(await confirm(security));
      const { answer, records } = await recordsOf(() => confirm(root));
      must(answer);
      expect(records).to.have.length(1);
      expect(records[0]!["after"]).to.include({ decision: "break-glass" });
      const left = (await read(id))["expires_ts"] as number;
      expect(left - Date.now()).to.be.below(16 * 60_000);
      must(await send(security, granting()));

      const open = async () =>
        must<{ approvals: Approval[] }>(
          await auditor.get(`${A}/approvals?to_review=true`),
        ).approvals.map(({ approval_id }) => approval_id);
      expect(await open()).to.deep.equal([id]);
      const review = (by: TestUser) =>
        by.post(`${A}/approvals/${id}/review`, { comment: "looked at" });
      refused(await review(root));
      const signed = await recordsOf(() => review(auditor));
      must(signed.answer);
      expect(signed.records).to.have.length(1);
      expect(signed.records[0]).to.include({
        action: "audit.review",
        approval_id: id,
      });
      expect(await open()).to.deep.equal([]);
      expect((await review(auditor)).body).to.include({
        errcode: "M_BAD_STATE",
      });
    });

    it("G3: 100 grants at once are one", async () => {
      const peer = await administrator(server, "sec2", "security-admin");
      const id = wanted(await send(security, granting()));
      must(await approve(id, peer));
      const elsewhere = second.as(security);
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, i) =>
          send(i % 2 === 0 ? security : elsewhere, granting()),
        ),
      );
      const done = answers.filter(({ status }) => status === 200);
      expect(done).to.have.length(1);
      const { total } = must<{ total: number }>(
        await security.get(
          path`${A}/role-bindings?user_id=${friend.userId}`.replace(
            /%2F/g,
            "/",
          ),
        ),
      );
      expect(total).to.equal(1);
    });
  });
});

describe("approvals of the end of many sessions", () => {
  const server = useServer({
    "approvals.required": ["users.sessions.write"],
    "approvals.when_alone": "refuse",
  });
  let second: TestProcess;
  let root: TestUser;
  let other: TestUser;
  let ben: TestUser;
  let cy: TestUser;

  before(async () => {
    second = await server.startProcess();
    root = await administrator(server, "root", "system-admin");
    other = await administrator(server, "other", "system-admin");
    ben = await server.user("ben");
    cy = await server.user("cy");
  });

  const open = async () => {
    const found = { title: "t", severity: "high", summary: "s" };
    const incident = must(await root.post(`${A}/incidents`, found));
    return incident["incident_id"] as string;
  };
  const end = (
    incidentId: string,
    sessions: Json[],
    more: Json = {},
    by: TestClient = root,
  ) =>
    by.post(`${A}/incidents/${incidentId}/end-sessions`, { sessions, ...more });
  const jobs = () =>
    server.database.sql`select from admin_jobs where kind = 'end-sessions'`;

  it("G3: runs once when it is sent again after approval, in the words that were approved", async () => {
    const id = await open();
    const all = [
      { user_id: ben.userId },
      { user_id: cy.userId, device_id: cy.deviceId },
    ];
    const head = await auditHead(server);
    const approval = wanted(await end(id, all));
    expect(await readAudit(server, head)).to.have.length(1);
    const shown = must<Approval>(await root.get(`${A}/approvals/${approval}`));
    expect(shown.permissions).to.deep.equal(["users.sessions.write"]);
    expect(shown.request["body"]).to.deep.equal({ sessions: all });
    refused(await root.post(`${A}/approvals/${approval}/approve`, {}));
    must(await other.post(`${A}/approvals/${approval}/approve`, {}));
    for (const [sessions, more] of [
      [all.slice(1), {}],
      [[all[0]!, { user_id: cy.userId, device_id: `${cy.deviceId}x` }], {}],
      [all, { wipe: true }],
      [all, { admin_tokens: true }],
    ] as [Json[], Json][])
      expect(wanted(await end(id, sessions, more))).not.to.equal(approval);
    const tokens = wanted(await end(id, all, { admin_tokens: true }));
    const told = must<Approval>(await other.get(`${A}/approvals/${tokens}`));
    expect(told.request["body"]).to.include({ admin_tokens: true });
    expect(wanted(await end(await open(), all))).not.to.equal(approval);
    expect(await jobs()).to.have.length(0);
    must(await ben.get("/account/whoami"));

    const elsewhere = second.as(root);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        end(id, all, {}, i % 2 === 0 ? root : elsewhere),
      ),
    );
    const done = answers.filter(({ status }) => status === 202);
    expect(done.map(({ body }) => body["users"])).to.deep.equal([2]);
    for (const answer of answers) if (answer.status !== 202) wanted(answer);
    expect(await jobs()).to.have.length(1);
    await doTasks(server);
    for (const user of [ben, cy])
      expect((await user.get("/account/whoami")).status).to.equal(401);
    const records = (await readAudit(server, head)).filter(
      ({ action, result }) =>
        action === "users.sessions.write" && result === "allowed",
    );
    // Of the request, and of each user whose sessions ended.
    expect(records.map((record) => record["approval_id"])).to.have.members([
      approval,
      undefined,
      undefined,
    ]);
    expect(wanted(await end(id, all))).not.to.equal(approval);
  });

  it("G3: is asked of nobody where it could not be done as things are", async () => {
    const id = await open();
    const closed = await open();
    must(
      await root.post(`${A}/incidents/${closed}/close`, {
        ...{ version: 1, report: "over" },
      }),
    );
    const security = await administrator(server, "sec", "security-admin");
    const approvals = () => server.database.sql`select from approvals`;
    const before = (await approvals()).length;
    for (const [incidentId, user_id, errcode] of [
      [id, "@absent:test", "M_NOT_FOUND"],
      [id, security.userId, "M_FORBIDDEN"],
      ["none", other.userId, "M_NOT_FOUND"],
      [closed, other.userId, "M_BAD_STATE"],
    ] as const) {
      const answer = await end(incidentId, [{ user_id }]);
      expect(answer.body["errcode"], answer.text).to.equal(errcode);
    }
    expect(await approvals()).to.have.length(before);
  });
});

describe("approvals during the set-up", () => {
  const server = useServer();

  it("are not asked of the owner, who gives out the first roles", async () => {
    const owner = await administrator(server, "owner", "owner");
    const grant = async (localpart: string, role: string) => {
      const { userId } = await server.user(localpart);
      return owner.post(`${A}/role-bindings`, {
        ...{ user_id: userId, role, scope: { kind: "server" } },
        reason: "the set-up",
      });
    };
    must(await grant("first", "security-admin"));
    must(await grant("next", "security-admin"));
    must(await grant("runs", "system-admin"));
  });
});

describe("approvals as they are unless told", () => {
  const server = useServer();

  it("let a lone administrator go on, and the log tells it", async () => {
    const root = await administrator(server, "root", "system-admin");
    const user = await server.user("user");
    const login = () => root.post(`${V1}/users/${user.userId}/login`, {});
    const head = await auditHead(server);
    must(await login());
    const [record] = await readAudit(server, head);
    expect(record).to.include({ approval_id: "alone" });
    const other = await administrator(server, "other", "system-admin");
    const id = wanted(await login());
    must(await other.post(`${A}/approvals/${id}/approve`, {}));
    must(await login());
  });

  it("take a second person for roles, and none to look at them or to destroy what can be taken back", async () => {
    const security = await administrator(server, "sec", "security-admin");
    const grant = (userId: string, role: string) =>
      security.post(`${A}/role-bindings`, {
        ...{ user_id: userId, role, scope: { kind: "server" } },
        reason: "for the spec",
      });
    const [first, next] = [await server.user("first"), await server.user("2")];
    must(await grant(first.userId, "security-admin"));
    const id = wanted(await grant(next.userId, "helpdesk"));
    must(await first.post(`${A}/approvals/${id}/approve`, {}));
    must(await grant(next.userId, "helpdesk"));
    must(await security.get(`${A}/roles`));
    const root = await administrator(server, "root2", "system-admin");
    const user = await server.user("gone");
    must(await root.post(`${V1}/deactivate/${user.userId}`, { erase: true }));
  });

  it("ask nobody for what could not be done, but say why at once", async () => {
    const by = async (role: string) => {
      const one = await administrator(server, `${role}1`, role);
      await administrator(server, `${role}2`, role);
      return one;
    };
    const security = await by("security-admin");
    const root = await by("system-admin");
    const officer = await by("compliance-officer");
    const hold = must(
      await officer.post(`${A}/holds`, {
        ...{ name: "n", case_id: "c", reason: "r", users: ["@absent:test"] },
      }),
    );
    const holdId = hold["hold_id"] as string;
    const release = () =>
      officer.post(`${A}/holds/${holdId}/release`, { reason: "over" });
    const grant = (body: Json) =>
      security.post(`${A}/role-bindings`, {
        ...{ role: "helpdesk", scope: { kind: "server" }, reason: "r" },
        ...body,
      });
    const user = await server.user("ended");
    must(await root.post(`${V1}/deactivate/${user.userId}`, {}));
    const approvals = () => server.database.sql`select from approvals`;
    const before = (await approvals()).length;
    for (const [answer, status, errcode] of [
      [await grant({ user_id: "@absent:test" }), 404, "M_NOT_FOUND"],
      [await grant({ user_id: root.userId, role: "x" }), 404, "M_NOT_FOUND"],
      [await grant({ user_id: security.userId }), 403, "M_FORBIDDEN"],
      [
        await security.delete(`${A}/role-bindings/999999`),
        ...([404, "M_NOT_FOUND"] as const),
      ],
      [await security.delete(`${A}/roles/x`), 404, "M_NOT_FOUND"],
      [
        await security.post(`${A}/policies/x/activate`, { version: 1 }),
        ...([404, "M_NOT_FOUND"] as const),
      ],
      [
        await root.post(`${V1}/users/${user.userId}/login`, {}),
        ...([403, "M_USER_DEACTIVATED"] as const),
      ],
      [
        await officer.post(`${A}/holds/x/release`, { reason: "r" }),
        ...([404, "M_NOT_FOUND"] as const),
      ],
    ] as const) {
      expect(answer.status, answer.text).to.equal(status);
      expect(answer.body).to.include({ errcode });
    }
    expect(await approvals()).to.have.length(before);
    // What can be done is asked for, and is looked at again when it is done.
    const id = wanted(await release());
    await server.database
      .sql`update holds set released_ts = 1 where hold_id = ${holdId}`;
    expect(wanted(await release())).to.equal(id);
  });
});
