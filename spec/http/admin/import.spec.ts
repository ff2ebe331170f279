import { expect } from "chai";
import { readAuthority } from "../../../src/storage/authority.ts";
import { runTask } from "../../../src/domain/admin/tasks/run-tasks.ts";
import { administrator } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { must } from "../../support/rooms.ts";
import { useServer, type Json, type TestUser } from "../../support/server.ts";
import { doTasks } from "../../support/tasks.ts";

const N = "/_myelin/admin/v1";
const IMPORT = `${N}/users/import`;
const PASSWORD = "a password of a list";

describe("a list of accounts", () => {
  const server = useServer();
  let manager: TestUser;
  let security: TestUser;

  before(async () => {
    manager = await administrator(server, "manager", "user-manager");
    security = await administrator(server, "security", "security-admin");
    for (const group_id of ["sales", "board"])
      must(await security.post(`${N}/groups`, { group_id, description: "d" }));
  });

  const logIn = (user: string, password = PASSWORD) =>
    server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user },
      password,
    });
  const begin = async (list: string): Promise<string> => {
    const answer = await manager.post(IMPORT, list);
    expect(answer.status, answer.text).to.equal(202);
    return answer.body["job_id"] as string;
  };
  const statusOf = async (jobId: string) =>
    must(await manager.get(`${IMPORT}/${jobId}`));
  const faultsOf = async (list: string) => {
    const answer = must<{ faults: Json[] }>(
      await manager.post(`${IMPORT}?dry_run=true`, list),
    );
    return answer.faults.map(({ line, column, errcode }) => [
      line,
      column,
      errcode,
    ]);
  };

  it("is made accounts of, each with its record, and passwords are good from then on", async () => {
    const head = await auditHead(server);
    const jobId = await begin(
      [
        "localpart,displayname,email,password,groups",
        `ann,"Ann, of sales",ann@example.org,${PASSWORD},sales`,
        `ben,,,${PASSWORD},`,
        "cy,Cy,,,sales;board",
      ].join("\r\n"),
    );
    expect(await statusOf(jobId)).to.include({ accounts: 3, waiting: 3 });
    expect((await logIn("ann")).status).to.equal(403);
    await doTasks(server);
    expect(await statusOf(jobId)).to.include({
      ...{ state: "complete", accounts: 3, made: 3, failed: 0, waiting: 0 },
    });
    must(await logIn("ann"));
    must(await logIn("ben"));
    expect((await logIn("cy", "")).status).to.equal(403);
    const admin = await administrator(server, "root", "system-admin");
    expect(must(await admin.get(`${N}/users/@ann:test`))).to.deep.include({
      displayname: "Ann, of sales",
      admin: false,
    });
    const ann = must<{ threepids: Json[] }>(
      await admin.get(`${N}/users/@ann:test`),
    );
    expect(ann.threepids.map(({ address }) => address)).to.deep.equal([
      "ann@example.org",
    ]);
    const records = await readAudit(server, head);
    const made = records.filter(({ after }) => (after as Json)?.["import"]);
    expect(made.map(({ resource }) => resource["id"])).to.deep.equal([
      ...["@ann:test", "@ben:test", "@cy:test"],
    ]);
    for (const { actor, after, ...record } of made) {
      expect(record).to.include({ action: "users.create", result: "allowed" });
      expect(actor["user_id"]).to.equal(manager.userId);
      expect(after).to.deep.equal({ is_admin: false, import: jobId });
    }
    expect(records[0]).to.deep.include({
      action: "users.create",
      after: { job: jobId, accounts: 3 },
    });
    const [kept] = await server.database.sql<{ count: number }[]>`
      select count(*)::int as count from import_rows where sealed is not null`;
    expect(kept!.count).to.equal(0);
    expect(JSON.stringify(records)).to.not.include(PASSWORD);
  });

  it("names what is wrong, line by line, and nothing is made of it", async () => {
    await server.user("taken");
    const list = [
      "localpart,email,password,groups",
      "taken,,,",
      `Upper,no-address,short,none`,
      `fit,fit@example.org,${PASSWORD},`,
      "fit,,,",
      "other,FIT@example.org,,",
      "some,,,absent",
      "few,",
    ].join("\n");
    const [row] = await server.database.sql<{ count: number }[]>`
      select count(*)::int as count from users`;
    expect(await faultsOf(list)).to.deep.equal([
      [2, "localpart", "M_USER_IN_USE"],
      [3, "localpart", "M_INVALID_USERNAME"],
      [3, "email", "M_INVALID_PARAM"],
      [3, "password", "M_WEAK_PASSWORD"],
      [5, "localpart", "M_INVALID_PARAM"],
      [6, "email", "M_INVALID_PARAM"],
      [7, "groups", "M_NOT_FOUND"],
      [8, undefined, "M_INVALID_PARAM"],
    ]);
    const refused = await manager.post(IMPORT, list);
    expect(refused.status).to.equal(400);
    expect(refused.body["org.myelin.faults"]).to.have.length(8);
    await doTasks(server);
    const [after] = await server.database.sql<{ count: number }[]>`
      select count(*)::int as count from users`;
    expect(after).to.deep.equal(row);
  });

  it("may be lines of JSON, and grants no role in either form", async () => {
    const jobId = await begin(
      [
        { localpart: "dora", displayname: "Dora", groups: ["board"] },
        { localpart: "emil", password: PASSWORD },
      ]
        .map((each) => JSON.stringify(each))
        .join("\n"),
    );
    await doTasks(server);
    expect(await statusOf(jobId)).to.include({ made: 2 });
    must(await logIn("emil"));
    expect(
      await faultsOf('{"localpart":"x","admin":true}\n{"localpart":7}\n{'),
    ).to.deep.equal([
      [1, undefined, "M_BAD_JSON"],
      [2, "localpart", "M_BAD_JSON"],
      [3, undefined, "M_BAD_JSON"],
    ]);
    expect(await faultsOf("localpart,admin\nx,true")).to.deep.equal([
      [1, undefined, "M_INVALID_PARAM"],
    ]);
    for (const list of ["", "localpart\n", "displayname\nx", "a,a\n"])
      expect(await faultsOf(list)).to.deep.equal([
        [1, undefined, "M_INVALID_PARAM"],
      ]);
    for (const head of ["localpart\n", ""]) {
      const row = head === "" ? '{"localpart":"x"}\n' : "x\n";
      const many = head + row.repeat(10_001);
      expect(await faultsOf(many)).to.deep.equal([
        [head === "" ? 10_001 : 10_002, undefined, "M_INVALID_PARAM"],
      ]);
    }
    const bytes = Buffer.from([0x7b, 0xff]);
    const odd = await manager.post(IMPORT, bytes);
    expect(odd.body).to.include({ errcode: "M_INVALID_PARAM" });
  });

  it("proposes groups, into which who decides of groups puts them", async () => {
    const jobId = await begin("localpart,groups\nfay,sales\ngus,sales;board");
    await doTasks(server);
    const path = `${IMPORT}/${jobId}/groups`;
    expect((await manager.post(path)).body["org.myelin.permission"]).to.equal(
      "groups.write",
    );
    expect(must(await security.post(path))).to.deep.equal({
      ...{ added: 3, complete: true },
    });
    // Where nothing is added, nobody's request is decided anew.
    const versionOf = async () =>
      (await readAuthority(server.database.sql)).version;
    const version = await versionOf();
    const head = await auditHead(server);
    expect(must(await security.post(path))).to.deep.equal({
      ...{ added: 0, complete: true },
    });
    expect(await versionOf()).to.equal(version);
    expect(await readAudit(server, head)).to.have.length(1);
    const { members } = must<{ members: Json[] }>(
      await security.get(`${N}/groups/board/members`),
    );
    expect(members.map((member) => member["user_id"])).to.include("@gus:test");
  });

  it("goes on where a process died, and notes what was taken meanwhile", async () => {
    const names = Array.from({ length: 45 }, (_, i) => `many${i + 10}`);
    const jobId = await begin(["localpart", ...names].join("\n"));
    await server.user("many40");
    await runTask(server.edges, { jobId, steps: 1 });
    expect(await statusOf(jobId)).to.include({ made: 20, waiting: 25 });
    const other = await server.startProcess();
    await doTasks(other);
    const status = await statusOf(jobId);
    expect(status).to.include({ state: "complete", made: 44, failed: 1 });
    expect(status["failures"]).to.deep.equal([
      { line: 32, user_id: "@many40:test", errcode: "M_USER_IN_USE" },
    ]);
  });

  it("can be taken back, with the passwords that it held", async () => {
    const admin = await administrator(server, "operator", "system-admin");
    const names = Array.from({ length: 25 }, (_, i) => `gone${i + 10}`);
    const jobId = await begin(
      [
        "localpart,password",
        ...names.map((name) => `${name},${PASSWORD}`),
      ].join("\n"),
    );
    await runTask(server.edges, { jobId, steps: 1 });
    must(await admin.delete(`${N}/jobs/${jobId}`));
    await doTasks(server);
    expect(await statusOf(jobId)).to.include({
      ...{ state: "cancelled", made: 20, cancelled: 5, waiting: 0 },
    });
    expect((await logIn("gone34")).status).to.equal(403);
    const rows = await server.database.sql`
      select from import_rows where job_id = ${jobId} and sealed is not null`;
    expect(rows).to.have.length(0);
  });

  it("takes the permission to make accounts, and is no other task's", async () => {
    const helper = await administrator(server, "helper", "helpdesk");
    const refused = await helper.post(IMPORT, "localpart\nx");
    expect(refused.body["org.myelin.permission"]).to.equal("users.create");
    expect((await manager.get(`${IMPORT}/none`)).status).to.equal(404);
  });
});
