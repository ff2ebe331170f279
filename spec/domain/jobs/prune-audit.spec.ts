import { join } from "node:path";
import { expect } from "chai";
import { verifyFile } from "../../../src/cli/audit-verify.ts";
import { ConfigError } from "../../../src/config/fault.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { canonicalJson } from "../../../src/core/canonical-json.ts";
import { PRUNING } from "../../../src/core/audit-statements.ts";
import { auditRecord } from "../../../src/domain/admin/audit-record.ts";
import { rotateAuditKey } from "../../../src/domain/admin/audit-rotation.ts";
import { readReviewsDue } from "../../../src/domain/admin/reviews-due.ts";
import { runJob, type Job } from "../../../src/domain/jobs/job.ts";
import { pruneAudit } from "../../../src/domain/jobs/prune-audit.ts";
import { signCheckpoints } from "../../../src/domain/jobs/sign-checkpoints.ts";
import { bringCheckpoints } from "../../../src/domain/jobs/tell-audit.ts";
import { tellReads } from "../../../src/domain/jobs/tell-reads.ts";
import { watchAudit } from "../../../src/domain/jobs/watch-audit.ts";
import type { Edges } from "../../../src/edges.ts";
import { administrator } from "../../support/administrators.ts";
import { readAudit } from "../../support/audit.ts";
import { exportTo, publicKeyOf } from "../../support/audit-export.ts";
import { quiet } from "../../support/database.ts";
import { must } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import { useFolders } from "../../support/use-folder.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

describe("an audit log that is kept for a time", () => {
  const server = useServer({ "audit.retention_days": 200 }, quiet);
  const makeFolder = useFolders();
  let folder = "";
  before(async () => {
    folder = await makeFolder();
  });

  const run = async (edges: Edges, ...jobs: Job<Edges>[]) => {
    for (const job of jobs) {
      await edges.db`delete from leases`;
      await runJob(edges, job);
    }
  };
  /** Some days ago. */
  const at = (days: number): Edges => {
    const ts = Date.now() - days * DAY_MS;
    return { ...server.edges, now: () => ts };
  };
  const write = async (edges: Edges, count: number) => {
    const audit = Array.from({ length: count }, (_, i) =>
      auditRecord(
        { act: "users.lock", actor: "command line", target: `!act-${i}` },
        edges.now(),
      ),
    );
    await edges.committer.commit({ positions: 0, audit });
    await run(edges, signCheckpoints);
  };
  const tell = () => run(server.edges, bringCheckpoints, watchAudit, tellReads);
  const prune = () => run(server.edges, pruneAudit);
  const span = async (): Promise<[number, number]> => {
    const [row] = await server.database.sql<{ first: number; last: number }[]>`
      select min(seq)::int as first, max(seq)::int as last from audit_log`;
    return [row!.first, row!.last];
  };
  const verify = async (from?: number) => {
    const file = join(folder, "export");
    await exportTo(server.edges, file);
    return verifyFile(file, await publicKeyOf(server.edges), [], from);
  };
  const hold = (fromTs: number | null) => server.database.sql`
    insert into holds (hold_id, name, case_id, reason, user_ids, from_ts, created_by, created_ts)
    values ('h', 'h', 'c', 'r', '{@a:test}', ${fromTs}, '@b:test', 1)`;
  const release = () => server.database.sql`
    update holds set released_ts = 1 where hold_id = 'h'`;

  it("names the setting where that is too short a time", () => {
    const load = () =>
      loadConfig({
        overrides: new Map<string, unknown>([
          ["server_name", "test"],
          ["audit.retention_days", 179],
        ]),
      });
    expect(load).to.throw(ConfigError, /audit\.retention_days.*180/s);
  });

  it("loses nothing that was not brought outside", async () => {
    await write(at(400), 700);
    await write(at(300), 10);
    await write(at(190), 10);
    await write(server.edges, 10);
    await prune();
    expect(await span()).to.deep.equal([1, 730]);
  });

  it("G6: loses nothing of the time that a legal hold is of", async () => {
    await tell();
    await hold(null);
    await prune();
    expect(await span()).to.deep.equal([1, 730]);
    await server.database.sql`delete from holds`;
    await hold(Date.now() - 350 * DAY_MS);
    await prune();
    expect(await span()).to.deep.equal([701, 731]);
    expect((await verify()).fault).to.equal(undefined);
    await release();
  });

  it("G1: is pruned up to an end that was signed, says so, and verifies from there", async () => {
    await prune();
    expect(await span()).to.deep.equal([711, 732]);
    const [first, second] = (await readAudit(server)).filter(
      ({ action }) => action === PRUNING,
    );
    expect(first!["after"]).to.have.nested.property("statement.seq", 700);
    expect(second!["after"]).to.deep.include.keys("statement", "signature");
    expect(second!["after"]).to.have.nested.property("statement.from_seq", 701);
    expect(second!.actor["type"]).to.equal("server");
    await run(server.edges, signCheckpoints);
    expect(await verify()).to.deep.equal({
      ...{ first: 711, last: 732, links: 22, vouchedTo: 732 },
    });
    const rows = await server.database.sql<{ seq: number }[]>`
      select seq::int as seq from audit_checkpoints order by seq`;
    expect(rows.map(({ seq }) => seq)).to.deep.equal([710, 720, 730, 732]);
    expect((await readReviewsDue(server.edges)).fromSeq).to.equal(711);
    await prune();
    expect(await span()).to.deep.equal([711, 732]);
  });

  const tamper = async (work: (tx: Edges["db"]) => Promise<void>) => {
    const undo = new Error("undone");
    const done = server.database.sql.begin(async (tx) => {
      await work(tx as unknown as Edges["db"]);
      throw undo;
    });
    await done.catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  };
  const append = async (db: Edges["db"], statement: object) => {
    const record = canonicalJson({
      ...{ v: 1, ts: 1, action: PRUNING, result: "allowed" },
      actor: { type: "server" },
      after: { statement: { ...statement }, signature: "AAAA" },
    });
    await db`
      insert into audit_log (seq, record, prev_hash, hash)
      select seq + 1, ${record}, hash, sha256(hash || convert_to(seq + 1 || ' ' || ${record}, 'UTF8'))
      from audit_log order by seq desc limit 1`;
  };
  const refusalOf = (db: Edges["db"], statement: object) =>
    append(db, statement).then(
      () => "",
      (error: unknown) => String(error),
    );
  const endAt = async (seq: number) => {
    const [row] = await server.database.sql<{ hash: string }[]>`
      select encode(hash, 'hex') as hash from audit_log where seq = ${seq}`;
    return { seq, hash: row!.hash };
  };

  it("G1: loses nothing that is younger than 180 days, or that nobody signed", async () => {
    for (const seq of [730, 720])
      await tamper(async (db) => {
        const said = await refusalOf(db, await endAt(seq));
        expect(said).to.include(seq === 730 ? "180 days" : "");
        if (seq === 720) expect(said).to.equal("");
      });
    await tamper(async (db) => {
      expect(await refusalOf(db, await endAt(715))).to.include("no checkpoint");
    });
    await tamper(async (db) => {
      const { seq } = await endAt(720);
      const other = { seq, hash: "00".repeat(32) };
      expect(await refusalOf(db, other)).to.include("no checkpoint");
    });
    for (const statement of [
      "delete from audit_log where seq = 711",
      "delete from audit_checkpoints where seq = 710",
    ])
      await tamper(async (db) => {
        const error: unknown = await db
          .unsafe(statement)
          .catch((caught: unknown) => caught);
        expect(String(error)).to.include("only added to");
      });
  });

  it("G1: shows where its owner pruned it without its key", () =>
    tamper(async (db) => {
      await append(db, await endAt(720));
      await db`select prune_audit_log(100)`;
      const file = join(folder, "forged");
      await exportTo({ ...server.edges, db }, file);
      const key = await publicKeyOf(server.edges);
      const report = await verifyFile(file, key, []);
      expect(report.first).to.equal(721);
      expect(report.fault).to.include({ seq: 733 });
    }));

  it("is pruned again when its key was replaced", async () => {
    const key = await publicKeyOf(server.edges);
    await rotateAuditKey(server.edges, "command line");
    const shorter = {
      ...server.edges,
      settings: { ...server.edges.settings, auditRetentionMs: 185 * DAY_MS },
    };
    await run(server.edges, signCheckpoints);
    await tell();
    await run(shorter, pruneAudit);
    expect(await span()).to.deep.equal([721, 734]);
    await run(server.edges, signCheckpoints);
    const file = join(folder, "rotated");
    await exportTo(server.edges, file);
    const report = await verifyFile(file, key, []);
    expect(report).to.include({ first: 721, vouchedTo: 734 });
    expect(report.fault).to.equal(undefined);
  });

  it("row 15: leaves nothing to be signed that nobody can sign any more", async () => {
    const auditor = await administrator(server, "auditor", "auditor");
    const review = (from_seq: number, to_seq: number) =>
      auditor.post("/_myelin/admin/v1/audit/reviews", {
        ...{ from_seq, to_seq, comment: "read" },
      });
    expect((await review(1, 700)).status).to.equal(404);
    const { sql } = server.database;
    await sql`
      insert into alerts (alert_id, detector, severity, subject, span, record_seq, facts, is_locked, raised_ts)
      values (1, 'password_spray', 'high', 'a network', 1, 5, '{}', false, 1)`;
    // Some of what was pruned waits to be deleted, as between two steps of the job.
    await tamper(async (db) => {
      await db`
        insert into audit_prunings (seq, hash, signed_ts, record_seq)
        select seq, hash, ts, 1 from audit_checkpoints where seq = 730`;
      const edges = { ...server.edges, db };
      expect((await readReviewsDue(edges)).fromSeq).to.equal(731);
    });
    const due = await readReviewsDue(server.edges);
    expect(due).to.include({ fromSeq: 721, openAlerts: 1 });
    // An alert outlives the record that made it one, and is closed without it.
    const alert = "/_myelin/admin/v1/alerts/1";
    const open = must<object>(await auditor.get(alert));
    expect(open).to.include({ record_seq: 5 }).and.not.include.keys("record");
    must(await auditor.post(`${alert}/acknowledge`, { comment: "too old" }));
    must(await review(721, due.toSeq!));
    expect(await readReviewsDue(server.edges)).to.include({
      ...{ fromSeq: due.toSeq! + 1, openAlerts: 0, isDue: false },
    });
  });
});
