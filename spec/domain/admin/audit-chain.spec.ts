import { expect } from "chai";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import type { SignedCheckpoint } from "../../../src/core/audit-chain.ts";
import { checkpointLine } from "../../../src/core/audit-export.ts";
import { verifyFile } from "../../../src/cli/audit-verify.ts";
import { run } from "../../../src/cli/run.ts";
import { auditRecord } from "../../../src/domain/admin/audit-record.ts";
import { readCheckpoints } from "../../../src/domain/admin/read-audit.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { signCheckpoints } from "../../../src/domain/jobs/sign-checkpoints.ts";
import type { Edges } from "../../../src/edges.ts";
import { destroyKeys } from "../../../src/storage/destroy-keys.ts";
import { testProgram } from "../../cli/program.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { exportTo, publicKeyOf } from "../../support/audit-export.ts";
import { quiet } from "../../support/database.ts";
import { useServer, type TestServer } from "../../support/server.ts";
import { useFolders } from "../../support/use-folder.ts";

const sign = async ({ database: { sql }, edges }: TestServer) => {
  await sql`delete from leases`;
  await runJob(edges, signCheckpoints);
};

const write = (
  { committer, now }: Pick<Edges, "committer" | "now">,
  target: string,
) =>
  committer.commit({
    positions: 1,
    audit: [
      auditRecord({ act: "users.lock", actor: "command line", target }, now()),
    ],
  });

const programOf = (said: string[], args: readonly string[]) => {
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      said.push(chunk.toString());
      done();
    },
  });
  return testProgram({ arguments: args, stdout: output, stderr: output });
};

describe("the chain of the audit log", () => {
  const server = useServer();
  const makeFolder = useFolders();
  let folder = "";
  before(async () => {
    folder = await makeFolder();
  });

  it("G1: has no gap and no fork where eight processes write at once", async () => {
    const before = await auditHead(server);
    const processes = await Promise.all(
      Array.from({ length: 7 }, () => server.startProcess()),
    );
    const all = [server, ...processes];
    await Promise.all(
      Array.from({ length: 400 }, (_, i) =>
        write(all[i % 8]!.edges, `${i % 8}-${i}`),
      ),
    );
    expect(await auditHead(server)).to.equal(before + 400);
    await exportTo(server.edges, join(folder, "eight"));
    const report = await verifyFile(join(folder, "eight"), undefined, []);
    expect(report).to.include({ first: 1, last: before + 400 });
    expect(report.fault).to.equal(undefined);
    const nodes = new Set((await readAudit(server)).map(({ node }) => node));
    expect(nodes.size).to.be.at.least(8);
  }).timeout(60_000);

  it("is signed at its end, each thousand records, by whoever has the lease", async () => {
    const head = await auditHead(server);
    await Promise.all(
      Array.from({ length: 2100 }, (_, i) => write(server.edges, `many-${i}`)),
    );
    await sign(server);
    const { checkpoints } = await readCheckpoints(server.edges, 0);
    expect(checkpoints.map(({ checkpoint }) => checkpoint.seq)).to.deep.equal([
      1000,
      2000,
      head + 2100,
    ]);
    await sign(server);
    const again = await readCheckpoints(server.edges, 0);
    expect(again.checkpoints).to.have.length(3);
    await exportTo(server.edges, join(folder, "signed"));
    const key = await publicKeyOf(server.edges);
    const report = await verifyFile(join(folder, "signed"), key, []);
    expect(report).to.deep.include({ vouchedTo: head + 2100 });
  }).timeout(120_000);

  it("refuses to be changed, cut or emptied", async () => {
    const { sql } = server.database;
    for (const attempt of [
      sql`update audit_log set record = '{}' where seq = 1`,
      sql`delete from audit_log where seq = 1`,
      sql`truncate audit_log`,
      sql`update audit_checkpoints set ts = 1`,
      sql`delete from audit_checkpoints`,
      sql`truncate audit_checkpoints`,
    ]) {
      const error: unknown = await attempt.then(
        () => undefined,
        (caught: unknown) => caught,
      );
      expect(String(error)).to.include("only added to");
    }
  });

  it("G1: verifies when a user was erased, whose name nobody reads any more", async () => {
    const gone = await server.user("rosalind-franklin");
    await gone.post("/logout");
    await write(server.edges, gone.userId);
    const head = await auditHead(server);
    const before = JSON.stringify(await readAudit(server, head - 2));
    expect(before).to.include("rosalind-franklin").and.include("127.0.0.1");
    const stored = await server.database.sql<{ all: string }[]>`
      select string_agg(audit_log::text, '') as all from audit_log`;
    expect(stored[0]!.all).to.not.include("rosalind-franklin");
    const { edges } = server;
    const needs = {
      ...{ sql: edges.db, keyring: edges.keyring, memory: edges.memory },
      bus: { publish: () => undefined },
    };
    await destroyKeys(needs, [{ scope: "user", owner: gone.userId, span: "" }]);
    const text = await exportTo(edges, join(folder, "erased"));
    expect(text).to.not.include("rosalind-franklin");
    const [logout, lock] = await readAudit(server, head - 2);
    expect(logout!.actor).to.deep.include({ type: "user", erased: true });
    expect(logout!.actor["pseudonym"]).to.equal(lock!.resource["pseudonym"]);
    const key = await publicKeyOf(edges);
    const report = await verifyFile(join(folder, "erased"), key, []);
    expect(report.fault).to.equal(undefined);
    expect(report.last).to.equal(head);
  });
});

/** What whoever owns the database can do to the log, and the first record that it shows at. */
const TAMPERINGS: Record<
  string,
  { statement: string; seq: number; upTo?: number }
> = {
  "changes one byte of a record": {
    statement: `update audit_log set record = replace(record, 'act-12', 'act-13') where seq = 12`,
    seq: 12,
  },
  "changes one byte of a hash": {
    statement: `update audit_log set hash = set_byte(hash, 3, 255 - get_byte(hash, 3)) where seq = 9`,
    seq: 9,
  },
  "deletes a record": {
    statement: `delete from audit_log where seq = 17`,
    seq: 17,
  },
  "exchanges two records": {
    statement: `update audit_log set seq = case seq when 5 then -6 else -5 end where seq in (5, 6);
        update audit_log set seq = -seq where seq < 0`,
    seq: 5,
  },
  "puts one in between": {
    statement: `update audit_log set seq = -seq - 1 where seq > 20; update audit_log set seq = -seq where seq < 0;
        insert into audit_log (seq, record, prev_hash, hash) select 21, record, hash, hash from audit_log where seq = 20`,
    seq: 21,
  },
  "cuts the end off": {
    statement: `delete from audit_log where seq > 25`,
    seq: 26,
  },
  "makes the whole chain anew": {
    statement: `
        create temp table anew as select seq, replace(record, 'act-14', 'act-99') as record from audit_log;
        delete from audit_log;
        do $$ declare each record; link bytea := '';
        begin
          for each in select * from anew order by seq loop
            insert into audit_log (seq, record, prev_hash, hash) values (each.seq, each.record, link,
              sha256(link || convert_to(each.seq || ' ' || each.record, 'UTF8'))) returning hash into link;
          end loop;
        end $$;
        drop table anew`,
    seq: 11,
    upTo: 20,
  },
};

describe("what the owner of the database does to the audit log", () => {
  const server = useServer({}, quiet);
  const makeFolder = useFolders();
  let folder = "";
  let outside: SignedCheckpoint[] = [];

  before(async () => {
    folder = await makeFolder();
    for (let i = 1; i <= 30; i += 1) {
      await write(server.edges, `act-${i}`);
      if (i % 10 === 0) await sign(server);
    }
    outside = (await readCheckpoints(server.edges, 0)).checkpoints;
    const lines = outside.map((each) => `${checkpointLine(each)}\n`);
    await writeFile(join(folder, "outside"), lines.join(""));
  });

  /** Does it, looks, and undoes it. */
  const tamper = async (
    statement: string,
    look: (edges: Edges) => Promise<void>,
  ): Promise<void> => {
    const undo = new Error("undone");
    const { sql } = server.database;
    const done = sql.begin(async (tx) => {
      await tx`set local session_replication_role = replica`;
      await tx.unsafe(statement);
      await tx`set local session_replication_role = origin`;
      await look({ ...server.edges, db: tx as unknown as Edges["db"] });
      throw undo;
    });
    await done.catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  };

  for (const [what, { statement, seq, upTo }] of Object.entries(TAMPERINGS)) {
    it(`G1: shows in an export, and where: ${what}`, () =>
      tamper(statement, async (edges) => {
        const file = join(folder, "export");
        await exportTo(edges, file);
        const key = await publicKeyOf(server.edges);
        const report = await verifyFile(file, key, outside);
        expect(report.fault).to.include({
          seq,
          ...(upTo !== undefined && { upTo }),
        });
        const { publicKey } = await edges.auditKey.current();
        const said: string[] = [];
        const code = await run(
          programOf(said, [
            ...["audit", "verify", file, "--key", publicKey],
            ...["--checkpoint", join(folder, "outside")],
          ]),
        );
        expect(code).to.equal(1);
        expect(said.join("")).to.match(
          new RegExp(`from record ${seq} |record ${seq}:`),
        );
      }));
  }

  it("is not signed, and an error of the log", async () => {
    for (const statement of [
      `update audit_log set record = replace(record, 'act-30', 'act-03') where seq = 30`,
      `delete from audit_log where seq > 28`,
      `insert into audit_log (seq, record, prev_hash, hash) select 31, record, hash, hash from audit_log where seq = 30`,
    ])
      await tamper(statement, async (edges) => {
        const errors: string[] = [];
        const error = (_: object, text: string) => void errors.push(text);
        const log = { ...edges.log, error };
        await edges.db`delete from leases`;
        await runJob({ ...edges, log }, signCheckpoints);
        const rows = await edges.db`select seq from audit_checkpoints`;
        expect(rows).to.have.length(3);
        expect(errors).to.have.length(1);
      });
  });

  it("passes where nothing was done, and says what vouches for it", async () => {
    const file = join(folder, "export");
    await exportTo(server.edges, file);
    const said: string[] = [];
    const { publicKey } = await server.edges.auditKey.current();
    const args = ["audit", "verify", file, "--key", publicKey];
    expect(await run(programOf(said, args))).to.equal(0);
    expect(said.join("")).to.include(
      "30 records hold, from 1 to 30. A checkpoint vouches for all of it.",
    );
  });
});
