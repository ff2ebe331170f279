import { expect } from "chai";
import postgres from "postgres";
import { administrator } from "../../support/administrators.ts";
import { readAudit } from "../../support/audit.ts";
import {
  complianceOfficer,
  destroyReleased,
  placeHold,
  releaseHold,
} from "../../support/holds.ts";
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
        select *, false as is_kept from event_contents union all select *, true from held_contents) c on c.nid = e.nid
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
