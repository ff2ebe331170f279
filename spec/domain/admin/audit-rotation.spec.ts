import { createPublicKey, generateKeyPairSync } from "node:crypto";
import {
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { expect } from "chai";
import { verifyFile } from "../../../src/cli/audit-verify.ts";
import { run } from "../../../src/cli/run.ts";
import { signCheckpoint } from "../../../src/core/audit-chain.ts";
import { ROTATION, signStatement } from "../../../src/core/audit-statements.ts";
import { canonicalJson } from "../../../src/core/canonical-json.ts";
import {
  listPublicKeys,
  rotateAuditKey,
} from "../../../src/domain/admin/audit-rotation.ts";
import { auditRecord } from "../../../src/domain/admin/audit-record.ts";
import { readCheckpoints } from "../../../src/domain/admin/read-audit.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { signCheckpoints } from "../../../src/domain/jobs/sign-checkpoints.ts";
import type { Edges } from "../../../src/edges.ts";
import { createAuditKeys } from "../../../src/storage/audit-key-source.ts";
import { findAuditHead } from "../../../src/storage/audit-log.ts";
import { Secret } from "../../../src/util/secret.ts";
import { loadSecrets } from "../../../src/storage/secrets.ts";
import { SecretsError } from "../../../src/storage/secrets-error.ts";
import { testProgram } from "../../cli/program.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { exportTo, publicKeyOf } from "../../support/audit-export.ts";
import { quiet } from "../../support/database.ts";
import { useServer } from "../../support/server.ts";
import { useFolders } from "../../support/use-folder.ts";

describe("the key of the audit log", () => {
  const server = useServer({}, quiet);
  const makeFolder = useFolders();
  let folder = "";
  let keysDir = "";

  before(async () => {
    folder = await makeFolder();
    keysDir = dirname(server.mediaFolder);
    await symlink(keysDir, join(folder, "keys"));
  });

  const write = ({ committer, now }: Edges, target = "act") =>
    committer.commit({
      positions: 0,
      audit: [
        auditRecord(
          { act: "users.lock", actor: "command line", target },
          now(),
        ),
      ],
    });
  const sign = async (edges: Edges) => {
    await edges.db`delete from leases`;
    await runJob(edges, signCheckpoints);
  };
  const lastKeyId = async () => {
    const { checkpoints } = await readCheckpoints(server.edges, 0);
    return checkpoints.at(-1)!.checkpoint.keyId;
  };
  const myelin = async (...args: string[]) => {
    const said: string[] = [];
    const output = new Writable({
      write(chunk: Buffer, _, done) {
        said.push(chunk.toString());
        done();
      },
    });
    const environment = {
      MYELIN_SERVER_NAME: "test",
      MYELIN_DATABASE_URL: server.database.url,
    };
    const code = await run(
      testProgram({
        ...{ arguments: args, folder, environment },
        ...{ stdout: output, stderr: output },
      }),
    );
    return { code, said: said.join("") };
  };

  it("G1: is replaced by a command, in all processes at once, and the old one signs that", async () => {
    const other = await server.startProcess();
    const old = await server.edges.auditKey.current();
    const trusted = await publicKeyOf(server.edges);
    await write(server.edges);
    await sign(server.edges);
    await exportTo(server.edges, join(folder, "before"));
    const { code, said } = await myelin(
      ...["audit", "rotate-key", "--data", ".", "--destroy"],
    );
    expect(code, said).to.equal(0);
    const key = await other.edges.auditKey.current();
    expect(key.epoch).to.equal(2);
    expect(key.publicKey).to.not.equal(old.publicKey);
    expect(said).to.include(key.publicKey).and.include(key.keyId);
    expect(await server.edges.auditKey.current()).to.deep.include({
      publicKey: key.publicKey,
    });
    expect(await readdir(keysDir))
      .to.include("audit-2")
      .and.not.include("audit");
    const record = (await readAudit(server)).at(-1)!;
    expect(record["action"]).to.equal(ROTATION);
    expect(record.actor["type"]).to.equal("command line");
    await sign(other.edges);
    expect(await lastKeyId()).to.equal(key.keyId);
    await write(server.edges);
    await sign(server.edges);

    const file = join(folder, "export");
    await exportTo(server.edges, file);
    const head = await auditHead(server);
    for (const each of [trusted, await publicKeyOf(server.edges)])
      expect(await verifyFile(file, each, [])).to.deep.equal({
        ...{ first: 1, last: head, links: head, vouchedTo: head },
      });
    // Whoever starts now has no need of the old one.
    const third = await server.startProcess();
    expect((await third.edges.auditKey.current()).epoch).to.equal(2);
    const all = await listPublicKeys(server.edges);
    expect(all.map(({ publicKey }) => publicKey)).to.deep.equal([
      old.publicKey,
      key.publicKey,
    ]);
    const told = await myelin("audit", "key", "--all", "--data", ".");
    expect(told.said).to.equal(
      `${old.keyId} ${old.publicKey}\n${key.keyId} ${key.publicKey}\n`,
    );
  });

  it("G1: is not known to what was taken away before it came: that verifies with the one of its time", async () => {
    const { said } = await myelin("audit", "key", "--all", "--data", ".");
    await writeFile(join(folder, "audit.keys"), said);
    const verify = (key: string) =>
      myelin("audit", "verify", "before", "--key", key);
    const all = await verify("audit.keys");
    expect(all.code, all.said).to.equal(0);
    expect(all.said).to.include("vouches for all of it");
    const { publicKey } = await server.edges.auditKey.current();
    const late = await verify(publicKey);
    expect(late.code).to.equal(1);
    expect(late.said).to.include("is not signed by this key");
    // A server that is started from there needs more: the old private key, which is destroyed.
    await tamper(async (db) => {
      await db`alter table audit_keys disable trigger all`;
      await db`delete from audit_keys`;
      const source = { keysDir, given: new Map() };
      const refusal: unknown = await loadSecrets(source, db).catch(
        (caught: unknown) => caught,
      );
      expect(refusal).to.be.instanceOf(SecretsError);
      expect(String(refusal)).to.include('The secret "audit" is missing here');
    });
  });

  it("G1: is known in an export that begins after it was replaced", async () => {
    const [{ publicKey } = { publicKey: "" }] = await listPublicKeys(
      server.edges,
    );
    const head = await auditHead(server);
    const { code, said } = await myelin(
      ...["audit", "export", "--data", ".", "--from-seq", String(head)],
    );
    expect(code).to.equal(0);
    await writeFile(join(folder, "part"), said);
    const verify = ["audit", "verify", "part", "--key", publicKey];
    const part = await myelin(...verify, "--from-seq", String(head));
    expect(part.code, part.said).to.equal(0);
    const whole = await myelin(...verify);
    expect(whole.code).to.equal(1);
    expect(whole.said).to.include("no record says that it was pruned");
  });

  it("is replaced once where two do so at once, and by no key that signed before", async () => {
    const other = await server.startProcess();
    const before = (await server.edges.auditKey.current()).epoch;
    const outcomes = await Promise.all(
      [server, other, server].map(({ edges }) =>
        rotateAuditKey(edges, "command line"),
      ),
    );
    // Who came after the first one's commit replaced that one's key in turn.
    const done = outcomes.filter((outcome) => outcome !== undefined);
    const { epoch } = await other.edges.auditKey.current();
    expect(epoch).to.equal(before + done.length);
    const records = await readAudit(server);
    expect(records.filter(({ action }) => action === ROTATION).length).to.equal(
      epoch - 1,
    );
    const name = `audit-${epoch}`;
    await writeFile(
      join(keysDir, `audit-${epoch + 1}`),
      await readFile(join(keysDir, name)),
      { mode: 0o600 },
    );
    const again = await myelin("audit", "rotate-key", "--data", ".");
    expect(again.code).to.equal(1);
    expect(again.said).to.include("signed the audit log before");
    await rm(join(keysDir, `audit-${epoch + 1}`));
  });

  it("is replaced by nobody who took another one for the last", async () => {
    const stale = await server.edges.auditKey.current();
    await rotateAuditKey(server.edges, "command line");
    const { auditKey } = server.edges;
    const late = {
      ...server.edges,
      auditKey: { ...auditKey, current: async () => stale },
    };
    expect(await rotateAuditKey(late, "command line")).to.equal(undefined);
    const now = await auditKey.current();
    const skipped = {
      ...late,
      auditKey: {
        ...late.auditKey,
        next: () => auditKey.next(now),
      },
    };
    const error: unknown = await rotateAuditKey(skipped, "command line").catch(
      (caught: unknown) => caught,
    );
    expect(error).to.include({ code: "23505" });
    await rm(join(keysDir, `audit-${now.epoch + 1}`));
    expect((await auditKey.current()).keyId).to.equal(now.keyId);
  });

  it("lies in the folder of each machine, and what a loser made is gone", async () => {
    const elsewhere = await makeFolder();
    for (const name of await readdir(keysDir))
      if (name.startsWith("audit-"))
        await writeFile(
          join(elsewhere, name),
          await readFile(join(keysDir, name)),
          { mode: 0o600 },
        );
    const source = { keysDir: elsewhere, given: new Map() };
    const auditKey = createAuditKeys(source, server.database.sql);
    const next = await auditKey.next(await auditKey.current());
    const rotation = await rotateAuditKey(server.edges, "command line");
    expect(rotation!.after.epoch).to.equal(next.epoch);
    expect(await next.settle()).to.equal(true);
    const name = `audit-${next.epoch}`;
    expect(await readdir(elsewhere)).to.not.include(name);
    const refusal: unknown = await auditKey.current().catch((e: unknown) => e);
    expect(refusal).to.be.instanceOf(SecretsError);
    expect(String(refusal)).to.include(name);
    const text = await readFile(join(keysDir, name), "utf8");
    await writeFile(join(elsewhere, name), text, { mode: 0o600 });
    expect((await auditKey.current()).keyId).to.equal(rotation!.after.keyId);
    // By the environment, as machines without a folder have it.
    await rename(join(elsewhere, name), join(elsewhere, "gone"));
    const given = new Map([
      ["audit", new Secret(`${next.epoch}:${text.trim()}`)],
    ]);
    const told = createAuditKeys(
      { keysDir: elsewhere, given },
      server.database.sql,
    );
    expect((await told.current()).keyId).to.equal(rotation!.after.keyId);
  });

  /** Does it as the owner of the database, looks, and undoes it. */
  const tamper = async (
    work: (db: Edges["db"]) => Promise<void>,
  ): Promise<void> => {
    const undo = new Error("undone");
    const done = server.database.sql.begin(async (tx) => {
      await work(tx as unknown as Edges["db"]);
      throw undo;
    });
    await done.catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  };
  const append = async (db: Edges["db"], record: string): Promise<number> => {
    const head = (await findAuditHead(db))!;
    await db`
      insert into audit_log (seq, record, prev_hash, hash) values (${head.seq + 1}, ${record}, ${head.hash},
        sha256(${head.hash}::bytea || convert_to(${`${head.seq + 1} ${record}`}, 'UTF8')))`;
    return head.seq + 1;
  };

  it("G1: is named by no record that the owner of the database wrote", () =>
    tamper(async (db) => {
      const evil = generateKeyPairSync("ed25519");
      const x = evil.publicKey.export({ format: "jwk" }).x!;
      const raw = Buffer.from(x, "base64url").toString("base64");
      const current = await server.edges.auditKey.current();
      const signed = signStatement(
        ROTATION,
        {
          ...{ server: "test", epoch: current.epoch + 1, ts: 1 },
          ...{ old_key_id: current.keyId, key_id: "ed25519:a_evil" },
          old_public_key: current.publicKey,
          public_key: raw.replace("=", ""),
        },
        evil.privateKey,
      );
      const seq = await append(
        db,
        canonicalJson({
          ...{ v: 1, ts: 1, action: ROTATION, result: "allowed" },
          after: { ...signed },
        }),
      );
      const { hash } = (await findAuditHead(db))!;
      const { signature } = signCheckpoint(
        {
          ...{ server: "test", seq, ts: 1, keyId: "ed25519:a_evil" },
          hash: Buffer.from(hash).toString("hex"),
        },
        evil.privateKey,
      );
      await db`insert into audit_checkpoints (seq, hash, ts, key_id, signature)
        values (${seq}, ${hash}, 1, 'ed25519:a_evil', ${Buffer.from(signature, "base64")})`;
      const edges = { ...server.edges, db };
      const file = join(folder, "forged");
      await exportTo(edges, file);
      const report = await verifyFile(
        file,
        createPublicKey(current.privateKey),
        [],
      );
      expect(report.fault).to.include({ seq });
      expect(report.fault!.why).to.include("did not sign");
      // Nobody here holds it.
      const source = { keysDir, given: new Map() };
      const auditKey = createAuditKeys(source, db);
      const error: unknown = await auditKey.current().catch((e: unknown) => e);
      expect(error).to.be.instanceOf(SecretsError);
    }));

  it("G1: signs nothing any more once it was replaced", async () => {
    const old = await server.edges.auditKey.current();
    await write(server.edges);
    await sign(server.edges);
    const trusted = await publicKeyOf(server.edges);
    await rotateAuditKey(server.edges, "command line");
    await write(server.edges, "after");
    await tamper(async (db) => {
      const { seq, hash } = (await findAuditHead(db))!;
      const signed = signCheckpoint(
        {
          ...{ server: "test", seq, ts: 1, keyId: old.keyId },
          hash: Buffer.from(hash).toString("hex"),
        },
        old.privateKey,
      );
      await db`insert into audit_checkpoints (seq, hash, ts, key_id, signature)
        values (${seq}, ${hash}, 1, ${old.keyId}, ${Buffer.from(signed.signature, "base64")})`;
      const file = join(folder, "stale");
      await exportTo({ ...server.edges, db }, file);
      const report = await verifyFile(file, trusted, []);
      expect(report.fault).to.include({ seq });
      expect(report.fault!.why).to.include("had been replaced");
      const outside = await verifyFile(file, trusted, [signed]);
      expect(outside.fault).to.include({ seq });
    });
  });

  it("stays written down: which ones there were is not changed", async () => {
    const { sql } = server.database;
    for (const attempt of [
      sql`update audit_keys set public_key = 'x'`,
      sql`delete from audit_keys`,
      sql`truncate audit_keys`,
    ]) {
      const error: unknown = await attempt.catch((e: unknown) => e);
      expect(String(error)).to.include("only added to");
    }
  });
});
