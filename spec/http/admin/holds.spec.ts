import { expect } from "chai";
import postgres from "postgres";
import { eraseAccounts } from "../../../src/domain/jobs/erase-accounts.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { purgeKeyBackups } from "../../../src/domain/jobs/purge-key-backups.ts";
import { listHeldEvents, type HeldPlace } from "../../../src/storage/holds.ts";
import { administrator } from "../../support/administrators.ts";
import { readAudit } from "../../support/audit.ts";
import {
  complianceOfficer,
  destroyReleased,
  placeHold,
  releaseHold,
} from "../../support/holds.ts";
import { keyData, makeBackup } from "../../support/key-backup.ts";
import { downloadPath, uploadImage } from "../../support/media.ts";
import { act, makeRoom, must, path, say, send } from "../../support/rooms.ts";
import { useServer, type Json, type TestUser } from "../../support/server.ts";
import { doTasks } from "../../support/tasks.ts";
import { until } from "../../support/until.ts";

const N = "/_myelin/admin/v1";
const S = "/_synapse/admin/v1";

describe("legal holds", () => {
  const server = useServer({ "admin.undo_window_hours": 0 });
  let admin: TestUser;
  let officer: TestUser;
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    admin = await administrator(server, "root", "system-admin");
    officer = await complianceOfficer(server);
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  /** The bytes of an event as they are sealed, wherever they are. */
  const sealedOf = async (eventId: string) => {
    const rows = await server.database.sql<
      { sealed: Buffer; keys: number; isKept: boolean }[]
    >`
      select c.sealed, c.is_kept,
        (select count(*)::int from keys where key_id in (c.first_key, c.second_key)) as keys
      from events e join (
        select nid, first_key, second_key, sealed, false as is_kept from event_contents
        union all select nid, first_key, second_key, sealed, true from held_contents) c on c.nid = e.nid
      where e.event_id = ${eventId}`;
    return rows.map(({ sealed, ...row }) => ({
      ...row,
      sealed: sealed.toString("hex"),
    }));
  };
  const bytesOf = async (eventId: string) =>
    (await sealedOf(eventId)).map(({ sealed, keys }) => ({ sealed, keys }));
  const recordsOf = (): Promise<Json[]> => readAudit(server);
  const refusals = async (permission: string) =>
    (await recordsOf()).filter(
      (record) =>
        record["action"] === permission && record["result"] !== "allowed",
    ).length;
  const roomOf = async (...users: TestUser[]) => {
    const roomId = await makeRoom(alice);
    for (const user of users) {
      await act(alice, roomId, "invite", { user_id: user.userId });
      await act(user, roomId, "join");
    }
    return roomId;
  };

  it("G6: are placed, listed and released, each with its record, by who may", async () => {
    const holdId = await placeHold(officer, { users: ["@absent:test"] });
    const hold = must(await officer.get(`${N}/holds/${holdId}`));
    expect(hold).to.include({ case_id: "case-1", released_ts: null });
    expect((await bob.get(`${N}/holds`)).status).to.equal(403);
    expect((await admin.post(`${N}/holds`, {})).status).to.be.within(400, 403);
    await releaseHold(officer, holdId);
    const again = await officer.post(`${N}/holds/${holdId}/release`, {
      reason: "again",
    });
    expect(again.body).to.include({ errcode: "M_BAD_STATE" });
    const { holds } = must<{ holds: Json[] }>(
      await officer.get(`${N}/holds?released=true`),
    );
    expect(holds.map((each) => each["hold_id"])).to.include(holdId);
    const records = (await recordsOf()).map((record) => record["action"]);
    expect(records).to.include.members(["holds.write", "holds.release"]);
    expect(JSON.stringify(await recordsOf())).to.not.include("@absent:test");
  });

  it("G6: keep what another one let go, when they begin while it is destroyed", async () => {
    const { sql, url } = server.database;
    const roomId = await roomOf(bob);
    const said = await say(bob, roomId, "let go, and held again");
    const first = await placeHold(officer, { users: [bob.userId] });
    must(await bob.put(path`/rooms/${roomId}/redact/${said}/t`, {}));
    const before = await bytesOf(said);
    expect(before).to.have.length(1);
    await releaseHold(officer, first);
    const placing = postgres(url, { max: 1 });
    let destroying: Promise<void> | undefined;
    await placing.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(hashtext('myelin holds'))`;
      await tx`insert into holds (hold_id, name, case_id, reason, user_ids, created_by, created_ts)
        values ('second', 'n', 'c', 'r', ${[bob.userId]}, '@a:test', 1)`;
      let isOver = false;
      destroying = destroyReleased(server).then(() => void (isOver = true));
      await until(async () => {
        const waiting = await sql`
          select from pg_locks where locktype = 'advisory' and not granted`;
        return isOver || waiting.length > 0;
      });
    });
    await destroying;
    await placing.end();
    expect(await bytesOf(said)).to.deep.equal(before);
    await releaseHold(officer, "second");
    await destroyReleased(server);
    expect(await bytesOf(said)).to.deep.equal([]);
  });

  it("G6: names what there is, and refuses a hold of nothing or of no such room", async () => {
    const grounds = { name: "n", case_id: "c", reason: "r" };
    for (const [of, errcode] of [
      [{}, "M_INVALID_PARAM"],
      [{ rooms: ["!absent:test"] }, "M_NOT_FOUND"],
      [{ users: ["nobody"] }, "M_INVALID_PARAM"],
      [{ from_ts: 2, until_ts: 1 }, "M_INVALID_PARAM"],
    ] as const) {
      const answer = await officer.post(`${N}/holds`, { ...grounds, ...of });
      expect(answer.body["errcode"], JSON.stringify(of)).to.equal(errcode);
    }
  });

  it("G6: keep the original of what is redacted, which its readers see redacted and only an export shows", async () => {
    const roomId = await roomOf(bob);
    const said = await say(bob, roomId, "the original");
    const before = await bytesOf(said);
    const holdId = await placeHold(officer, { users: [bob.userId] });
    must(
      await bob.put(path`/rooms/${roomId}/redact/${said}/t1`, { reason: "r" }),
    );
    for (const user of [alice, bob]) {
      const shown = must(await user.get(path`/rooms/${roomId}/event/${said}`));
      expect(shown["content"]).to.deep.equal({});
    }
    expect(await bytesOf(said)).to.deep.equal(before);
    const place = `${N}/holds/${holdId}/events`;
    const page = must<{ events: Json[] }>(
      await officer.get(`${place}?case_id=case-1&reason=ordered&limit=500`),
    );
    const found = page.events.find((held) => held["event_id"] === said);
    expect(found).to.include({ redacted: true });
    expect(JSON.stringify(found)).to.include("the original");
    expect((await admin.get(place)).status).to.equal(403);
    const reads = (await recordsOf()).filter(
      (record) =>
        record["action"] === "holds.export" && record["result"] === "allowed",
    );
    expect(reads).to.have.length(1);
    await releaseHold(officer, holdId);
    await destroyReleased(server);
    expect(await bytesOf(said)).to.deep.equal([]);
  });

  it("G6: keep what a purge of history passes; the next one after the release takes it", async () => {
    const roomId = await roomOf(bob);
    const held = await say(bob, roomId, "held");
    const free = await say(alice, roomId, "free");
    const last = await say(alice, roomId, "last");
    const before = await sealedOf(held);
    const holdId = await placeHold(officer, {
      ...{ users: [bob.userId], rooms: [roomId] },
    });
    const purge = async () => {
      must(
        await admin.post(S + path`/purge_history/${roomId}/${last}`, {
          delete_local_events: true,
        }),
      );
      await doTasks(server);
    };
    await purge();
    expect(await sealedOf(held)).to.deep.equal(before);
    expect(await sealedOf(free)).to.deep.equal([]);
    await releaseHold(officer, holdId);
    await purge();
    expect(await sealedOf(held)).to.deep.equal([]);
  });

  it("G6: refuse the deletion of a room that has anything held, and the refusal is recorded", async () => {
    const roomId = await roomOf(bob);
    const held = await say(bob, roomId, "held");
    const before = await sealedOf(held);
    const holdId = await placeHold(officer, { users: [bob.userId] });
    const refused = await refusals("rooms.delete");
    const target = path`/_synapse/admin/v2/rooms/${roomId}`;
    const answer = await admin.delete(target, { purge: true });
    expect(answer.status).to.equal(403);
    expect(answer.body).to.include({ "org.myelin.held": true });
    expect(await refusals("rooms.delete")).to.equal(refused + 1);
    expect(await sealedOf(held)).to.deep.equal(before);
    await releaseHold(officer, holdId);
    must(await admin.delete(target, { purge: true }));
    await doTasks(server);
    expect(await sealedOf(held)).to.deep.equal([]);
  });

  it("G6: stop the deletion of a room that is under way, until they are released", async () => {
    const roomId = await roomOf(bob);
    const held = await say(bob, roomId, "held");
    const before = await sealedOf(held);
    must(
      await admin.delete(path`/_synapse/admin/v2/rooms/${roomId}`, {
        purge: true,
      }),
    );
    const holdId = await placeHold(officer, { rooms: [roomId] });
    await doTasks(server);
    expect(await sealedOf(held)).to.deep.equal(before);
    await releaseHold(officer, holdId);
    await server.database
      .sql`update admin_jobs set not_before = 0 where state = 'scheduled'`;
    await doTasks(server);
    expect(await sealedOf(held)).to.deep.equal([]);
  });

  it("G6: keep files by who uploaded them, and by events that name them or did", async () => {
    const roomId = await roomOf(bob);
    const own = await uploadImage(bob);
    const named = await uploadImage(alice);
    const said = await send(bob, roomId, "m.room.message", {
      ...{ msgtype: "m.image", body: "x", url: `mxc://test/${named}` },
    });
    const holdId = await placeHold(officer, { users: [bob.userId] });
    must(await bob.put(path`/rooms/${roomId}/redact/${said}/t2`, {}));
    const bytes = async (id: string) =>
      (await bob.get(downloadPath(id))).status;
    const refused = await refusals("media.delete");
    for (const id of [own, named]) {
      const answer = await admin.delete(`${S}/media/test/${id}`);
      expect(answer.status).to.equal(403);
    }
    expect(await refusals("media.delete")).to.equal(refused + 2);
    const before = Date.now() + 60_000;
    must(
      await admin.post(`${S}/media/delete?before_ts=${before}&size_gt=0`, {}),
    );
    const all = await admin.delete(`${S}/users/${bob.userId}/media`);
    expect(all.status).to.equal(403);
    for (const id of [own, named]) expect(await bytes(id)).to.equal(200);
    await releaseHold(officer, holdId);
    await destroyReleased(server);
    for (const id of [own, named]) {
      must(await admin.delete(`${S}/media/test/${id}`));
      expect(await bytes(id)).to.equal(404);
    }
  });

  /** Does something while a hold is being placed: what it decides first knows nothing of it yet. */
  const whilePlacing = async <T>(
    of: { users?: string[]; roomNids?: number[] },
    doing: () => Promise<T>,
  ): Promise<T> => {
    const { sql, url } = server.database;
    const placing = postgres(url, { max: 1 });
    let done: Promise<T> | undefined;
    await placing.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(hashtext('myelin holds'))`;
      await tx`insert into holds (hold_id, name, case_id, reason, user_ids, room_nids, created_by, created_ts)
        values ('between', 'n', 'c', 'r', ${of.users ?? null}, ${of.roomNids ?? null}::bigint[], '@a:test', 1)`;
      done = doing();
      await until(async () => {
        const waiting = await sql`
          select from pg_locks where locktype = 'advisory' and not granted`;
        return waiting.length > 0;
      });
    });
    await placing.end();
    return done!;
  };
  const lastRecord = async (action: string): Promise<Json> =>
    (await recordsOf()).filter((each) => each["action"] === action).at(-1)!;
  const nidOf = async (roomId: string): Promise<number> => {
    const [row] = await server.database.sql<{ roomNid: number }[]>`
      select room_nid from rooms where room_id = ${roomId}`;
    return row!.roomNid;
  };

  it("G6: keep a file whose deletion was under way when they came, and its record says so", async () => {
    const medium = await uploadImage(bob);
    const refused = await refusals("media.delete");
    const answer = await whilePlacing({ users: [bob.userId] }, () =>
      admin.delete(`${S}/media/test/${medium}`),
    );
    expect(answer.status).to.equal(403);
    expect(answer.body).to.include({ "org.myelin.held": true });
    expect(await refusals("media.delete")).to.equal(refused + 1);
    expect(await lastRecord("media.delete")).to.include({ result: "denied" });
    expect((await bob.get(downloadPath(medium))).status).to.equal(200);
    await releaseHold(officer, "between");
    await server.database.sql`delete from holds where hold_id = 'between'`;
    must(await admin.delete(`${S}/media/test/${medium}`));
  });

  it("G6: are counted in the record of a deletion of many that they came into", async () => {
    const carl = await server.user("carl");
    const roomId = await roomOf(carl);
    const [held, free] = [await uploadImage(carl), await uploadImage(carl)];
    await send(carl, roomId, "m.room.message", {
      ...{ msgtype: "m.image", body: "x", url: `mxc://test/${held}` },
    });
    const answer = await whilePlacing({ roomNids: [await nidOf(roomId)] }, () =>
      admin.delete(`${S}/users/${carl.userId}/media`),
    );
    expect(must(answer)).to.deep.equal({ deleted_media: [free], total: 1 });
    const { after, result } = await lastRecord("media.delete");
    expect(result).to.equal("allowed");
    expect(after).to.include({ media: 1, held: 1 });
    await server.database.sql`delete from holds where hold_id = 'between'`;
  });

  it("G1: a deletion of more files than one commit takes leaves a record of each", async () => {
    const many = await server.user("many");
    const medium = await uploadImage(many);
    await server.database.sql`
      insert into media (media_id, user_id, blob_id, created_ts, is_legacy, key_id, sealed)
      select media_id || n, user_id, blob_id, created_ts, is_legacy, 0, null
      from media, generate_series(1, 260) n where media_id = ${medium}`;
    const head = (await recordsOf()).length;
    const { total } = must(
      await admin.delete(`${S}/users/${many.userId}/media?limit=500`),
    );
    expect(total).to.equal(261);
    const counts = (await recordsOf())
      .slice(head)
      .filter(({ action }) => action === "media.delete")
      .map(({ after }) => (after as Json)["media"]);
    expect(counts).to.deep.equal([250, 11]);
  });

  it("G6: of a time alone keep from nothing that has none of it", async () => {
    const dora = await server.user("dora");
    const roomId = await roomOf(dora);
    const free = await say(dora, roomId, "of today");
    const holdId = await placeHold(officer, { from_ts: 1000, until_ts: 2000 });
    const target = path`/_synapse/admin/v2/rooms/${roomId}`;
    const said = await say(alice, roomId, "of then");
    const { sql } = server.database;
    for (const column of ["origin_server_ts", "received_ts"]) {
      const [{ now }] = (await sql`
        select ${sql(column)} as now from events where event_id = ${said}`) as [
        Json,
      ];
      const set = (ts: number) =>
        sql`update events set ${sql(column)} = ${ts} where event_id = ${said}`;
      await set(1500);
      const refused = await admin.delete(target, { purge: true });
      expect(refused.status, column).to.equal(403);
      await set(Number(now));
    }
    must(await admin.delete(target, { purge: true }));
    await doTasks(server);
    expect(await sealedOf(free)).to.deep.equal([]);

    must(
      await admin.post(path`/_synapse/admin/v1/deactivate/${dora.userId}`, {
        erase: true,
      }),
    );
    const keys = () => sql`select from keys where owner = ${dora.userId}`;
    await eraseDue();
    expect(await keys()).to.have.length(0);
    await releaseHold(officer, holdId);
  });

  it("G6: of users and a time keep what these said then, and let the rest of their rooms go", async () => {
    const { sql } = server.database;
    const ivan = await server.user("ivan");
    const rooms: string[] = [];
    for (let i = 0; i < 3; i += 1) rooms.push(await roomOf(ivan));
    const [mixed, silent, others] = rooms as [string, string, string];
    const held = await say(ivan, mixed, "of then");
    const late = await say(ivan, mixed, "of today");
    const free = await say(alice, mixed, "of another");
    const last = await say(alice, mixed, "last");
    const today = await say(ivan, silent, "of today too");
    const then = await say(alice, others, "of then, of another");
    await sql`
      update events set origin_server_ts = 1500 where event_id in (${held}, ${then}, ${free})`;
    const before = await sealedOf(held);
    const keysOf = async (roomId: string) =>
      (
        await sql<{ span: string }[]>`
          select span from keys where scope = 'room-span' and owner = ${roomId} order by span`
      ).map(({ span }) => span);
    const [now] = await keysOf(mixed);
    for (const roomId of rooms)
      await sql`
        insert into keys (key_id, scope, owner, span, master_epoch, wrapped, created_ts)
        select 5000000000 + r.room_nid, 'room-span', ${roomId}, '2020-01', master_epoch, wrapped, 1
        from keys k join rooms r on r.room_id = ${roomId} where k.scope = 'room-span' and k.owner = ${mixed} and k.span = ${now!}`;
    const holdId = await placeHold(officer, {
      ...{ users: [ivan.userId], from_ts: 1000, until_ts: 2000 },
    });
    const target = (roomId: string) => path`/_synapse/admin/v2/rooms/${roomId}`;
    const refused = await admin.delete(target(mixed), { purge: true });
    expect(refused.status).to.equal(403);
    expect(refused.body).to.include({ "org.myelin.held": true });
    // Of what a key of the span may have sealed something is held; of the other span nothing.
    await sql`delete from keys where owner = ${mixed}`;
    expect(await keysOf(mixed)).to.deep.equal([now]);
    must(
      await admin.post(S + path`/purge_history/${mixed}/${last}`, {
        delete_local_events: true,
      }),
    );
    for (const roomId of [silent, others])
      must(await admin.delete(target(roomId), { purge: true }));
    await doTasks(server);
    expect(await sealedOf(held)).to.deep.equal(before);
    for (const eventId of [late, free, today, then])
      expect(await sealedOf(eventId), eventId).to.deep.equal([]);
    for (const roomId of [silent, others])
      expect(await keysOf(roomId)).to.deep.equal([]);
    await releaseHold(officer, holdId);
    must(await admin.delete(target(mixed), { purge: true }));
    await doTasks(server);
    expect(await sealedOf(held)).to.deep.equal([]);
  });

  it("G6: are exported in pages of any size, each event once, of whatever they are", async () => {
    const { sql } = server.database;
    const [jo, kai] = [await server.user("jo"), await server.user("kai")];
    const rooms: string[] = [];
    for (let i = 0; i < 3; i += 1) rooms.push(await roomOf(jo, kai));
    const said: string[] = [];
    for (const roomId of rooms)
      for (const user of [jo, kai, alice])
        for (let i = 0; i < 3; i += 1)
          said.push(await say(user, roomId, `${user.userId} ${i}`));
    const at = async (ids: string[], columns: Json) => {
      await sql`update events set ${sql(columns)} where event_id = any(${ids})`;
    };
    // Sent then, several at once; received then; and before they had a place in their room.
    await at(said.slice(0, 12), { origin_server_ts: 1500 });
    await at(said.slice(12, 20), { received_ts: 1600 });
    await at([said[2]!, said[5]!], { received_ts: 1500 });
    await at([said[0]!, said[3]!, said[13]!], { arrival: null });
    must(await alice.put(path`/rooms/${rooms[0]!}/redact/${said[1]!}/x`, {}));
    const users = [jo.userId, kai.userId];
    const time = { from_ts: 1000, until_ts: 2000 };
    for (const of of [
      { users },
      { users: [jo.userId], ...time },
      { rooms: rooms.slice(1) },
      { rooms, ...time },
      { rooms, users: [kai.userId], from_ts: 1550 },
      time,
    ]) {
      const holdId = await placeHold(officer, of);
      const all = (
        await sql<{ eventId: string }[]>`
          select event_id from holds h join events e on is_hold_of(h, e) where hold_id = ${holdId}`
      ).map(({ eventId }) => eventId);
      const label = JSON.stringify(of);
      expect(all.length, label).to.be.above(2);
      const told: unknown[] = [];
      const place = `${N}/holds/${holdId}/events?case_id=c&reason=r&limit=2`;
      for (let from = ""; ;) {
        const page = must<{ events: Json[]; next_token?: string }>(
          await officer.get(place + from),
        );
        told.push(...page.events.map((held) => held["event_id"]));
        if (page.next_token === undefined) break;
        from = `&from=${page.next_token}`;
      }
      expect(told, label).to.have.members(all);
      // However little a page looks at, all is found in the end, and no page looks at more.
      const found: string[] = [];
      let after: HeldPlace | undefined;
      do {
        const page = await listHeldEvents(server.edges.db, holdId, after, 3, 4);
        expect(page.events.length).to.be.at.most(3);
        found.push(...page.events.map(({ eventId }) => eventId));
        after = page.next;
      } while (after);
      expect(found, label).to.have.members(all);
      await releaseHold(officer, holdId);
      const none = await officer.get(place);
      expect(must(none)).to.deep.equal({ events: [] });
    }
    const odd = await officer.get(
      `${N}/holds/x/events?case_id=c&reason=r&from=1`,
    );
    expect(odd.body).to.include({ errcode: "M_INVALID_PARAM" });
  });

  it("G6: of a time keep whoever said or uploaded something then from erasure", async () => {
    const { sql } = server.database;
    const [eve, finn] = [await server.user("eve"), await server.user("finn")];
    const roomId = await roomOf(eve);
    const said = await say(eve, roomId, "of then");
    await sql`update events set received_ts = 1500 where event_id = ${said}`;
    const medium = await uploadImage(finn);
    await sql`update media set created_ts = 1500 where media_id = ${medium}`;
    const holdId = await placeHold(officer, { from_ts: 1000, until_ts: 2000 });
    const erase = path`/_synapse/admin/v1/deactivate/`;
    for (const user of [eve, finn]) {
      const answer = await admin.post(erase + user.userId, { erase: true });
      expect(answer.status, user.userId).to.equal(403);
    }
    await releaseHold(officer, holdId);
  });

  const eraseDue = async () => {
    await server.database
      .sql`update leases set expires_ts = '-infinity' where name = 'erase accounts'`;
    await runJob(server.edges, eraseAccounts);
    await doTasks(server);
  };

  it("G6: leave a record where a deletion or an erasure begins to wait for them, one", async () => {
    const gary = await server.user("gary");
    const roomId = await roomOf(gary);
    must(
      await admin.delete(path`/_synapse/admin/v2/rooms/${roomId}`, {
        purge: true,
      }),
    );
    const holdId = await placeHold(officer, { users: [gary.userId] });
    const { sql } = server.database;
    const held = async (action: string) =>
      (await recordsOf()).filter(
        (record) =>
          record["action"] === action &&
          record["result"] === "denied" &&
          (record["after"] as Json | undefined)?.["held"] === true,
      ).length;
    const before = {
      rooms: await held("rooms.delete"),
      users: await held("users.erase"),
      tasks: await held("privacy.erase"),
    };
    for (let time = 0; time < 2; time += 1) {
      await doTasks(server);
      await sql`update admin_jobs set not_before = 0 where state = 'scheduled'`;
    }
    expect(await held("rooms.delete")).to.equal(before.rooms + 1);
    // One that was asked for before, and one that had begun.
    must(
      await admin.post(path`/_synapse/admin/v1/deactivate/${gary.userId}`, {}),
    );
    await sql`
      insert into pending_erasures (user_id, requested_by, requested_ts, due_ts) values (${gary.userId}, '@o:test', 1, 1)`;
    await eraseDue();
    await eraseDue();
    expect(await held("users.erase")).to.equal(before.users + 1);
    await sql`delete from pending_erasures`;
    await sql`
      insert into admin_jobs (job_id, kind, user_id, params, not_before, created_by, created_ts)
      values ('erase gary', 'erase-user', ${gary.userId}, '{"requestedTs": 1}', 0, '@o:test', 1)`;
    for (let time = 0; time < 2; time += 1) {
      await doTasks(server);
      await sql`update admin_jobs set not_before = 0 where state = 'scheduled'`;
    }
    expect(await held("privacy.erase")).to.equal(before.tasks + 1);
    await releaseHold(officer, holdId);
    await sql`update admin_jobs set not_before = 0 where state = 'scheduled'`;
    await doTasks(server);
    expect(
      await sql`select from keys where owner = ${gary.userId}`,
    ).to.have.length(0);
  });

  it("G6: keep what held users had besides, whoever deletes or overwrites it, for an export alone", async () => {
    const hanna = await server.user("hanna");
    const { sql } = server.database;
    const roomId = await roomOf(hanna, bob);
    const said = await say(hanna, roomId, "reported");
    const data = path`/user/${hanna.userId}/account_data/m.x`;
    const name = path`/profile/${hanna.userId}/displayname`;
    must(await hanna.put(data, { word: "first" }));
    must(await hanna.put(name, { displayname: "Hanna the first" }));
    const version = await makeBackup(hanna);
    must(
      await hanna.put(
        path`/room_keys/keys/${roomId}/session` + `?version=${version}`,
        keyData(),
      ),
    );
    must(
      await bob.post(path`/rooms/${roomId}/report/${said}`, {
        reason: "of the event",
      }),
    );
    must(
      await bob.post(path`/users/${hanna.userId}/report`, {
        reason: "of the user",
      }),
    );
    const holdId = await placeHold(officer, { users: [hanna.userId] });
    must(await hanna.put(data, { word: "second" }));
    must(await hanna.put(name, { displayname: "Hanna the second" }));
    must(await hanna.delete(`/room_keys/version/${version}`));
    await sql`update leases set expires_ts = '-infinity'`;
    await runJob(server.edges, purgeKeyBackups);
    const reports = await sql<{ reportId: number }[]>`
      select report_id from reports where user_id = ${hanna.userId} or event_id = ${said}`;
    for (const { reportId } of reports)
      await server.edges.committer.commit({
        positions: 1,
        rows: { removedReports: [{ reportId }] },
      });
    must(
      await admin.post(path`/_synapse/admin/v1/deactivate/${hanna.userId}`, {}),
    );
    const left = await sql`
      select user_id from account_data where user_id = ${hanna.userId}
      union all select user_id from profile_fields where user_id = ${hanna.userId}
      union all select user_id from backed_up_keys where user_id = ${hanna.userId}`;
    expect(left).to.have.length(0);

    const place = `${N}/holds/${holdId}/data`;
    const grounds = "case_id=case-1&reason=ordered";
    const found: Json[] = [];
    for (let from = "0"; from !== "end";) {
      const page = must<{ data: Json[]; next_token?: string }>(
        await officer.get(`${place}?${grounds}&limit=3&from=${from}`),
      );
      found.push(...page.data);
      from = page.next_token ?? "end";
    }
    const told = found.map(({ table, content }) => [table, content]);
    expect(told).to.deep.include(["account_data", { word: "first" }]);
    expect(told).to.deep.include(["account_data", { word: "second" }]);
    const texts = JSON.stringify(told);
    for (const text of ["Hanna the first", "Hanna the second", "of the event"])
      expect(texts).to.include(text);
    expect(texts).to.include("of the user");
    const tables = new Set(found.map(({ table }) => table));
    expect(tables).to.include.keys("key_backups", "backed_up_keys");
    expect(found.map((each) => each["user_id"])).to.include(hanna.userId);
    expect((await admin.get(place)).status).to.equal(403);
    await releaseHold(officer, holdId);
    await destroyReleased(server);
    expect(
      await sql`select from held_data where user_id = ${hanna.userId}`,
    ).to.have.length(0);
  });

  it("G6: pass on to each other what several are of, and look at nothing else when one ends", async () => {
    const { sql } = server.database;
    const roomId = await roomOf(bob);
    const said = await say(bob, roomId, "of two");
    const others = await say(alice, roomId, "of one that goes on");
    const [first, second] = [
      await placeHold(officer, { users: [bob.userId] }),
      await placeHold(officer, { rooms: [roomId] }),
    ];
    for (const eventId of [said, others])
      must(await alice.put(path`/rooms/${roomId}/redact/${eventId}/x`, {}));
    const holdsOf = async (eventId: string) =>
      (
        await sql<{ holdId: string }[]>`
          select h.hold_id from held_contents h join events using (nid) where event_id = ${eventId}`
      ).map(({ holdId }) => holdId);
    expect(await holdsOf(others)).to.deep.equal([second]);
    await releaseHold(officer, first);
    await destroyReleased(server);
    expect(await holdsOf(said)).to.deep.equal([second]);
    expect(await holdsOf(others)).to.deep.equal([second]);
    await releaseHold(officer, second);
    await destroyReleased(server);
    expect(await holdsOf(said)).to.deep.equal([]);
    expect(await holdsOf(others)).to.deep.equal([]);
  });

  it("G6: keep the rows that a statement of any other kind deletes", async () => {
    const carol = await server.user("carol");
    const roomId = await roomOf(carol);
    const held = await say(carol, roomId, "held");
    const medium = await uploadImage(carol);
    const before = await bytesOf(held);
    const { sql } = server.database;
    const holdId = await placeHold(officer, { users: [carol.userId] });
    const deleteAll = async () => {
      await sql`delete from keys where owner in (${carol.userId}, ${roomId})`;
      await sql`delete from event_contents where nid in (select nid from events where event_id = ${held})`;
      await sql`delete from events where event_id = ${held}`;
      await sql`delete from media where media_id = ${medium}`;
    };
    await deleteAll();
    expect(await bytesOf(held)).to.deep.equal(before);
    expect(
      await sql`select from media where media_id = ${medium}`,
    ).to.have.length(1);
    await releaseHold(officer, holdId);
    await destroyReleased(server);
    await deleteAll();
    expect(await bytesOf(held)).to.deep.equal([]);
    expect(
      await sql`select from media where media_id = ${medium}`,
    ).to.have.length(0);
  });

  it("G6: lose nothing to whoever had begun to destroy it", async () => {
    const roomId = await roomOf(bob);
    const { sql } = server.database;
    for (let round = 0; round < 20; round += 1) {
      const held = await say(bob, roomId, `held ${round}`);
      const before = await bytesOf(held);
      const [holdId] = await Promise.all([
        placeHold(officer, { rooms: [roomId], users: [bob.userId] }),
        sql`delete from event_contents where nid in (select nid from events where event_id = ${held})`,
      ]);
      const [hold] = await sql`
        select from held_contents join events using (nid) where event_id = ${held}`;
      // Either it was gone before the hold was told of, or it is kept.
      if (hold) expect(await bytesOf(held)).to.deep.equal(before);
      const next = await say(bob, roomId, `next ${round}`);
      const kept = await bytesOf(next);
      await sql`delete from event_contents where nid in (select nid from events where event_id = ${next})`;
      expect(await bytesOf(next)).to.deep.equal(kept);
      await releaseHold(officer, holdId);
    }
  });
});
