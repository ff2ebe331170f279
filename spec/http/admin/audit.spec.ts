import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { verifyFile } from "../../../src/cli/audit-verify.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { signCheckpoints } from "../../../src/domain/jobs/sign-checkpoints.ts";
import { administrator } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { publicKeyOf } from "../../support/audit-export.ts";
import { must } from "../../support/rooms.ts";
import { useServer, type Json, type TestUser } from "../../support/server.ts";
import { useFolders } from "../../support/use-folder.ts";

const A = "/_myelin/admin/v1";

describe("/_myelin/admin/v1/audit", () => {
  const server = useServer();
  const makeFolder = useFolders();
  let auditor: TestUser;
  let security: TestUser;
  let user: TestUser;

  before(async () => {
    auditor = await administrator(server, "auditor", "auditor");
    security = await administrator(server, "security", "security-admin");
    user = await server.user("user");
    must(
      await security.post(`${A}/groups`, {
        group_id: "sales",
        description: "",
      }),
    );
    for (const member of [user, auditor])
      must(
        await security.put(`${A}/groups/sales/members/${member.userId}`, {}),
      );
    await user.get(`${A}/roles`);
    await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "user" },
      password: "wrong",
    });
  });

  const search = async (query: string) => {
    const answer = await auditor.get(`${A}/audit?${query}`);
    return must<{ records: Json[]; total: number; next_token?: string }>(
      answer,
    );
  };
  const actionsOf = async (query: string) =>
    (await search(query)).records.map(({ action }) => action);

  it("finds by who, what, whom, how it ended and when", async () => {
    const id = encodeURIComponent(user.userId);
    expect(await actionsOf(`actor=${id}`)).to.deep.equal(["roles.read"]);
    expect(await actionsOf(`target=${id}`)).to.deep.equal([
      "groups.write",
      "auth.login",
    ]);
    expect(await actionsOf("action=groups.write")).to.have.length(3);
    expect(await actionsOf("action=auth.*")).to.deep.equal(["auth.login"]);
    expect(await actionsOf("result=denied")).to.deep.equal([
      "roles.read",
      "auth.login",
    ]);
    expect(await actionsOf("actor=nobody")).to.deep.equal(["auth.login"]);
    expect(await actionsOf("target=sales")).to.deep.equal(["groups.write"]);
    expect(await actionsOf(`to_ts=1`)).to.deep.equal([]);
    expect(
      await actionsOf(`actor=${encodeURIComponent("@else:test")}`),
    ).to.deep.equal([]);
    expect(
      await actionsOf(`from_ts=${Date.now() - 60_000}&action=groups.write`),
    ).to.have.length(3);
  });

  it("pages as the other lists do, and shows what each record holds", async () => {
    const page = await search("action=groups.write&limit=1&from=1");
    expect(page.total).to.equal(3);
    expect(page.next_token).to.equal("2");
    const [record] = page.records;
    expect(record).to.include({ action: "groups.write", result: "allowed" });
    expect(record!["actor"]).to.include({
      user_id: security.userId,
      device_id: security.deviceId,
    });
    expect(record!["resource"]).to.include({ type: "user", id: user.userId });
    expect(record!["after"]).to.deep.equal({ group: "sales" });
    const newest = await search("action=groups.write&limit=1&dir=b");
    expect((newest.records[0]!["resource"] as Json)["id"]).to.equal(
      auditor.userId,
    );
    expect((await user.get(`${A}/audit`)).status).to.equal(403);
    expect((await security.get(`${A}/audit`)).status).to.equal(403);
  });

  it("exports what can be verified without the server", async () => {
    await server.database.sql`delete from leases`;
    await runJob(server.edges, signCheckpoints);
    const answer = await auditor.get(`${A}/audit/export`);
    expect(answer.status).to.equal(200);
    expect(answer.headers["content-type"]).to.equal("application/x-ndjson");
    const file = join(await makeFolder(), "export");
    await writeFile(file, answer.bytes);
    const { body: key } = await auditor.get(`${A}/audit/key`);
    const { keyId, publicKey } = await server.edges.auditKey.current();
    expect(key).to.deep.equal({ key_id: keyId, public_key: publicKey });
    const report = await verifyFile(file, await publicKeyOf(server.edges), []);
    expect(report.fault).to.equal(undefined);
    expect(report.vouchedTo).to.be.above(5);
    const { checkpoints } = must<{ checkpoints: Json[] }>(
      await auditor.get(`${A}/audit/checkpoints`),
    );
    expect((checkpoints[0]!["checkpoint"] as Json)["seq"]).to.equal(
      report.vouchedTo,
    );
    const own = (await readAudit(server, report.last)).map(
      ({ action }) => action,
    );
    expect(own.at(0)).to.equal("audit.export");
  });

  it("exports to spreadsheets nothing that they would run", async () => {
    const evil = '=cmd|"/C calc"!A0';
    await user.get(`${A}/roles`, { headers: { "user-agent": evil } });
    await user.get(`${A}/roles`, { headers: { "user-agent": "a|b=c\\d" } });
    const csv = await auditor.get(`${A}/audit/export?format=csv`);
    expect(csv.headers["content-type"]).to.equal("text/csv; charset=utf-8");
    const [head = "", ...lines] = csv.text.trimEnd().split("\n");
    expect(head.split(",")).to.include("user_agent");
    expect(csv.text).to.include(`"'=cmd|""/C calc""!A0"`);
    for (const line of lines)
      for (const cell of line.split(/","|^"|"\r?$/))
        expect(cell).to.not.match(/^[=+\-@\t]/);
    const cef = await auditor.get(
      `${A}/audit/export?format=cef&action=roles.read`,
    );
    const last = cef.text.trimEnd().split("\n").at(-1)!;
    expect(last).to.match(
      /^CEF:0\|Myelin\|Myelin\|1\|roles\.read\|roles\.read denied\|7\|/,
    );
    expect(last).to.include("requestClientApplication=a|b\\=c\\\\d");
  });

  it("G8: keeps that an auditor looked through it, with the link that was read last", async () => {
    const head = await auditHead(server);
    const review = { from_seq: 1, to_seq: head, comment: "week 48: in order" };
    must(await auditor.post(`${A}/audit/reviews`, review));
    const [record] = await readAudit(server, head);
    const [row] = await server.database.sql<{ hash: string }[]>`
      select encode(hash, 'hex') as hash from audit_log where seq = ${head}`;
    expect(record).to.deep.include({
      action: "audit.review",
      result: "allowed",
      reason: "week 48: in order",
      after: { from_seq: 1, to_seq: head, hash: row!.hash },
    });
    expect(record!.actor).to.include({ user_id: auditor.userId });
    for (const wrong of [
      { ...review, from_seq: 3, to_seq: 2 },
      { ...review, to_seq: 1_000_000 },
    ]) {
      const answer = await auditor.post(`${A}/audit/reviews`, wrong);
      expect(answer.status).to.be.oneOf([400, 404]);
    }
    expect((await security.post(`${A}/audit/reviews`, review)).status).to.equal(
      403,
    );
  });
});
