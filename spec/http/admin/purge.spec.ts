import { expect } from "chai";
import { runTask } from "../../../src/domain/admin/tasks/run-tasks.ts";
import { administrator } from "../../support/administrators.ts";
import { downloadPath, uploadImage } from "../../support/media.ts";
import {
  act,
  bodiesOf,
  makePublicRoom,
  makeRoom,
  must,
  pageThrough,
  path,
  say,
  send,
  setState,
} from "../../support/rooms.ts";
import {
  type Json,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import { doTasks } from "../../support/tasks.ts";
import { watchTransactions } from "../../support/transactions.ts";

const S = "/_synapse/admin/v1";
const N = "/_myelin/admin/v1";

describe("purging history", () => {
  const server = useServer({ "admin.undo_window_hours": 0 });
  let second: TestProcess;
  let admin: TestUser;
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    second = await server.startProcess();
    admin = await administrator(server, "admin", "system-admin");
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const purge = async (roomId: string, body: Json, event = "") =>
    must<{ purge_id: string }>(
      await admin.post(`${S}/purge_history/${roomId}${event}`, body),
    ).purge_id;
  const statusOf = async (id: string): Promise<Json> =>
    must(await admin.get(`${S}/purge_history_status/${id}`));
  const bodies = async (user: TestUser, roomId: string) =>
    bodiesOf(await pageThrough(user, roomId, { dir: "f", limit: 20 }));

  it("destroys what was said before an event, for every reader and in every process", async () => {
    const roomId = await makeRoom(alice);
    await act(alice, roomId, "invite", { user_id: bob.userId });
    await act(bob, roomId, "join");
    const since = must(await bob.get("/sync"))["next_batch"] as string;
    await setState(alice, roomId, "m.room.topic", { topic: "the old topic" });
    await setState(alice, roomId, "m.room.topic", { topic: "the new topic" });
    const old = await say(alice, roomId, "an old canary");
    await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: `${alice.userId} reply`,
      "m.mentions": { user_ids: [bob.userId] },
      "m.relates_to": { rel_type: "m.thread", event_id: old },
    });
    const point = await say(alice, roomId, "stays");
    const last = await say(bob, roomId, "stays too");
    const there = { ...bob, ...second.as(bob) };
    must(await there.get(path`/rooms/${roomId}/event/${old}`));
    const id = await purge(roomId, { delete_local_events: true }, `/${point}`);
    expect(await statusOf(id)).to.deep.include({ status: "active" });
    await doTasks(server);
    expect(await statusOf(id)).to.deep.equal({ status: "complete" });
    for (const user of [alice, bob, there]) {
      expect(await bodies(user, roomId)).to.deep.equal([
        ...["stays", "stays too"],
      ]);
      const gone = await user.get(path`/rooms/${roomId}/event/${old}`);
      expect(gone.status).to.equal(404);
      const around = await user.get(path`/rooms/${roomId}/context/${point}`);
      expect(around.text).to.not.include("canary").and.not.include("old topic");
      const topic = must(
        await user.get(path`/rooms/${roomId}/state/m.room.topic`),
      );
      expect(topic["topic"]).to.equal("the new topic");
      const threads = await user.get(
        `/_matrix/client/v1/rooms/${roomId}/threads`,
      );
      expect(must<{ chunk: Json[] }>(threads).chunk).to.deep.equal([]);
    }
    for (const sync of [
      await bob.get(`/sync?since=${since}`),
      await there.get("/sync"),
    ]) {
      must(sync);
      expect(sync.text).to.include("stays too").and.not.include("canary");
      expect(sync.text).to.not.include("old topic");
    }
    const found = must<{ search_categories: { room_events: Json } }>(
      await alice.post("/search", {
        search_categories: { room_events: { search_term: "canary" } },
      }),
    );
    expect(found.search_categories.room_events["count"]).to.equal(0);
    // The room goes on, its state and its graph whole.
    const next = await say(alice, roomId, "goes on");
    const [row] = await server.database.sql<{ skeleton: string }[]>`
      select skeleton from events where event_id = ${next}`;
    expect(row!.skeleton).to.include(last);
    const carol = await server.user(`carol${Date.now()}`);
    await act(alice, roomId, "invite", { user_id: carol.userId });
    await act(carol, roomId, "join");
  });

  it("keeps what users of this server said, unless it is told otherwise", async () => {
    const roomId = await makeRoom(alice);
    await say(alice, roomId, "kept");
    const point = await say(alice, roomId, "the end");
    const id = await purge(roomId, { purge_up_to_event_id: point });
    await doTasks(server);
    expect((await statusOf(id))["status"]).to.equal("complete");
    expect(await bodies(alice, roomId)).to.deep.equal(["kept", "the end"]);
  });

  it("goes up to a time", async () => {
    const roomId = await makeRoom(alice);
    await say(alice, roomId, "one");
    await say(alice, roomId, "two");
    await purge(roomId, {
      purge_up_to_ts: Date.now() + 60_000,
      delete_local_events: true,
    });
    await doTasks(server);
    expect(await bodies(alice, roomId)).to.deep.equal(["two"]);
  });

  it("weakens nothing of who may see what is left", async () => {
    const roomId = await makePublicRoom(alice, "joined");
    await say(alice, roomId, "before bob");
    await act(bob, roomId, "join");
    const point = await say(alice, roomId, "with bob");
    await act(bob, roomId, "leave");
    await say(alice, roomId, "after bob");
    const left = await bodies(bob, roomId);
    expect(left).to.deep.equal(["with bob"]);
    await purge(roomId, {
      purge_up_to_event_id: point,
      delete_local_events: true,
    });
    await doTasks(server);
    expect(await bodies(bob, roomId)).to.deep.equal(["with bob"]);
    const stranger = await admin.get(
      path`/rooms/${roomId}/messages`.concat("?dir=b"),
    );
    expect(stranger.status).to.equal(403);
  });

  it("takes the files with it that nothing names any more", async () => {
    const roomId = await makeRoom(alice);
    const gone = await uploadImage(alice);
    const url = `mxc://test/${gone}`;
    const content = { msgtype: "m.image", body: "b", url };
    await send(alice, roomId, "m.room.message", content);
    const avatar = await uploadImage(bob);
    await setState(alice, roomId, "m.room.avatar", {
      url: `mxc://test/${avatar}`,
    });
    await send(alice, roomId, "m.room.message", {
      ...content,
      url: `mxc://test/${avatar}`,
    });
    const point = await say(alice, roomId, "end");
    await purge(roomId, { delete_local_events: true }, `/${point}`);
    await doTasks(server);
    expect((await alice.get(downloadPath(gone))).status).to.equal(404);
    must(await alice.get(downloadPath(avatar)));
  });

  it("refuses what has no point, is not there, or is not the room's", async () => {
    const roomId = await makeRoom(alice);
    const foreign = await say(alice, await makeRoom(alice), "elsewhere");
    for (const [target, body, errcode] of [
      [`${roomId}`, {}, "M_BAD_JSON"],
      [`${roomId}/$absent`, {}, "M_NOT_FOUND"],
      [`${roomId}/${foreign}`, {}, "M_NOT_FOUND"],
      [`${roomId}`, { purge_up_to_ts: 1 }, "M_NOT_FOUND"],
      [`!absent:test`, { purge_up_to_ts: 1 }, "M_NOT_FOUND"],
      [`${roomId}`, { purge_up_to_ts: "x" }, "M_BAD_JSON"],
    ] as const) {
      const answer = await admin.post(`${S}/purge_history/${target}`, body);
      expect(answer.body["errcode"], target).to.equal(errcode);
    }
    const absent = await admin.get(`${S}/purge_history_status/absent`);
    expect(absent.status).to.equal(404);
  });

  it("of a large room takes at most 500 rows a transaction, and goes on where a process died", async () => {
    const roomId = await makeRoom(alice);
    await act(alice, roomId, "invite", { user_id: bob.userId });
    await act(bob, roomId, "join");
    const medium = await uploadImage(bob);
    for (let i = 0; i < 6; i += 1)
      await Promise.all(
        Array.from({ length: 50 }, (_, j) =>
          send(alice, roomId, "m.room.message", {
            msgtype: "m.image",
            body: `${i} ${j}`,
            url: `mxc://test/${medium}`,
            "m.mentions": { user_ids: [bob.userId] },
          }),
        ),
      );
    const point = await say(alice, roomId, "end");
    const watch = await watchTransactions(server.database.sql);
    const id = await purge(roomId, {
      purge_up_to_event_id: point,
      delete_local_events: true,
    });
    const twice = await admin.post(`${S}/purge_history/${roomId}/${point}`, {});
    expect(twice.status).to.equal(400);
    const { sql } = server.database;
    for (let steps = 0; steps < 100; steps += 1) {
      const process = steps % 2 === 0 ? server : second;
      await runTask(process.edges, { steps: 1, jobId: id });
      // Whoever had it is gone without letting go.
      if (steps === 2)
        await sql`
          update admin_jobs set held_until = clock_timestamp() - interval '1 second', holder = gen_random_uuid()
          where job_id = ${id}`;
    }
    expect((await statusOf(id))["status"]).to.equal("complete");
    const job = must<{ progress: Json }>(await admin.get(`${N}/jobs/${id}`));
    expect(job.progress["purged"]).to.be.at.least(300);
    expect(await bodies(bob, roomId)).to.deep.equal(["end"]);
    const [row] = await sql<{ count: number }[]>`
      select count(*) as count from notifications n join rooms r using (room_nid)
      where r.room_id = ${roomId}`;
    expect(row!.count).to.equal(0);
    const most = await watch.largest();
    expect(most).to.be.above(100);
    expect(most).to.be.at.most(500);
  }).timeout(120_000);

  it("writes nothing for a process that slept while another took over, or that was too late", async () => {
    const roomId = await makeRoom(alice);
    for (let i = 0; i < 3; i += 1) await say(alice, roomId, `${i}`);
    const point = await say(alice, roomId, "end");
    const id = await purge(roomId, {
      purge_up_to_event_id: point,
      delete_local_events: true,
    });
    must(await admin.delete(`${N}/jobs/${id}`));
    await doTasks(server);
    expect(await bodies(alice, roomId)).to.have.length(4);
    expect(await statusOf(id)).to.include({ status: "failed" });
  });

  it("brings nothing back that is received again", async () => {
    const roomId = await makeRoom(alice);
    const old = await say(alice, roomId, "an old canary");
    const point = await say(alice, roomId, "end");
    await purge(roomId, { delete_local_events: true }, `/${point}`);
    await doTasks(server);
    // Its number and its place are known still, so that nobody asks for it or stores it anew.
    const rows = await server.database.sql<{ status: number }[]>`
      select status from events where event_id = ${old}`;
    expect(rows).to.deep.equal([{ status: 3 }]);
  });
});

describe("purging history with time to think again", () => {
  const server = useServer();

  it("waits out the undo window, and can be taken back until then", async () => {
    const admin = await administrator(server, "admin", "system-admin");
    const alice = await server.user("alice");
    const roomId = await makeRoom(alice);
    await say(alice, roomId, "thought over");
    const point = await say(alice, roomId, "end");
    const { purge_id } = must<{ purge_id: string }>(
      await admin.post(`${S}/purge_history/${roomId}`, {
        purge_up_to_event_id: point,
        delete_local_events: true,
      }),
    );
    await doTasks(server);
    const status = must(
      await admin.get(`${S}/purge_history_status/${purge_id}`),
    );
    expect(status["status"]).to.equal("active");
    expect(status["org.myelin.not_before"]).to.be.above(Date.now());
    const job = must(await admin.get(`${N}/jobs/${purge_id}`));
    expect(job["state"]).to.equal("scheduled");
    must(await admin.delete(`${N}/jobs/${purge_id}`));
    const events = await pageThrough(alice, roomId, { dir: "f", limit: 50 });
    expect(bodiesOf(events)).to.deep.equal(["thought over", "end"]);
  });
});

describe("redacting a user", () => {
  const server = useServer();
  let admin: TestUser;
  let alice: TestUser;

  before(async () => {
    admin = await administrator(server, "admin", "system-admin");
    alice = await server.user("alice");
  });

  const redact = async (userId: string, body: Json) =>
    must<{ redact_id: string }>(
      await admin.post(`${S}/user/${userId}/redact`, body),
    ).redact_id;
  const statusOf = async (id: string): Promise<Json> =>
    must(await admin.get(`${S}/user/redact_status/${id}`));
  const left = async (roomId: string) =>
    bodiesOf(await pageThrough(alice, roomId, { dir: "f", limit: 50 })).filter(
      (body) => body !== undefined,
    );

  it("redacts all that they said in all of their rooms, and nothing of others", async () => {
    const spammer = await server.user("spammer");
    const rooms = [await makePublicRoom(alice), await makePublicRoom(alice)];
    for (const roomId of rooms) {
      await act(spammer, roomId, "join");
      for (let i = 0; i < 60; i += 1) await say(spammer, roomId, `spam ${i}`);
      await say(alice, roomId, "mine");
    }
    const id = await redact(spammer.userId, { rooms: [], reason: "spam" });
    expect(await statusOf(id)).to.deep.equal({ status: "scheduled" });
    await doTasks(server);
    expect(await statusOf(id)).to.deep.equal({
      status: "complete",
      failed_redactions: {},
    });
    for (const roomId of rooms) {
      expect(await left(roomId)).to.deep.equal(["mine"]);
      const events = await pageThrough(alice, roomId, { dir: "b", limit: 100 });
      const redactions = events.filter(
        ({ type }) => type === "m.room.redaction",
      );
      expect(redactions[0]!.content["reason"]).to.equal("spam");
      expect(redactions[0]!.sender).to.equal(spammer.userId);
    }
    // Done once more it finds nothing.
    await redact(spammer.userId, { rooms: [] });
    await doTasks(server);
    const job = must<{ jobs: Json[] }>(
      await admin.get(`${N}/jobs?kind=redact-user&dir=b&limit=1`),
    ).jobs[0]!;
    expect((job["progress"] as Json)["redacted"]).to.equal(0);
  }).timeout(60_000);

  it("keeps to rooms, a limit and times", async () => {
    const bob = await server.user("bob");
    const rooms = [await makePublicRoom(alice), await makePublicRoom(alice)];
    for (const roomId of rooms) {
      await act(bob, roomId, "join");
      for (const body of ["one", "two", "three"]) await say(bob, roomId, body);
    }
    await redact(bob.userId, { rooms: [rooms[0]], limit: 2 });
    await doTasks(server);
    expect(await left(rooms[0]!)).to.deep.equal(["one"]);
    expect(await left(rooms[1]!)).to.have.length(3);
    await redact(bob.userId, { rooms: [], before_ts: 1 });
    await redact(bob.userId, { rooms: [], after_ts: Date.now() + 60_000 });
    await doTasks(server);
    expect(await left(rooms[1]!)).to.have.length(3);
  });

  it("tells which could not be redacted, and why", async () => {
    const carol = await server.user("carol");
    const roomId = await makePublicRoom(alice);
    await act(carol, roomId, "join");
    const eventId = await say(carol, roomId, "still there");
    await act(carol, roomId, "leave");
    const id = await redact(carol.userId, { rooms: [roomId] });
    await doTasks(server);
    const status = await statusOf(id);
    expect(status["status"]).to.equal("complete");
    expect(status["failed_redactions"]).to.have.property(eventId);
    // An administrator who is in the room, and mighty there, can.
    must(await admin.post(`${S}/rooms/${roomId}/make_room_admin`, {}));
    await act(admin, roomId, "join");
    await redact(carol.userId, { rooms: [roomId], use_admin: true });
    await doTasks(server);
    expect(await left(roomId)).to.deep.equal([]);
  });

  it("refuses who is no user, and who may not", async () => {
    const odd = await admin.post(`${S}/user/nonsense/redact`, { rooms: [] });
    expect(odd.body["errcode"]).to.equal("M_INVALID_PARAM");
    const none = await admin.post(`${S}/user/${alice.userId}/redact`, {});
    expect(none.body["errcode"]).to.equal("M_MISSING_PARAM");
    const refused = await alice.post(`${S}/user/${admin.userId}/redact`, {
      rooms: [],
    });
    expect(refused.status).to.equal(403);
    expect((await admin.get(`${S}/user/redact_status/absent`)).status).to.equal(
      404,
    );
  });
});
