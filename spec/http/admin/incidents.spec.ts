import { expect } from "chai";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { watchIncidents } from "../../../src/domain/jobs/watch-incidents.ts";
import { administrator } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { makeRoom, must, say } from "../../support/rooms.ts";
import { useServer, type Json, type TestUser } from "../../support/server.ts";
import { doTasks } from "../../support/tasks.ts";

const N = "/_myelin/admin/v1";
const S = "/_synapse/admin/v1";
const INCIDENTS = `${N}/incidents`;
const HOUR_MS = 60 * 60 * 1000;
const found = { title: "A token got out", severity: "high", summary: "s" };
const grounds = { headers: { "x-myelin-case": "c", "x-myelin-reason": "r" } };

interface Radius extends Json {
  actions: { action: string; allowed: number; denied: number }[];
  touched: { type: string; id: string; reads: number; changes: number }[];
  sessions: Json[];
}

describe("an incident", () => {
  const server = useServer();
  let admin: TestUser;
  let auditor: TestUser;
  let security: TestUser;
  let ann: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    auditor = await administrator(server, "auditor", "auditor");
    security = await administrator(server, "security", "security-admin");
    ann = await server.user("ann");
  });

  const open = async (more: Json = {}): Promise<string> => {
    const answer = must(await admin.post(INCIDENTS, { ...found, ...more }));
    return answer["incident_id"] as string;
  };
  const show = async (id: string) =>
    must<Json & { clock: Json }>(await admin.get(`${INCIDENTS}/${id}`));
  const radius = async (id: string, query: string) =>
    must<Radius>(
      await auditor.get(`${INCIDENTS}/${id}/blast-radius?${query}`, grounds),
    );

  it("is opened with a clock of 72 hours, changed as it was seen, and closed with a report", async () => {
    const aware = Date.now() - HOUR_MS;
    const head = await auditHead(server);
    const id = await open({ aware_ts: aware });
    const { clock, ...shown } = await show(id);
    expect(shown).to.include({ ...found, state: "open", version: 1 });
    expect(clock).to.include({
      ...{ aware_ts: aware, due_ts: aware + 72 * HOUR_MS },
      ...{ notified_ts: null, overdue: false },
    });
    expect(clock["remaining_ms"]).to.be.within(70 * HOUR_MS, 71 * HOUR_MS);
    const change = { version: 1, notification: "The authority was told." };
    const changed = must<Json & { clock: Json }>(
      await admin.put(`${INCIDENTS}/${id}`, change),
    );
    expect(changed).to.include({ version: 2 });
    expect(changed.clock["notified_ts"]).to.be.a("number");
    const stale = await admin.put(`${INCIDENTS}/${id}`, change);
    expect(stale.body).to.include({
      ...{ errcode: "M_BAD_STATE", "org.myelin.version": 2 },
    });
    const report = "What happened, and what was done.";
    const closed = must(
      await admin.post(`${INCIDENTS}/${id}/close`, { version: 2, report }),
    );
    expect(closed).to.include({
      ...{ state: "closed", report, closed_by: admin.userId },
    });
    const late = await admin.put(`${INCIDENTS}/${id}`, { version: 3 });
    expect(late.body).to.include({ errcode: "M_BAD_STATE" });
    const records = await readAudit(server, head);
    const acts = records.filter(({ action }) => action === "incidents.write");
    expect(acts.map(({ result }) => result)).to.deep.equal([
      ...["allowed", "allowed", "failed", "allowed", "failed"],
    ]);
    expect(JSON.stringify(records)).to.not.include(report);
  });

  it("keeps no words that would read otherwise than they were written", async () => {
    for (const odd of ["a\u0000b", "a\ud800b"]) {
      const opened = await admin.post(INCIDENTS, { ...found, title: odd });
      expect(opened.status, opened.text).to.equal(400);
      const told = await admin.post(`${N}/campaigns`, {
        ...{ name: odd, content: { msgtype: "m.text", body: "b" } },
        audience: { kind: "all" },
      });
      expect(told.status, told.text).to.equal(400);
    }
    const title = String.raw`a\u0000 "b" \ 😀`;
    expect(await show(await open({ title }))).to.include({ title });
  });

  it("of two who change it at once, one is told to look again", async () => {
    const id = await open();
    const answers = await Promise.all(
      ["one", "two", "three"].map((summary) =>
        admin.put(`${INCIDENTS}/${id}`, { version: 1, summary }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses[0]).to.equal(200);
    expect(statuses.filter((status) => status === 200)).to.have.length(1);
    expect(await show(id)).to.include({ version: 2 });
  });

  it("raises an alert once, before its time is over, where nobody was told", async () => {
    const late = await open({ aware_ts: Date.now() - 61 * HOUR_MS });
    await open({ aware_ts: Date.now() - 50 * HOUR_MS });
    const told = await open({ aware_ts: Date.now() - 80 * HOUR_MS });
    must(
      await admin.put(`${INCIDENTS}/${told}`, {
        version: 1,
        notification: "n",
      }),
    );
    expect((await show(told)).clock).to.include({ overdue: true });
    for (let i = 0; i < 2; i += 1) {
      await server.database
        .sql`update leases set expires_ts = clock_timestamp()`;
      await runJob(server.edges, watchIncidents);
    }
    const { alerts } = must<{ alerts: Json[] }>(
      await auditor.get(`${N}/alerts?detector=incident_clock`, grounds),
    );
    expect(
      alerts.map(({ facts }) => (facts as Json)["incident_id"]),
    ).to.deep.equal([late]);
  });

  it("shows from the audit log what somebody read and changed in its time, and by which sessions", async () => {
    const roomId = await makeRoom(ann);
    const eventId = await say(ann, roomId, "a secret");
    const from_ts = Date.now();
    const fetched = `${S}/fetch_event/${encodeURIComponent(eventId)}`;
    must(await admin.get(fetched, grounds));
    must(await admin.put(`${S}/suspend/${ann.userId}`, { suspend: true }));
    must(await admin.put(`${S}/suspend/${ann.userId}`, { suspend: false }));
    expect((await admin.get(`${N}/audit`)).status).to.equal(403);
    const to_ts = Date.now();
    const id = await open({ from_ts, to_ts });
    const seen = await radius(id, `actor=${admin.userId}`);
    const suspended = seen.actions.find((a) => a.action === "users.suspend");
    expect(suspended).to.include({ allowed: 2 });
    const denied = seen.actions.find((each) => each.action === "audit.read");
    expect(denied).to.include({ allowed: 0, denied: 1 });
    const touched = seen.touched.find((each) => each.id === ann.userId);
    expect(touched).to.include({ type: "user", changes: 2 });
    expect(seen.touched.some(({ reads }) => reads > 0)).to.equal(true);
    expect(seen.sessions).to.deep.equal([
      { user_id: admin.userId, device_id: admin.deviceId },
    ]);
    const [{ tokenId } = { tokenId: 0 }] = await server.database.sql<
      { tokenId: number }[]
    >`select token_id from access_tokens where user_id = ${admin.userId}`;
    for (const query of [`token_id=${tokenId}`, "ip=127.0.0.1"]) {
      const same = await radius(id, query);
      expect(same.records, query).to.equal(seen.records);
    }
    expect(await radius(id, "ip=192.0.2.1")).to.include({ records: 0 });
    expect(await radius(id, `actor=${ann.userId}`)).to.include({ records: 0 });
    for (const query of ["", "?ip=a&token_id=1"]) {
      const target = `${INCIDENTS}/${id}/blast-radius${query}`;
      const odd = await auditor.get(target, grounds);
      expect(odd.body).to.include({ errcode: "M_INVALID_PARAM" });
    }
  });

  it("has sessions of many ended in a task, each with a record that names it", async () => {
    const users = [];
    for (const name of ["ben", "cy", "dora"])
      users.push(await server.user(name));
    const [ben, cy, dora] = users as [TestUser, TestUser, TestUser];
    const id = await open();
    const target = `${INCIDENTS}/${id}/end-sessions`;
    const head = await auditHead(server);
    const answer = await admin.post(target, {
      sessions: [
        { user_id: ben.userId },
        { user_id: cy.userId, device_id: cy.deviceId },
        { user_id: dora.userId, device_id: "ABSENT" },
      ],
    });
    expect(answer.status, answer.text).to.equal(202);
    await doTasks(server);
    for (const user of [ben, cy]) {
      const refused = await user.get("/account/whoami");
      expect(refused.body).to.include({ soft_logout: false });
    }
    must(await dora.get("/account/whoami"));
    const records = (await readAudit(server, head)).filter(
      ({ action }) => action === "users.sessions.write",
    );
    expect(
      records.map(({ resource, after }) => [
        resource["id"],
        (after as Json)["incident"],
      ]),
    ).to.have.deep.members([
      [`incident ${id}`, undefined],
      [ben.userId, id],
      [cy.userId, id],
    ]);
    const job = must(
      await admin.get(`${N}/jobs/${answer.body["job_id"] as string}`),
    );
    expect(job).to.deep.include({
      ...{ state: "complete", progress: { users: 3, sessions: 2 } },
    });
  });

  it("has them wiped, with tokens of the admin API, but of nobody with more power", async () => {
    const helper = await administrator(server, "helper", "helpdesk");
    const { token } = must<{ token: string }>(
      await helper.post(`${N}/tokens`, {
        ...{ name: "n", permissions: ["users.read"] },
        expires_ts: Date.now() + HOUR_MS,
      }),
    );
    const id = await open();
    const target = `${INCIDENTS}/${id}/end-sessions`;
    const all = { wipe: true, admin_tokens: true };
    const beyond = await admin.post(target, {
      ...{ ...all, sessions: [{ user_id: security.userId }] },
    });
    expect(beyond.body["org.myelin.permission"]).to.equal(
      "users.sessions.write",
    );
    const scripts = server.as({ accessToken: token });
    must(await scripts.get(`${N}/users?limit=1`));
    const answer = await admin.post(target, {
      ...{ ...all, sessions: [{ user_id: helper.userId }] },
    });
    expect(answer.status, answer.text).to.equal(202);
    await doTasks(server);
    const refused = await helper.get("/account/whoami");
    expect(refused.body).to.include({ "org.myelin.wipe": true });
    expect((await scripts.get(`${N}/users?limit=1`)).status).to.equal(401);
    const absent = await admin.post(target, {
      sessions: [{ user_id: "@absent:test" }],
    });
    expect(absent.status).to.equal(404);
  });

  it("is listed, links a campaign, and is seen and handled by who may", async () => {
    const id = await open();
    const campaign = must(
      await admin.post(`${N}/campaigns`, {
        ...{ name: "n", content: { msgtype: "m.text", body: "b" } },
        audience: { kind: "users", users: [ann.userId] },
      }),
    );
    const campaign_id = campaign["campaign_id"] as string;
    must(await security.put(`${INCIDENTS}/${id}`, { version: 1, campaign_id }));
    expect(await show(id)).to.include({ campaign_id });
    const absent = { version: 2, campaign_id: "absent" };
    expect((await admin.put(`${INCIDENTS}/${id}`, absent)).status).to.equal(
      404,
    );
    const { incidents } = must<{ incidents: Json[] }>(
      await auditor.get(`${INCIDENTS}?state=open&dir=b&limit=1`),
    );
    expect(incidents[0]).to.include({ incident_id: id });
    expect((await auditor.post(INCIDENTS, found)).status).to.equal(403);
    expect((await ann.get(INCIDENTS)).status).to.equal(403);
    expect((await admin.get(`${INCIDENTS}/none`)).status).to.equal(404);
    const odd = { ...found, from_ts: 2, to_ts: 1 };
    expect((await admin.post(INCIDENTS, odd)).body).to.include({
      errcode: "M_INVALID_PARAM",
    });
  });
});
