import { expect } from "chai";
import { raiseAlerts } from "../../../src/domain/admin/alerts/raise-alerts.ts";
import { readReviewsDue } from "../../../src/domain/admin/reviews-due.ts";
import { runJob, type Job } from "../../../src/domain/jobs/job.ts";
import { signCheckpoints } from "../../../src/domain/jobs/sign-checkpoints.ts";
import { watchAudit } from "../../../src/domain/jobs/watch-audit.ts";
import { watchDownloads } from "../../../src/domain/jobs/watch-downloads.ts";
import { writeDownloads } from "../../../src/domain/media/count-downloads.ts";
import type { Edges } from "../../../src/edges.ts";
import type { AuditDraft } from "../../../src/storage/audit-draft.ts";
import { NO_FILTER, searchAuditLog } from "../../../src/storage/audit-log.ts";
import { derive } from "../../../src/util/derive.ts";
import { administrator, bindRole } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { countStatements } from "../../support/count-statements.ts";
import { downloadPath, uploadImage } from "../../support/media.ts";
import { must } from "../../support/rooms.ts";
import {
  useServer,
  type Json,
  type TestProcess,
  type TestServer,
  type TestSettings,
  type TestUser,
} from "../../support/server.ts";

const A = "/_myelin/admin/v1";

interface Alert extends Json {
  alert_id: number;
  detector: string;
  user_id: string | null;
}

/** A server, and what its watches do when their time has come. */
function useWatched(settings: TestSettings = {}) {
  const server = useServer({ behind_proxy: true, ...settings });
  const run = async (job: Job<Edges>, process: Pick<TestProcess, "edges">) => {
    await server.database
      .sql`update leases set expires_ts = clock_timestamp() where not is_running`;
    await runJob(process.edges, job);
  };
  return {
    server,
    watch: (process: Pick<TestProcess, "edges"> = server) =>
      run(watchAudit, process),
    watchFiles: async (process: TestProcess = server) => {
      await writeDownloads(process.edges);
      await run(watchDownloads, process);
    },
    logIn: (user: string, password: string, headers: Record<string, string>) =>
      server.post(
        "/login",
        {
          type: "m.login.password",
          identifier: { type: "m.id.user", user },
          password,
        },
        { headers },
      ),
  };
}

const alertsOf = async (auditor: TestUser, query = ""): Promise<Alert[]> =>
  must<{ alerts: Alert[] }>(await auditor.get(`${A}/alerts${query}`)).alerts;

const from = (address: string) => ({ "x-forwarded-for": address });

const raisedIn = async (server: TestServer, after: number) =>
  (await readAudit(server, after)).filter(
    ({ action }) => action === "alerts.raise",
  );

describe("alerts of guessed passwords", () => {
  const { server, watch, logIn } = useWatched({
    "alerts.password_spray.accounts": 3,
  });
  let auditor: TestUser;
  let other: TestProcess;

  before(async () => {
    auditor = await administrator(server, "auditor", "auditor");
    other = await server.startProcess();
    for (const name of ["ada", "ben", "cem", "dea"]) await server.user(name);
    await watch();
  });

  const sprays = () => alertsOf(auditor, "?detector=password_spray");

  it("row 15: are raised once of a network that tries many accounts, whichever process looks", async () => {
    const head = await auditHead(server);
    const attacker = from("203.0.113.7");
    for (const name of ["ada", "ada", "ada", "ben"])
      expect((await logIn(name, "wrong", attacker)).status).to.equal(403);
    await logIn("cem", "wrong", from("198.51.100.9"));
    await watch();
    expect(await sprays()).to.deep.equal([]);
    // Nobody's name counts too; and the other process has not seen what was before.
    await logIn("nobody-of-that-name", "wrong", attacker);
    await watch(other);
    const [alert, ...more] = await sprays();
    expect(more).to.deep.equal([]);
    expect(alert).to.include({ severity: "high", user_id: null });
    expect(alert).to.have.nested.property("record.actor.ip", "203.0.113.7");
    await logIn("dea", "wrong", attacker);
    await Promise.all([watch(), watch(other)]);
    expect(await sprays()).to.have.length(1);
    const [told, ...others] = await raisedIn(server, head);
    expect(others).to.deep.equal([]);
    expect(told).to.deep.include({ result: "allowed" });
    expect(told!["after"]).to.include({ detector: "password_spray" });
    expect(JSON.stringify(told)).to.not.include("203.0.113.7");
  });

  it("tell who was logged in to from there", async () => {
    must(await logIn("ada", "secret of ada", from("203.0.113.7")));
    must(await logIn("ben", "secret of ben", from("198.51.100.9")));
    await watch(other);
    const found = (await sprays()).filter(({ user_id }) => user_id !== null);
    expect(found.map(({ user_id }) => user_id)).to.deep.equal(["@ada:test"]);
  });

  it("are raised no second time where the log is read again from its beginning", async () => {
    const { sql } = server.database;
    const head = await auditHead(server);
    const before = await alertsOf(auditor);
    await sql`update detector_places set seq = 0`;
    await watch();
    expect(await alertsOf(auditor)).to.deep.equal(before);
    expect(await raisedIn(server, head)).to.deep.equal([]);
  });

  it("are raised while jobs are paused: who pauses them blinds nobody", async () => {
    const { sql } = server.database;
    const root = await administrator(server, "root", "system-admin");
    const path = "/_synapse/admin/v1/background_updates/enabled";
    must(await root.post(path, { enabled: false }));
    const [place] = await sql<{ seq: number }[]>`
      select seq from detector_places`;
    await watch();
    const [after] = await sql<{ seq: number }[]>`
      select seq from detector_places`;
    expect(after!.seq).to.be.above(place!.seq);
    const [signed] = await sql`select from audit_checkpoints`;
    expect(signed).to.equal(undefined);
    await runJob(server.edges, signCheckpoints);
    expect(await sql`select from audit_checkpoints`).to.have.length(1);
    must(await root.post(path, { enabled: true }));
  });

  it("take the same statements of the database for 10 records as for 150", async () => {
    const note = (count: number) =>
      server.edges.committer.commit({
        positions: 0,
        audit: Array.from({ length: count }, () => ({
          ...{ ts: Date.now(), action: "auth.login", result: "allowed" },
          actor: { kind: "user", userId: "@ada:test", ip: "192.0.2.9" },
          resource: { type: "user", id: "@ada:test" },
        })) as AuditDraft[],
      });
    const { sql, taken } = countStatements(server.edges.db);
    const counted = { edges: derive(server.edges, { db: sql }) };
    const statements = async (count: number) => {
      await note(count);
      taken();
      await watch(counted);
      return taken();
    };
    await statements(10);
    expect(await statements(150)).to.equal(await statements(10));
  });

  it("do not look at their own records, and rest where nothing was written", async () => {
    await watch();
    const head = await auditHead(server);
    await watch();
    expect(await auditHead(server)).to.equal(head);
  });
});

describe("alerts of a broken glass", () => {
  const { server, watch } = useWatched({ "approvals.when_alone": "refuse" });

  it("row 15: tell of what two people did at once, and once", async () => {
    const auditor = await administrator(server, "auditor", "auditor");
    const security = await administrator(server, "security", "security-admin");
    const root = await administrator(server, "root", "system-admin");
    const friend = await server.user("friend");
    await server.database.sql`update authority set sealed_ts = 1`;
    await watch();
    const asked = await security.post(`${A}/role-bindings`, {
      ...{ user_id: friend.userId, role: "helpdesk", reason: "at once" },
      scope: { kind: "server" },
    });
    expect(asked.body).to.include({ errcode: "ORG_MYELIN_APPROVAL_REQUIRED" });
    const approval = `approvals/${String(asked.body["approval_id"])}/break-glass`;
    must(await security.post(`${A}/me/${approval}`, { reason: "it burns" }));
    const told = () => alertsOf(auditor, "?detector=broken_glass");
    await watch();
    expect(await told()).to.deep.equal([]);
    must(await root.post(`${A}/${approval}`, { comment: "agreed" }));
    await watch();
    await watch();
    const alerts = await told();
    expect(alerts).to.have.length(1);
    expect(alerts[0]).to.deep.include({
      user_id: root.userId,
      severity: "high",
      facts: { permissions: ["roles.grant"] },
    });
  });
});

describe("alerts of administrators", () => {
  const { server, watch, logIn } = useWatched({
    "alerts.privileged_reads.reads": 3,
    "alerts.off_hours.enabled": true,
    // No hour is one of work.
    ...{ "alerts.off_hours.work_begins": 5, "alerts.off_hours.work_ends": 5 },
    "alerts.country_header": "X-Country",
  });
  let auditor: TestUser;
  let security: TestUser;

  before(async () => {
    auditor = await administrator(server, "auditor", "auditor");
    security = await administrator(server, "security", "security-admin");
    await watch();
  });

  const of = (detector: string) => alertsOf(auditor, `?detector=${detector}`);

  it("row 15: tell of a burst of reads of what is personal", async () => {
    const reader = await administrator(server, "reader", "auditor");
    for (let i = 0; i < 2; i += 1) must(await reader.get(`${A}/audit?limit=1`));
    await watch();
    expect(
      (await of("privileged_reads")).filter(
        ({ user_id }) => user_id === reader.userId,
      ),
    ).to.deep.equal([]);
    must(await reader.get(`${A}/audit?limit=1`));
    await watch();
    const found = (await of("privileged_reads")).filter(
      ({ user_id }) => user_id === reader.userId,
    );
    expect(found).to.have.length(1);
    expect(found[0]!["facts"]).to.deep.equal({ reads: 3 });
  });

  it("row 15: tell of a new administrator, and of one whom no record tells of", async () => {
    const granted = await server.user("granted");
    const binding = must<{ binding_id: number }>(
      await security.post(`${A}/role-bindings`, {
        ...{ user_id: granted.userId, role: "helpdesk", reason: "new here" },
        ...{ scope: { kind: "server" }, expires_ts: null },
      }),
    );
    const sneaked = await server.user("sneaked");
    await bindRole(server, sneaked.userId, "system-admin");
    await watch();
    await watch();
    const found = await of("new_administrator");
    const ofUser = (userId: string) =>
      found.filter(({ user_id }) => user_id === userId);
    expect(ofUser(granted.userId)).to.have.length(1);
    expect(ofUser(granted.userId)[0]).to.have.nested.property(
      "record.after.binding",
      binding.binding_id,
    );
    expect(ofUser(sneaked.userId)).to.have.length(1);
    expect(ofUser(sneaked.userId)[0]).to.include({ record_seq: null });
  });

  it("row 15: tell of whoever got more power by a change of the role that they hold, and of nobody where it got less", async () => {
    const role = "night-shift";
    const put = (permissions: string[]) =>
      security.put(`${A}/roles/${role}`, { description: "", permissions });
    must(
      await security.post(`${A}/roles`, {
        ...{ role_id: role, description: "", permissions: ["users.read"] },
      }),
    );
    const holders = [
      await administrator(server, "holder1", role),
      await administrator(server, "holder2", role),
    ];
    await watch();
    await watch();
    const told = async () =>
      (await of("new_administrator"))
        .filter(({ facts }) => (facts as Json)["added"] !== undefined)
        .map(({ user_id, facts }) => [user_id, facts]);
    must(await put(["users.read", "rooms.read"]));
    must(await put(["users.read"]));
    await watch();
    await watch();
    expect(await told()).to.have.deep.members(
      holders.map(({ userId }) => [userId, { role, added: ["rooms.read"] }]),
    );
    const alert = (await of("new_administrator")).find(
      ({ facts }) => (facts as Json)["added"] !== undefined,
    );
    expect(alert).to.have.nested.property("record.action", "roles.write");
    must(await put(["users.read", "users.suspend"]));
    await watch();
    expect(await told()).to.have.length(4);
  });

  it("row 15: tell of an act when nobody works, and not of a look", async () => {
    const night = await administrator(server, "night", "system-admin");
    must(await night.get("/_synapse/admin/v2/users"));
    await watch();
    const nights = async () =>
      (await of("off_hours")).filter(({ user_id }) => user_id === night.userId);
    expect(await nights()).to.deep.equal([]);
    const path = "/_synapse/admin/v1/registration_tokens/new";
    for (let i = 0; i < 2; i += 1) must(await night.post(path, {}));
    await watch();
    expect((await nights()).map(({ facts }) => facts)).to.deep.equal([
      { action: "tokens.write" },
    ]);
  });

  it("row 15: tell of an administrator's login from elsewhere, or by another client", async () => {
    await administrator(server, "traveller", "system-admin");
    await server.user("colleague");
    const come = async (name: string, place: Record<string, string>) => {
      const headers = {
        ...from("192.0.2.1"),
        "user-agent": "Element/1",
        ...place,
      };
      must(await logIn(name, `secret of ${name}`, headers));
    };
    const news = async () =>
      (await of("new_place")).map(({ user_id, facts }) => [
        user_id,
        (facts as Json)["new"],
      ]);
    await come("traveller", { "x-country": "de" });
    await come("traveller", { "x-country": "DE", "user-agent": "Element/2.1" });
    await come("colleague", { "x-country": "de" });
    await come("colleague", { "x-country": "fr" });
    await watch();
    expect(await news()).to.deep.equal([]);
    await come("traveller", { "x-country": "fr" });
    await come("traveller", { "x-country": "fr", "user-agent": "curl/8" });
    await watch();
    // Both are of one look, whose alerts are raised side by side.
    expect(await news()).to.have.deep.members([
      ["@traveller:test", ["country"]],
      ["@traveller:test", ["client"]],
    ]);
    const alert = (await of("new_place")).find(({ facts }) =>
      ((facts as Json)["new"] as string[]).includes("country"),
    );
    expect(alert).to.include({ severity: "high" });
    expect(alert).to.have.nested.property("record.actor.country", "FR");
    // Where no country is told, the network is what is new.
    await come("traveller", { "x-country": "from nowhere" });
    await come("traveller", from("198.51.100.1"));
    await watch();
    expect((await news()).slice(2)).to.deep.equal([
      ["@traveller:test", ["network"]],
    ]);
  });
});

describe("alerts of what is fetched", () => {
  const { server, watchFiles } = useWatched({
    "alerts.mass_download.files": 3,
    "alerts.lock_accounts": ["mass_download", "privileged_reads"],
  });
  let auditor: TestUser;
  let files: string[];

  before(async () => {
    auditor = await administrator(server, "auditor", "auditor");
    const alice = await server.user("alice");
    files = [];
    for (let i = 0; i < 4; i += 1) files.push(await uploadImage(alice));
  });

  const fetchAll = async (user: TestUser, list: readonly string[]) => {
    for (const file of list)
      expect((await user.get(downloadPath(file))).status).to.equal(200);
  };

  it("row 15: cost the download no statement, and lock the account where the settings say so", async () => {
    const { sql } = server.database;
    const thief = await server.user("thief");
    await fetchAll(thief, [files[0]!, files[0]!, files[0]!, files[1]!]);
    const [before] = await sql`select from download_counts`;
    expect(before).to.equal(undefined);
    await watchFiles();
    expect(await alertsOf(auditor)).to.deep.equal([]);
    must(await thief.get("/account/whoami"));
    await fetchAll(thief, files.slice(2));
    await watchFiles();
    await watchFiles();
    const [alert, ...more] = await alertsOf(auditor);
    expect(more).to.deep.equal([]);
    expect(alert).to.include({
      ...{ detector: "mass_download", user_id: thief.userId, locked: true },
    });
    expect(alert!["facts"]).to.include({ files: 4 });
    const refused = await thief.get("/account/whoami");
    expect(refused.body["errcode"]).to.equal("M_USER_LOCKED");
  });

  it("add what several processes count", async () => {
    const other = await server.startProcess();
    const user = await server.user("everywhere");
    await fetchAll(user, files.slice(0, 2));
    const there = { ...user, ...other.as(user) };
    await fetchAll(there, files.slice(2));
    await writeDownloads(other.edges);
    await watchFiles();
    const found = await alertsOf(auditor, `?user_id=${user.userId}`);
    expect(found).to.have.length(1);
  });

  it("never lock who grants roles", async () => {
    const security = await administrator(server, "security", "security-admin");
    await raiseAlerts(server.edges, [
      {
        detector: "privileged_reads",
        severity: "high",
        ...{ subject: security.userId, span: 1, userId: security.userId },
        ...{ recordSeq: null, facts: {} },
      },
    ]);
    const [alert] = await alertsOf(auditor, `?user_id=${security.userId}`);
    expect(alert).to.include({ locked: false });
    must(await security.get("/account/whoami"));
  });
});

describe("the list of alerts", () => {
  const { server } = useWatched();
  let auditor: TestUser;

  const raise = (userId: string, span: number) =>
    raiseAlerts(server.edges, [
      {
        detector: "off_hours",
        severity: "medium",
        ...{
          subject: userId,
          span,
          userId,
          recordSeq: null,
          facts: { n: span },
        },
      },
    ]);

  before(async () => {
    auditor = await administrator(server, "auditor", "auditor");
    const user = await server.user("user");
    for (const span of [1, 2, 3]) await raise(user.userId, span);
    await raise(auditor.userId, 1);
  });

  it("is for auditors, by pages, and filtered", async () => {
    const operator = await administrator(server, "operator", "system-admin");
    const refused = await operator.get(`${A}/alerts`);
    expect(refused.body["org.myelin.permission"]).to.equal("audit.read");
    const page = must(await auditor.get(`${A}/alerts?limit=3&dir=b`));
    expect(page).to.include({ total: 4, next_token: "3" });
    expect((page["alerts"] as Alert[])[0]).to.include({
      user_id: auditor.userId,
    });
    expect(await alertsOf(auditor, "?user_id=@user:test")).to.have.length(3);
    expect(await alertsOf(auditor, "?severity=high")).to.have.length(0);
    expect((await auditor.get(`${A}/alerts/999999`)).status).to.equal(404);
    expect((await auditor.get(`${A}/alerts?detector=x`)).status).to.equal(400);
  });

  it("costs the same statements however many there are", async () => {
    const user = await server.user("often");
    const list = (limit: number) =>
      auditor.get(`${A}/alerts?limit=${limit}&dir=f`);
    must(await list(1));
    const count = async (limit: number) => {
      const { sql, taken } = countStatements(server.edges.db);
      const { searchAlerts } =
        await import("../../../src/domain/admin/alerts/read-alerts.ts");
      await searchAlerts(derive(server.edges, { db: sql }), {
        ...{ detector: null, severity: null, userId: null },
        ...{ isAcknowledged: null, offset: 0, limit, isDescending: false },
      });
      return taken();
    };
    for (let span = 10; span < 60; span += 1) await raise(user.userId, span);
    expect(await count(50)).to.equal(await count(2));
  });

  it("is acknowledged once, with a comment, and never by whom it is about", async () => {
    const [alert, own] = [
      (await alertsOf(auditor, "?user_id=@user:test"))[0]!,
      (await alertsOf(auditor, `?user_id=${auditor.userId}`))[0]!,
    ];
    const acknowledge = ({ alert_id }: Alert) =>
      auditor.post(`${A}/alerts/${alert_id}/acknowledge`, {
        comment: "he was on call",
      });
    expect((await acknowledge(own)).status).to.equal(403);
    const head = await auditHead(server);
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => acknowledge(alert)),
    );
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    const records = await readAudit(server, head);
    const done = records.filter(({ result }) => result === "allowed");
    expect(done).to.have.length(1);
    expect(done[0]).to.include({
      ...{ action: "audit.review", reason: "he was on call" },
    });
    const open = await alertsOf(auditor, "?acknowledged=false&limit=500");
    expect(open.map(({ alert_id }) => alert_id)).to.not.include(alert.alert_id);
    const [after] = await alertsOf(auditor, "?acknowledged=true");
    expect(after).to.include({
      ...{ acknowledged_by: auditor.userId, comment: "he was on call" },
    });
  });
});

describe("reviews of the audit log that are due", () => {
  const { server } = useWatched();
  let auditor: TestUser;
  const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

  before(async () => {
    auditor = await administrator(server, "auditor", "auditor");
  });

  const due = async () => must(await auditor.get(`${A}/audit/reviews/due`));
  const review = async (from_seq: number, to_seq: number) =>
    must(
      await auditor.post(`${A}/audit/reviews`, {
        ...{ from_seq, to_seq, comment: "read" },
      }),
    );

  it("row 15: begin where signatures leave off without a gap", async () => {
    await server.user("somebody");
    for (let i = 0; i < 5; i += 1) await due();
    expect(await due()).to.include({ due: false, from_seq: 1 });
    await review(4, 5);
    expect(await due()).to.include({ from_seq: 1 });
    await review(1, 3);
    const now = await due();
    expect(now).to.include({ from_seq: 6, due: false });
    expect(now["last_review"]).to.include({ to_seq: 3 });
    expect(now["to_seq"]).to.be.above(5);
  });

  it("are due when a week has passed", async () => {
    const later = (ms: number) =>
      readReviewsDue(
        derive(server.edges, { now: () => server.edges.now() + ms }),
      );
    expect((await later(WEEK_MS - 60_000)).isDue).to.equal(false);
    expect((await later(WEEK_MS)).isDue).to.equal(true);
  });

  it("are told to auditors alone", async () => {
    const operator = await administrator(server, "operator", "system-admin");
    const refused = await operator.get(`${A}/audit/reviews/due`);
    expect(refused.body["org.myelin.permission"]).to.equal("audit.review");
  });

  it("are searched with a count that has an end", async () => {
    const page = { offset: 0, limit: 2, isDescending: false };
    const { sql } = server.database;
    const some = await searchAuditLog(sql, NO_FILTER, page, 3);
    expect(some).to.include({ total: 3, isMore: true });
    const all = await searchAuditLog(sql, NO_FILTER, page);
    expect(all.total).to.be.above(3);
    expect(all.isMore).to.equal(false);
  });
});
