import { expect } from "chai";
import { prepareDatabase } from "../../src/cli/prepare-database.ts";
import { StartError } from "../../src/cli/start-error.ts";
import { loadConfig } from "../../src/config/load.ts";
import { runJob, type Job } from "../../src/domain/jobs/job.ts";
import { clearMedia } from "../../src/domain/jobs/clear-media.ts";
import { eraseAccounts } from "../../src/domain/jobs/erase-accounts.ts";
import { forgetTransactions } from "../../src/domain/jobs/forget-transactions.ts";
import { keepRetention } from "../../src/domain/jobs/keep-retention.ts";
import { pruneAudit } from "../../src/domain/jobs/prune-audit.ts";
import { signCheckpoints } from "../../src/domain/jobs/sign-checkpoints.ts";
import { watchAudit } from "../../src/domain/jobs/watch-audit.ts";
import { indexWords } from "../../src/domain/search/index-words.ts";
import { rotateAuditKey } from "../../src/domain/admin/audit-rotation.ts";
import type { Edges } from "../../src/edges.ts";
import type { Sql } from "../../src/storage/database.ts";
import { findRole } from "../../src/storage/database-roles.ts";
import { UnfitDatabaseError } from "../../src/storage/unfit-database.ts";
import { auditHead } from "../support/audit.ts";
import { quiet, useDatabase, type TestDatabase } from "../support/database.ts";
import { useServer } from "../support/server.ts";

const ROLE = "spec_serving";
const configOf = (settings: Readonly<Record<string, string>>) =>
  loadConfig({
    overrides: new Map(Object.entries({ server_name: "test", ...settings })),
  });
const urlAs = (url: string, role: string): string => {
  const changed = new URL(url);
  changed.username = role;
  changed.password = role;
  return changed.href;
};

describe("a server whose role of the database owns nothing", () => {
  const pools: Sql[] = [];
  const open = async (database: TestDatabase): Promise<Sql> => {
    const { sql } = database;
    await sql.unsafe(
      `drop role if exists ${ROLE}; create role ${ROLE} login password '${ROLE}'`,
    );
    const url = urlAs(database.url, ROLE);
    const config = configOf({
      "database.url": url,
      "database.owner_url": database.url,
    });
    const pool = await prepareDatabase(config, url, quiet);
    pools.push(pool);
    return pool;
  };
  // While its database is there.
  after("drop the role", async () => {
    await server.database.sql.unsafe(
      `drop owned by ${ROLE}; drop role ${ROLE}`,
    );
  });
  const server = useServer({}, quiet, { open });
  after("close its pools", async () => {
    await Promise.all(pools.map((pool) => pool.end({ timeout: 1 })));
  });

  const refusalOf = (attempt: PromiseLike<unknown>): Promise<unknown> =>
    Promise.resolve(attempt).then(
      () => undefined,
      (error: { code?: string }) => error.code,
    );

  it("G1: serves: accounts, rooms, messages, files, and acts of administrators", async () => {
    const { db } = server.edges;
    expect(await findRole(db)).to.equal(ROLE);
    const admin = await server.user("admin", { isAdmin: true });
    const alice = await server.user("alice");
    const login = await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "alice" },
      password: alice.password,
    });
    expect(login.status).to.equal(200);
    const room = await alice.post("/createRoom", {
      invite: [admin.userId],
      name: "a room",
    });
    expect(room.status, room.text).to.equal(200);
    const roomId = String(room.body["room_id"]);
    expect((await admin.post(`/join/${roomId}`, {})).status).to.equal(200);
    const sent = await alice.put(`/rooms/${roomId}/send/m.room.message/t1`, {
      ...{ msgtype: "m.text", body: "hello" },
    });
    expect(sent.status).to.equal(200);
    const path = `/rooms/${roomId}/redact/${String(sent.body["event_id"])}/t2`;
    expect((await alice.put(path, {})).status).to.equal(200);
    expect(
      (
        await alice.put(`/rooms/${roomId}/typing/${alice.userId}`, {
          typing: true,
          timeout: 1000,
        })
      ).status,
    ).to.equal(200);
    expect((await admin.get("/sync")).status).to.equal(200);
    const before = await auditHead(server);
    const locked = await admin.put(`/_synapse/admin/v2/users/${alice.userId}`, {
      displayname: "Alice B.",
    });
    expect(locked.status, locked.text).to.equal(200);
    const token = await admin.post(
      "/_synapse/admin/v1/registration_tokens/new",
      {},
    );
    expect(token.status, token.text).to.equal(200);
    expect(await auditHead(server)).to.equal(before + 2);
    expect((await alice.post("/logout")).status).to.equal(200);
  });

  it("G1: does its jobs, signs the log and has its key replaced", async () => {
    const { edges } = server;
    const jobs: Job<Edges>[] = [
      ...[signCheckpoints, watchAudit, keepRetention, forgetTransactions],
      ...[clearMedia, eraseAccounts, indexWords, pruneAudit],
    ];
    for (const job of jobs) {
      await edges.db`delete from leases`;
      await runJob(edges, job);
    }
    await rotateAuditKey(edges, "command line");
    expect((await edges.auditKey.current()).epoch).to.equal(2);
    const rows = await edges.db`select from audit_checkpoints`;
    expect(rows.length).to.equal(1);
  });

  it("G1: changes, cuts or empties nothing of the audit log, and takes no guard away", async () => {
    const { db } = server.edges;
    for (const statement of [
      "update audit_log set record = '{}' where seq = 1",
      "delete from audit_log where seq = 1",
      "truncate audit_log",
      "update audit_checkpoints set ts = 1",
      "delete from audit_checkpoints",
      "truncate audit_checkpoints",
      "insert into audit_prunings (seq, hash, signed_ts, record_seq) values (1, '', 0, 1)",
      "insert into audit_keys values (9, 'k', 'p', 1, 's', 's')",
      "update audit_keys set public_key = 'x'",
      "delete from audit_keys",
      "select from audit_log for update",
      "alter table audit_log disable trigger all",
      "drop trigger audit_log_stays on audit_log",
      "drop table audit_log",
      "create or replace function refuse_change() returns trigger language sql as 'select null'",
      "create table elsewhere (x int)",
      "set session_replication_role = replica",
      "delete from schema_migrations",
    ])
      expect(await refusalOf(db.unsafe(statement)), statement).to.equal(
        "42501",
      );
    await runInTransaction(db, async (tx) => {
      // What stands before the log in the eyes of a session is none of the guards' business.
      await tx.unsafe(
        `create temp table audit_prunings (seq bigint, hash bytea, signed_ts bigint, record_seq bigint);
        insert into audit_prunings values (99, '', 0, 0);
        create temp table holds (hold_id text, from_ts bigint, released_ts bigint)`,
      );
      const [row] = await tx<{ gone: number }[]>`
        select prune_audit_log(10) as gone`;
      expect(row!.gone).to.equal(0);
    });
  });

  it("says who has to bring the tables up to date where it may not", async () => {
    const { sql } = server.database;
    await sql`
      create table kept_migrations as select * from schema_migrations order by version desc limit 1`;
    await sql`delete from schema_migrations where version = (select version from kept_migrations)`;
    const url = urlAs(server.database.url, ROLE);
    const error: unknown = await prepareDatabase(
      configOf({ "database.url": url }),
      url,
      quiet,
    ).catch((caught: unknown) => caught);
    await sql`insert into schema_migrations select * from kept_migrations`;
    await sql`drop table kept_migrations`;
    expect(error).to.be.instanceOf(StartError);
    expect(String(error)).to.include(`grant --role ${ROLE}`);
  });
});

const runInTransaction = async (
  db: Sql,
  work: (tx: Sql) => Promise<void>,
): Promise<void> => {
  const undo = new Error("undone");
  const done = db.begin(async (tx) => {
    await work(tx as unknown as Sql);
    throw undo;
  });
  await done.catch((error: unknown) => {
    if (error !== undo) throw error;
  });
};

describe("a role that owns the tables", () => {
  const database = useDatabase();

  it("is not taken for one that only serves", async () => {
    const config = configOf({
      "database.url": database.url,
      "database.owner_url": database.url,
    });
    const error: unknown = await prepareDatabase(
      config,
      database.url,
      quiet,
    ).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(UnfitDatabaseError);
    expect(String(error)).to.include("database.url");
  });
});
