import { createPublicKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect } from "chai";
import postgres from "postgres";
import { isCertificate } from "../../../src/core/destruction-certificate.ts";
import { eventIdOf } from "../../../src/core/event-id.ts";
import { mergeEvent } from "../../../src/core/event-parts.ts";
import { dueBy, type PrivacyLaw } from "../../../src/core/privacy-law.ts";
import { getRoomRules } from "../../../src/core/room-version.ts";
import { certifyErasures } from "../../../src/domain/jobs/certify-erasures.ts";
import { rotateAuditKey } from "../../../src/domain/admin/audit-rotation.ts";
import { runTask } from "../../../src/domain/admin/tasks/run-tasks.ts";
import { eraseAccounts } from "../../../src/domain/jobs/erase-accounts.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { PERSONAL_TABLES } from "../../../src/domain/privacy/personal-tables.ts";
import { indexWords } from "../../../src/domain/search/index-words.ts";
import { administrator } from "../../support/administrators.ts";
import { readAudit } from "../../support/audit.ts";
import { imageOf, listFiles, upload } from "../../support/media.ts";
import { canaryOf, seedPersonal } from "../../support/personal.ts";
import {
  act,
  makePublicRoom,
  must,
  path,
  say,
  send,
  setState,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import { doTasks } from "../../support/tasks.ts";
import type { Json, TestServer, TestUser } from "../../support/server.ts";

const N = "/_myelin/admin/v1";

interface Erasure {
  state: string;
  due_ts?: number;
  plan: {
    held: boolean;
    tables: {
      table: string;
      rows: number;
      classes: string[];
      stays_since?: string;
    }[];
    events: { contents: number };
    media: number;
    cannot: string[];
  };
}

/** Does what is due: the erasures themselves, then what destroys, each step by another one. */
async function eraseDue(server: TestServer): Promise<void> {
  await server.database
    .sql`update leases set expires_ts = '-infinity' where name = 'erase accounts'`;
  await runJob(server.edges, eraseAccounts);
  while (await runTask(server.edges, { steps: 1 }));
}

const nidOf = async ({ database: { sql } }: TestServer, roomId: string) => {
  const [row] = await sql<{ roomNid: number }[]>`
    select room_nid from rooms where room_id = ${roomId}`;
  return row!.roomNid;
};

describe("erasure of a person", () => {
  const logged: string[] = [];
  const note = (details: unknown, message?: unknown) => {
    logged.push(inspect([message, details], { depth: 8 }));
  };
  const log = { debug: note, info: note, warn: note, error: note };
  const server = useServer({ "admin.undo_window_hours": 0 }, log);
  let officer: TestUser;
  let alice: TestUser;
  let bob: TestUser;
  let roomId: string;
  let eventId: string;
  const canary = `canary${Math.random().toString(36).slice(2)}`;

  const erasureOf = async (userId: string): Promise<Erasure> =>
    must<Erasure>(await officer.get(`${N}/users/${userId}/erasure`));

  before(async () => {
    officer = await administrator(server, "officer", "privacy-officer");
    alice = await server.user("alice");
    bob = await server.user("bob");
    roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await setState(alice, roomId, "m.room.name", { name: "a room" });
    eventId = await say(alice, roomId, canary);
    await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: `* ${canary}`,
      "m.new_content": { msgtype: "m.text", body: `${canary} edited` },
      "m.relates_to": { rel_type: "m.replace", event_id: eventId },
    });
    await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: `> <${alice.userId}> ${canary}\n\n${bob.userId} ${canary}`,
      "m.mentions": { user_ids: [bob.userId] },
      "m.relates_to": { "m.in_reply_to": { event_id: eventId } },
    });
    await say(bob, roomId, "a word of bob's");
    must(
      await alice.put(path`/profile/${alice.userId}/displayname`, {
        displayname: canary,
      }),
    );
    const image = await imageOf(100, 50);
    const mediaId = await upload(alice, image, "image/png", `${canary}.png`);
    await send(alice, roomId, "m.room.message", {
      ...{ msgtype: "m.image", body: canary, url: `mxc://test/${mediaId}` },
    });
    const small = `/_matrix/client/v1/media/thumbnail/test/${mediaId}?width=32&height=32`;
    expect((await alice.get(small)).status).to.equal(200);
    const messages = {
      [alice.userId]: { [alice.deviceId]: { body: canary } },
    };
    must(await bob.put("/sendToDevice/m.x/txn", { messages }));
    const data = path`/user/${alice.userId}/account_data/m.x`;
    must(await alice.put(data, { canary }));
    for (const [user, tag] of [
      [alice, "A"],
      [bob, "B"],
    ] as const)
      await seedPersonal(server, user.userId, await nidOf(server, roomId), tag);
    await server.database.sql`delete from pending_erasures`;
    await server.database.sql`delete from erasure_certificates`;
    await server.database.sql`
      delete from role_bindings where user_id = any(${[alice.userId, bob.userId]}::text[])`;
    await runJob(server.edges, indexWords);
  });

  it("G5: is planned first, by tables and classes, with what cannot go and why, and changes nothing", async () => {
    const { state, plan } = await erasureOf(alice.userId);
    expect(state).to.equal("none");
    const of = (name: string) => plan.tables.find((t) => t.table === name)!;
    expect(of("profile_fields").rows).to.be.above(0);
    expect(of("profile_fields").classes).to.include("sealed");
    expect(of("memberships").stays_since).to.be.a("string");
    expect(plan.events.contents).to.be.above(4);
    expect(plan.media).to.equal(1);
    expect(plan.cannot.join(" ")).to.match(/settings of rooms/);
    expect(plan.cannot.join(" ")).to.match(/other servers/);
    expect(plan.cannot.join(" ")).to.match(/kicks, bans.*location/);
    must(await alice.get("/account/whoami"));
  });

  it("is asked for by privacy officers alone", async () => {
    const root = await administrator(server, "root", "system-admin");
    const target = `${N}/users/${alice.userId}/erasure`;
    for (const asker of [root, bob]) {
      expect((await asker.post(target)).status).to.equal(403);
      expect((await asker.get(target)).status).to.equal(403);
    }
  });

  it("G5: does not begin while a hold keeps the person's data", async () => {
    const { sql } = server.database;
    const [before] = await sql<{ text: string }[]>`
      select pg_get_functiondef('is_user_held(text)'::regprocedure) as text`;
    await sql`
      create or replace function is_user_held(p_user_id text) returns boolean language sql stable as
        $$ select p_user_id = '@alice:test' $$`;
    try {
      const answer = await officer.post(`${N}/users/${alice.userId}/erasure`);
      expect(answer.status).to.equal(403);
      expect(answer.body).to.include({ "org.myelin.held": true });
      expect((await erasureOf(alice.userId)).plan.held).to.equal(true);
      // A hold that comes while an erasure waits keeps it waiting.
      await sql`
        insert into pending_erasures (user_id, requested_by, requested_ts, due_ts) values (${alice.userId}, '@o:test', 1, 1)`;
      await eraseDue(server);
      const left = await sql`select from pending_erasures`;
      expect(left).to.have.length(1);
    } finally {
      await sql.unsafe(before!.text);
      await sql`delete from pending_erasures`;
    }
  });

  it("G5: stands still where a hold comes while it is under way, and goes on when that is released", async () => {
    const { sql } = server.database;
    const dave = await server.user("dave");
    await act(dave, roomId, "join");
    const said = await say(dave, roomId, "what is held");
    must(await officer.post(`${N}/users/${dave.userId}/erasure`));
    await sql`update leases set expires_ts = '-infinity' where name = 'erase accounts'`;
    await runJob(server.edges, eraseAccounts);
    // It has left its rooms, and nothing is destroyed yet.
    await runTask(server.edges, { steps: 1 });
    const kept = () => sql<{ sealed: Buffer; keys: number }[]>`
      select c.sealed, (select count(*) from keys where owner = ${dave.userId}) as keys
      from event_contents c join events e on e.nid = c.nid where e.event_id = ${said}`;
    const before = await kept();
    expect(before[0]!.keys).to.be.above(1);
    const [function_] = await sql<{ text: string }[]>`
      select pg_get_functiondef('is_user_held(text)'::regprocedure) as text`;
    await sql`
      create or replace function is_user_held(p_user_id text) returns boolean language sql stable as
        $$ select p_user_id = '@dave:test' $$`;
    try {
      await doTasks(server);
      expect(await kept()).to.deep.equal(before);
      expect((await erasureOf(dave.userId)).state).to.equal("active");
    } finally {
      await sql.unsafe(function_!.text);
    }
    await sql`update admin_jobs set not_before = 0 where state = 'scheduled'`;
    await doTasks(server);
    expect(await kept()).to.deep.equal([]);
    expect((await erasureOf(dave.userId)).state).to.equal("done");
    // The words that others said there lost their key too, and are read anew.
    await sql`update leases set expires_ts = '-infinity'`;
    await runJob(server.edges, indexWords);
  });

  it("is had too by who has ended their account themselves", async () => {
    const erin = await server.user("erin");
    const auth = {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: erin.userId },
      password: erin.password,
    };
    await act(erin, roomId, "join");
    const said = await say(erin, roomId, "what is still shown");
    must(await erin.post("/account/deactivate", { auth, erase: true }));
    // As the specification has it, who was there goes on reading it.
    const shown = path`/rooms/${roomId}/event/${said}`;
    expect((await bob.get(shown)).text).to.include("what is still shown");
    must(await officer.post(`${N}/users/${erin.userId}/erasure`));
    await eraseDue(server);
    expect((await erasureOf(erin.userId)).state).to.equal("done");
    expect((await bob.get(shown)).text).to.not.include("what is still shown");
    await server.database.sql`update leases set expires_ts = '-infinity'`;
    await runJob(server.edges, indexWords);
  });

  it("is taken back while it waits", async () => {
    const carol = await server.user("carol");
    const target = `${N}/users/${carol.userId}/erasure`;
    const { state } = must<{ state: string }>(await officer.post(target));
    expect(state).to.equal("waiting");
    must(await officer.delete(target));
    await eraseDue(server);
    expect((await erasureOf(carol.userId)).state).to.equal("none");
    expect((await officer.delete(target)).status).to.equal(404);
  });

  it("G5: leaves nothing of the person, in no table, no file and no old copy, and proves it", async () => {
    const { sql } = server.database;
    // As an old backup of the tables has them.
    const contents = await sql<
      { nid: number; firstKey: number; secondKey: number; sealed: Buffer }[]
    >`
      select c.nid, c.first_key, c.second_key, c.sealed from event_contents c join events e on e.nid = c.nid
      where e.sender = ${alice.userId} and e.state_key is null`;
    expect(contents).to.have.length(4);
    const names = await sql<{ keyId: number; sealed: Buffer }[]>`
      select key_id, sealed from profile_fields where user_id = ${alice.userId} and name = 'displayname'`;
    expect(await listFiles(server.mediaFolder)).to.have.length(2);
    const found = (text: string) =>
      bob.post("/search", {
        search_categories: { room_events: { search_term: text } },
      });
    expect((await found(canary)).text).to.include(eventId);

    must(await officer.post(`${N}/users/${alice.userId}/erasure`));
    expect((await alice.get("/account/whoami")).status).to.equal(401);
    await eraseDue(server);
    const { state } = await erasureOf(alice.userId);
    expect(state).to.equal("done");

    for (const { table, of, staysSince } of PERSONAL_TABLES) {
      if (staysSince !== undefined) continue;
      const rows = await sql`
        select from ${sql(table)} where ${sql(of)} = ${alice.userId}`;
      expect(rows, table).to.have.length(0);
      const others = await sql`
        select from ${sql(table)} where ${sql(of)} = ${bob.userId}`;
      const isKept = [
        "role_bindings",
        "binding_users",
        "pending_erasures",
      ].includes(table);
      if (!isKept) expect(others, `bob's ${table}`).to.not.have.length(0);
    }
    const left = await sql`
      select from event_contents c join events e on e.nid = c.nid
      where e.sender = ${alice.userId} and e.state_key is null
        or e.type = 'm.room.member' and e.state_key = ${alice.userId} and e.sender = ${alice.userId}`;
    expect(left).to.have.length(0);
    // It says again what was searched for.
    const after = must<{
      search_categories: { room_events: { results: Json[] } };
    }>(await found(canary));
    expect(after.search_categories.room_events.results).to.deep.equal([]);
    for (const what of [
      await bob.get(`${path`/rooms/${roomId}/messages`}?dir=b&limit=100`),
      await bob.get("/sync"),
      await bob.get("/notifications"),
      await bob.get(path`/rooms/${roomId}/event/${eventId}`),
      await bob.get(path`/rooms/${roomId}/members`),
    ])
      expect(what.text).to.not.include(canary);
    expect(await listFiles(server.mediaFolder)).to.deep.equal([]);

    // Put back from an old copy, with the key table as it is, nothing opens.
    const keys = await server.edges.keyring.findByIds(
      contents.flatMap(({ firstKey, secondKey }) => [firstKey, secondKey]),
    );
    for (const content of contents)
      expect(server.edges.keyring.open(content, eventId, keys)).to.equal(
        undefined,
      );
    const context = `profile_fields.sealed ${alice.userId} displayname`;
    const [name] = await server.edges.keyring.openAll([
      { context, ...names[0]! },
    ]);
    expect(name).to.equal(undefined);
  });

  it("G5: leaves no word in the database's own files, its log of writes too", async () => {
    const { sql } = server.database;
    const [place] = await sql<{ dataDirectory: string }[]>`
      select current_setting('data_directory') as data_directory`;
    // A checkpoint writes all that is in memory, which takes longer than a request may.
    const patient = postgres(server.database.url, { max: 1 });
    for (const table of ["events", "event_contents", "profile_fields", "keys"])
      await patient`vacuum ${patient(table)}`;
    await patient`checkpoint`;
    await patient.end();
    const folder = place!.dataDirectory;
    const [base] = await sql<{ oid: number }[]>`
      select oid::int from pg_database where datname = current_database()`;
    const files = [
      ...(await listFiles(join(folder, "base", String(base!.oid)))),
      ...(await listFiles(join(folder, "pg_wal"))),
    ];
    expect(files).to.have.length.above(10);
    for (const file of files) {
      const bytes = await readFile(file).catch(() => Buffer.alloc(0));
      expect(bytes.includes(canary), file).to.equal(false);
      expect(bytes.includes(canaryOf(alice.userId, "devices")), file).to.equal(
        false,
      );
    }
  }).timeout(120_000);

  it("G5: leaves no word in what the process logs", () => {
    expect(logged).to.have.length.above(20);
    expect(logged.filter((line) => line.includes(canary))).to.deep.equal([]);
  });

  it("keeps the rooms' graph whole: each event is the one that its id says", async () => {
    const rows = await server.database.sql<
      { eventId: string; skeleton: string; version: string }[]
    >`
      select e.event_id, e.skeleton, r.room_version as version
      from events e join rooms r on r.room_nid = e.room_nid where r.room_id = ${roomId}`;
    expect(rows).to.have.length.above(10);
    for (const { eventId: id, skeleton, version } of rows)
      expect(
        eventIdOf(getRoomRules(version), mergeEvent(skeleton, null)),
      ).to.equal(id);
    await say(bob, roomId, "and it goes on");
  });

  it("G5: is certified by what verifies with the audit log's key alone, and says what is not ours", async () => {
    const answer = must<{ certificate: string; signature: string }>(
      await officer.get(`${N}/users/${alice.userId}/erasure/certificate`),
    );
    const { certificate, signature } = answer;
    const { publicKey } = await server.edges.auditKey.current();
    const x = Buffer.from(publicKey, "base64");
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: x.toString("base64url") },
      format: "jwk",
    });
    expect(isCertificate(certificate, signature, key)).to.equal(true);
    const changed = certificate.replace("alice", "alicf");
    expect(isCertificate(changed, signature, key)).to.equal(false);
    const said = JSON.parse(certificate) as {
      user_id: string;
      limits: string[];
      destroyed: Record<string, number>;
    };
    expect(said.user_id).to.equal(alice.userId);
    expect(said.destroyed["keys"]).to.be.above(1);
    expect(said.destroyed["event contents"]).to.be.above(4);
    expect(said.destroyed["media"]).to.equal(1);
    expect(said.limits.join(" ")).to.match(/other servers.*devices/);
    expect(said.limits.join(" ")).to.match(/key_backup_days/);
  });

  it("G5: is said to be unreadable in old copies only when the master key of then is gone", async () => {
    const { sql } = server.database;
    interface Signed {
      certificate: string;
      signature: string;
      key_id: string;
    }
    const read = async () =>
      must<Signed & { unreadable_ts: number | null; signed_first?: Signed }>(
        await officer.get(`${N}/users/${alice.userId}/erasure/certificate`),
      );
    const run = async () => {
      await sql`update leases set expires_ts = '-infinity' where name = 'certify erasures'`;
      await runJob(server.edges, certifyErasures);
    };
    await sql`update erasure_certificates set gone_ts = 1`;
    await run();
    const first = await read();
    expect(first.unreadable_ts).to.equal(null);
    await rotateAuditKey(server.edges, "command line");
    // As when every living key was wrapped anew, and the old master key forgotten.
    await sql`update erasure_certificates set master_epoch = 0`;
    await run();
    const { certificate, unreadable_ts, key_id, signed_first } = await read();
    expect(unreadable_ts).to.be.a("number");
    expect(JSON.parse(certificate)).to.include({ key_id, unreadable_ts });
    // Each signature names its key, also where one was replaced in between.
    const { keyId } = await server.edges.auditKey.current();
    expect(key_id).to.equal(keyId).and.not.equal(first.key_id);
    expect(signed_first).to.deep.equal({
      ...{ certificate: first.certificate, signature: first.signature },
      key_id: first.key_id,
    });
  });

  it("G5: is never said to be so where a part of it was not sealed, and says which", async () => {
    const { sql } = server.database;
    const frank = await server.user("frank");
    await upload(frank, await imageOf(10, 10), "image/png");
    const reported = path`/rooms/${roomId}/report`;
    must(await frank.post(reported, { reason: "why" }));
    // As what came while sealing was off.
    await sql`update media set key_id = 0 where user_id = ${frank.userId}`;
    await sql`update reports set key_id = 0 where reporter = ${frank.userId}`;
    must(await officer.post(`${N}/users/${frank.userId}/erasure`));
    await eraseDue(server);
    await sql`update erasure_certificates set gone_ts = 1, master_epoch = 0`;
    await sql`update leases set expires_ts = '-infinity' where name = 'certify erasures'`;
    await runJob(server.edges, certifyErasures);
    const answer = must<{ certificate: string; unreadable_ts: number | null }>(
      await officer.get(`${N}/users/${frank.userId}/erasure/certificate`),
    );
    const said = JSON.parse(answer.certificate) as {
      destroyed: Record<string, number>;
    };
    expect(said.destroyed).to.include({
      "media that were not sealed": 1,
      "reports that were not sealed": 1,
    });
    expect(answer.unreadable_ts).to.equal(null);
  });

  it("takes nobody's name back, and cannot be stopped half-way", async () => {
    const [job] = must<{ jobs: { job_id: string }[] }>(
      await officer.get(`${N}/jobs?kind=erase-user`),
    ).jobs;
    const root = await administrator(server, "root2", "system-admin");
    const { sql } = server.database;
    await sql`update admin_jobs set state = 'active' where job_id = ${job!.job_id}`;
    expect((await root.delete(`${N}/jobs/${job!.job_id}`)).status).to.equal(
      403,
    );
    const records = await readAudit(server);
    const erased = records.filter(
      ({ resource }) => resource["erased"] === true,
    );
    expect(erased).to.not.have.length(0);
  });
});

describe("requests of persons about their data", () => {
  const server = useServer();
  let officer: TestUser;
  let alice: TestUser;
  let bob: TestUser;
  const OWN = "/_myelin/client/v1/privacy/requests";
  const DSR = `${N}/dsr`;

  before(async () => {
    officer = await administrator(server, "officer", "privacy-officer");
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const list = async (query: string) =>
    must<{ requests: Json[]; total: number }>(
      await officer.get(`${DSR}?${query}`),
    ).requests;

  it("G10: are due in 30 days, and tell when that is over", async () => {
    const asked = must(
      await alice.post(OWN, { kind: "access", message: "all of it" }),
    );
    expect(asked).to.include({
      ...{ kind: "access", state: "open", overdue: false },
      message: "all of it",
    });
    const month = 30 * 24 * 3_600_000;
    expect(Number(asked["due_ts"]) - Number(asked["created_ts"])).to.equal(
      month,
    );
    expect(await list("overdue=true")).to.deep.equal([]);
    await server.database.sql`update privacy_requests set due_ts = 1`;
    const [late] = await list("overdue=true");
    expect(late).to.include({ user_id: alice.userId, overdue: true });
  });

  it("G10: are due by the law that they come by, and are extended once, before that, with a reason", async () => {
    const cy = await server.user("cy");
    const ask = (more: Json) =>
      officer.post(DSR, { user_id: cy.userId, kind: "access", ...more });
    const due = ({ created_ts: from, due_ts: to }: Json, law: PrivacyLaw) => {
      const isExtended = Math.abs(dueBy(law, Number(from), true) - Number(to));
      const isFirst = Math.abs(dueBy(law, Number(from)) - Number(to));
      return isFirst < 60_000 ? "first" : isExtended < 60_000 ? "extended" : to;
    };
    for (const law of ["gdpr", "ccpa"] as const) {
      const asked = must<Json>(await ask({ law }));
      expect(asked).to.include({ law });
      expect(due(asked, law)).to.equal("first");
      const at = `${DSR}/${String(asked["request_id"])}`;
      const later = { due_ts: Number(asked["due_ts"]) + 3_600_000 };
      expect((await officer.put(at, later)).body["errcode"]).to.equal(
        "M_INVALID_PARAM",
      );
      const reason = "There is much of it.";
      const tries = await Promise.all(
        [1, 2, 3].map(() => officer.put(at, { extension: reason })),
      );
      expect(tries.filter(({ status }) => status === 200)).to.have.length(1);
      const now = must<Json>(await officer.get(at));
      expect(due(now, law)).to.equal("extended");
      const again = await officer.put(at, { extension: "and more" });
      expect(again.body["errcode"]).to.equal("M_BAD_STATE");
      const { requests } = must<{ requests: Json[] }>(await cy.get(OWN));
      const own = requests.find((each) => each["law"] === law);
      expect((own!["extension"] as Json)["reason"]).to.equal(reason);
      const [row] = await server.database.sql<{ text: string }[]>`
        select q::text as text from privacy_requests q where request_id = ${asked["request_id"] as string}`;
      expect(row!.text).to.not.include(reason);
    }
    for (const law of ["none", "pipl"]) {
      const { request_id: id } = must<Json>(await ask({ law }));
      const at = `${DSR}/${String(id)}`;
      const refused = await officer.put(at, { extension: "r" });
      expect(refused.body["errcode"]).to.equal("M_BAD_STATE");
    }
    const { request_id: id } = must<Json>(await ask({ law: "gdpr" }));
    await server.database
      .sql`update privacy_requests set due_ts = 1 where request_id = ${id as string}`;
    const late = await officer.put(`${DSR}/${String(id)}`, { extension: "r" });
    expect(late.body["errcode"]).to.equal("M_BAD_STATE");
    const long = await ask({ law: "ccpa", due_days: 46 });
    expect(long.body["errcode"]).to.equal("M_INVALID_PARAM");
  });

  it("are each person's own, and sealed", async () => {
    const { requests } = must<{ requests: Json[] }>(await bob.get(OWN));
    expect(requests).to.deep.equal([]);
    const [own] = must<{ requests: Json[] }>(await alice.get(OWN)).requests;
    const target = `${OWN}/${String(own!["request_id"])}`;
    expect((await bob.delete(target)).status).to.equal(404);
    const rows = await server.database.sql<{ text: string }[]>`
      select q::text as text from privacy_requests q`;
    const hex = Buffer.from("all of it").toString("hex");
    expect(rows[0]!.text).to.not.include(hex);
  });

  it("are done only when it was seen who asks, and hold notes that the person does not see", async () => {
    const made = must(
      await officer.post(DSR, {
        ...{ user_id: bob.userId, kind: "rectify", message: "by letter" },
        due_days: 10,
      }),
    );
    const target = `${DSR}/${String(made["request_id"])}`;
    const early = await officer.put(target, { state: "done" });
    expect(early.status).to.equal(403);
    const done = must(
      await officer.put(target, {
        ...{ state: "done", note: "name corrected" },
        identity_check: "passport shown",
      }),
    );
    expect(done).to.include({
      ...{ state: "done", identity_checked_by: officer.userId },
      ...{ identity_check: "passport shown", overdue: false },
    });
    const own = await bob.get(OWN);
    expect(own.text).to.not.include("name corrected");
    expect(own.text).to.include("by letter");
    const { sql } = server.database;
    await sql`update users set is_shadow_banned = true where user_id = ${bob.userId}`;
    const exported = await bob.post("/_myelin/client/v1/privacy/export");
    await sql`update users set is_shadow_banned = false where user_id = ${bob.userId}`;
    expect(exported.status).to.equal(200);
    expect(exported.text).to.include("by letter");
    for (const hidden of [
      ...["name corrected", "passport shown", officer.userId],
      "shadow",
    ])
      expect(exported.text).to.not.include(hidden);
    const action = `${N}/users/${bob.userId}/rectification`;
    must(
      await officer.put(action, {
        displayname: "Bob Right",
        threepids: [{ medium: "email", address: "bob@example.org" }],
      }),
    );
    const profile = must(await bob.get(path`/profile/${bob.userId}`));
    expect(profile).to.include({ displayname: "Bob Right" });
    const records = await readAudit(server);
    const acts = records.filter(({ action: name }) =>
      String(name).startsWith("privacy."),
    );
    expect(acts.map(({ action: name }) => name)).to.include.members([
      ...["privacy.own_request", "privacy.rectify", "privacy.read"],
    ]);
  });

  it("G10: to erase can be closed when it was carried out, and no note is kept of who is gone", async () => {
    const { sql } = server.database;
    const erin = await server.user("erin");
    const asked = must(await erin.post(OWN, { kind: "erase", message: "all" }));
    must(await officer.post(`${N}/users/${erin.userId}/erasure`));
    await sql`update pending_erasures set due_ts = 1`;
    await eraseDue(server);
    const keys = () => sql`select from keys where owner = ${erin.userId}`;
    expect(await keys()).to.have.length(0);
    const target = `${DSR}/${String(asked["request_id"])}`;
    const noted = await officer.put(target, { state: "done", note: "gone" });
    expect(noted.status).to.equal(403);
    const done = must(await officer.put(target, { state: "done" }));
    expect(done).to.include({ state: "done", overdue: false });
    expect(done["closed_ts"]).to.be.a("number");
    expect(await keys()).to.have.length(0);
    expect(await list("kind=erase&state=open")).to.deep.equal([]);
  });

  it("G10: to correct is carried out in one commit, with its record", async () => {
    const { sql } = server.database;
    const gwen = await server.user("gwen");
    must(
      await gwen.put(path`/profile/${gwen.userId}/avatar_url`, {
        avatar_url: "mxc://test/old",
      }),
    );
    const batches = async () => {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from batches`;
      return row!.count;
    };
    const before = await batches();
    must(
      await officer.put(`${N}/users/${gwen.userId}/rectification`, {
        ...{ displayname: "Gwen Right", avatar_url: null },
        threepids: [{ medium: "email", address: "gwen@example.org" }],
      }),
    );
    expect(await batches()).to.equal(before + 1);
    const profile = must(await gwen.get(path`/profile/${gwen.userId}`));
    expect(profile).to.deep.equal({ displayname: "Gwen Right" });
    const { threepids } = must<{ threepids: Json[] }>(
      await gwen.get("/account/3pid"),
    );
    expect(threepids).to.have.length(1);
    const wrong = await officer.put(`${N}/users/${gwen.userId}/rectification`, {
      ...{ displayname: "x".repeat(1000) },
      threepids: [],
    });
    expect(wrong.status).to.equal(400);
    expect(must(await gwen.get("/account/3pid"))["threepids"]).to.have.length(
      1,
    );
  });

  it("are withdrawn by who made them, and ten of them wait at the most", async () => {
    for (let i = 0; i < 10; i += 1)
      must(await bob.post(OWN, { kind: "erase" }));
    const more = await bob.post(OWN, { kind: "erase" });
    expect(more.body).to.include({ errcode: "M_LIMIT_EXCEEDED" });
    const [first] = must<{ requests: Json[] }>(
      await bob.get(OWN),
    ).requests.filter(({ state }) => state === "open");
    const withdrawn = must(
      await bob.delete(`${OWN}/${String(first!["request_id"])}`),
    );
    expect(withdrawn).to.include({ state: "withdrawn" });
    must(await bob.post(OWN, { kind: "erase" }));
  });
});
