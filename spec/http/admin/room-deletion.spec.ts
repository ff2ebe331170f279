import { expect } from "chai";
import { runTask } from "../../../src/domain/admin/tasks/run-tasks.ts";
import {
  administrator,
  bindRole,
  customRole,
} from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import { downloadPath, uploadImage } from "../../support/media.ts";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  send,
} from "../../support/rooms.ts";
import {
  type Json,
  type TestProcess,
  type TestServer,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import { doTasks } from "../../support/tasks.ts";
import { watchTransactions } from "../../support/transactions.ts";

const S1 = "/_synapse/admin/v1";
const S2 = "/_synapse/admin/v2";
const N = "/_myelin/admin/v1";

/** Rows of a room that a table has; those of members and of the room itself are told apart. */
async function rowsOf(
  { database: { sql } }: TestServer,
  roomNid: number,
): Promise<Record<string, number>> {
  const tables = await sql<{ name: string }[]>`
    select c.table_name as name from information_schema.columns c
    where c.table_schema = 'public' and c.column_name = 'room_nid' order by 1`;
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await sql<{ count: number }[]>`
      select count(*) as count from ${sql(name)} where room_nid = ${roomNid}`;
    if (row!.count > 0) counts[name] = row!.count;
  }
  return counts;
}

const nidOf = async ({ database: { sql } }: TestServer, roomId: string) => {
  const [row] = await sql<{ roomNid: number }[]>`
    select room_nid from rooms where room_id = ${roomId}`;
  return row!.roomNid;
};

describe("deleting rooms at once", () => {
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

  const statusOf = async (id: string): Promise<Json> =>
    must(await admin.get(`${S2}/rooms/delete_status/${id}`));

  it("takes everybody out, destroys all that was said, and tells the devices that they have left", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await say(alice, roomId, "hush-hush");
    const since = must(await bob.get("/sync"))["next_batch"] as string;
    const roomNid = await nidOf(server, roomId);
    const answer = must(
      await admin.delete(`${S1}/rooms/${roomId}`, { purge: true }),
    );
    expect(answer["kicked_users"]).to.have.members([alice.userId, bob.userId]);
    expect(answer).to.deep.include({
      failed_to_kick_users: [],
      local_aliases: [],
      new_room_id: null,
    });
    expect(await rowsOf(server, roomNid)).to.deep.equal({
      memberships: 2,
      rooms: 1,
    });
    const keys = await server.database.sql`
      select from keys where owner = ${roomId}`;
    expect(keys).to.have.length(0);
    for (const user of [bob, second.as(bob)]) {
      const { rooms } = must<{ rooms: { leave: Json; join: Json } }>(
        await user.get(`/sync?since=${since}`),
      );
      expect(Object.keys(rooms.leave)).to.include(roomId);
      expect(rooms.join ?? {}).to.not.have.property(roomId);
    }
    const first = must<{ rooms?: Json }>(await bob.get("/sync"));
    expect(JSON.stringify(first)).to.not.include(roomId);
    expect((await admin.get(`${S1}/rooms/${roomId}`)).status).to.equal(404);
    for (const user of [alice, second.as(alice)]) {
      const join = await user.post(path`/rooms/${roomId}/join`);
      expect(join.status).to.equal(403);
      const read = await user.get(
        path`/rooms/${roomId}/messages`.concat("?dir=b"),
      );
      expect(read.status).to.equal(403);
    }
  });

  it("takes with it the files that nothing else names", async () => {
    const roomId = await makeRoom(alice);
    const other = await makeRoom(alice);
    const [gone, kept] = [await uploadImage(alice), await uploadImage(bob)];
    for (const [room, id] of [
      [roomId, gone],
      [roomId, kept],
      [other, kept],
    ] as const)
      await send(alice, room, "m.room.message", {
        msgtype: "m.image",
        body: "b",
        url: `mxc://test/${id}`,
      });
    must(await alice.get(downloadPath(gone)));
    must(await admin.delete(`${S1}/rooms/${roomId}`, {}));
    expect((await alice.get(downloadPath(gone))).status).to.equal(404);
    must(await alice.get(downloadPath(kept)));
  });

  it("leaves the room open to come back to, where it is to be neither purged nor blocked", async () => {
    const roomId = await makePublicRoom(alice);
    await say(alice, roomId, "stays");
    must(await admin.delete(`${S1}/rooms/${roomId}`, { purge: false }));
    await act(bob, roomId, "join");
    const page = await bob.get(
      path`/rooms/${roomId}/messages`.concat("?dir=b"),
    );
    expect(page.text).to.include("stays");
  });

  it("blocks where it is told to, and keeps what was blocked before", async () => {
    const blocked = async (roomId: string) =>
      must(await admin.get(`${S1}/rooms/${roomId}/block`))["block"];
    const one = await makePublicRoom(alice);
    must(await admin.delete(`${S1}/rooms/${one}`, { block: true }));
    expect(await blocked(one)).to.equal(true);
    const two = await makePublicRoom(alice);
    must(await admin.put(`${S1}/rooms/${two}/block`, { block: true }));
    must(await admin.delete(`${S1}/rooms/${two}`, { block: false }));
    expect(await blocked(two)).to.equal(true);
    const three = await makePublicRoom(alice);
    must(await admin.delete(`${S1}/rooms/${three}`, {}));
    expect(await blocked(three)).to.equal(false);
    const unknown = "!unknown:test";
    const answer = must(
      await admin.delete(`${S1}/rooms/${unknown}`, { block: true }),
    );
    expect(answer["kicked_users"]).to.deep.equal([]);
    expect(await blocked(unknown)).to.equal(true);
  });

  it("brings people to a new room that tells them why, with the aliases", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const alias = "#moved:test";
    must(await alice.put(path`/directory/room/${alias}`, { room_id: roomId }));
    const answer = must<{ new_room_id: string; local_aliases: string[] }>(
      await admin.delete(`${S1}/rooms/${roomId}`, {
        new_room_user_id: admin.userId,
        room_name: "Closed",
        message: "It is closed.",
      }),
    );
    expect(answer.local_aliases).to.deep.equal([alias]);
    const { joined } = must<{ joined: Json }>(
      await admin.get(path`/rooms/${answer.new_room_id}/joined_members`),
    );
    expect(Object.keys(joined)).to.have.members([
      ...[admin.userId, alice.userId, bob.userId],
    ]);
    const page = await bob.get(
      path`/rooms/${answer.new_room_id}/messages`.concat("?dir=b"),
    );
    expect(page.text).to.include("It is closed.");
    const speak = await bob.put(
      path`/rooms/${answer.new_room_id}/send/m.room.message/1`,
      { msgtype: "m.text", body: "why?" },
    );
    expect(speak.status).to.equal(403);
    const found = must(await server.get(path`/directory/room/${alias}`));
    expect(found["room_id"]).to.equal(answer.new_room_id);
    const foreign = await admin.delete(`${S1}/rooms/${roomId}`, {
      new_room_user_id: "@x:elsewhere",
    });
    expect(foreign.body["errcode"]).to.equal("M_INVALID_PARAM");
  });

  it("makes the new room in nobody's name but of the asker, of the server, and of whom the asker may act as", async () => {
    const closer = await server.user("closer");
    const roleId = "closer";
    await customRole(server, roleId, ["rooms.delete", "jobs.read"]);
    await bindRole(server, closer.userId, roleId);
    const message = { message: "All of you are dismissed." };
    const as = (who: TestUser, version: string, userId: string) =>
      makePublicRoom(bob).then((roomId) =>
        who.delete(`${version}/rooms/${roomId}`, {
          ...{ new_room_user_id: userId, ...message },
        }),
      );
    for (const version of [S1, S2]) {
      const head = await auditHead(server);
      const answer = await as(closer, version, alice.userId);
      expect(answer.body, answer.text).to.include({
        errcode: "M_FORBIDDEN",
        "org.myelin.permission": "users.impersonate",
      });
      const [record, ...more] = await readAudit(server, head);
      expect(more).to.have.length(0);
      expect(record).to.include({ action: "rooms.delete", result: "denied" });
      expect(record!.after).to.include({ new_room_user: alice.userId });
    }
    const { joined_rooms } = must<{ joined_rooms: string[] }>(
      await alice.get("/joined_rooms"),
    );
    for (const roomId of joined_rooms) {
      const said = await alice.get(
        path`/rooms/${roomId}/messages`.concat("?dir=b"),
      );
      expect(said.text).to.not.include(message.message);
    }

    must(await as(closer, S1, closer.userId));
    const notices = "@notices:test";
    must(
      await admin.post(`${S1}/send_server_notice`, {
        user_id: bob.userId,
        content: { msgtype: "m.text", body: "for the account" },
      }),
    );
    must(await as(closer, S1, notices));
    const head = await auditHead(server);
    must(await as(admin, S1, alice.userId));
    const [record] = await readAudit(server, head);
    expect(record).to.include({ action: "rooms.delete", result: "allowed" });
    expect(record!.after).to.include({ new_room_user: alice.userId });
  });

  it("makes the room instead in the commit of the deletion and of its record", async () => {
    const roomId = await makePublicRoom(alice);
    const head = await auditHead(server);
    const { delete_id } = must<{ delete_id: string }>(
      await admin.delete(`${S2}/rooms/${roomId}`, {
        new_room_user_id: admin.userId,
      }),
    );
    const [record, ...others] = await readAudit(server, head);
    expect(others).to.deep.equal([]);
    const after = record!["after"] as Json;
    expect(after).to.include({ job: delete_id, block: false, purge: true });
    const { sql } = server.database;
    const written = await sql<{ xmin: string }[]>`
      select xmin::text from audit_log where seq > ${head}
      union all select xmin::text from admin_jobs where job_id = ${delete_id}
      union all select e.xmin::text from events e join rooms r on r.room_nid = e.room_nid
        where r.room_id = ${after["new_room"] as string}`;
    expect(written).to.have.length.above(8);
    expect(new Set(written.map(({ xmin }) => xmin)).size).to.equal(1);
    const { scheduled_tasks } = must<{ scheduled_tasks: Json[] }>(
      await admin.get(`${S1}/scheduled_tasks?resource_id=${roomId}`),
    );
    expect(
      scheduled_tasks.map(({ timestamp: _, ...task }) => task),
    ).to.deep.equal([
      {
        ...{ id: delete_id, action: "shutdown_and_purge_room" },
        ...{ status: "scheduled", resource_id: roomId },
        ...{ result: null, error: null },
      },
    ]);
    await doTasks(server);
    const done = must<{ scheduled_tasks: Json[] }>(
      await admin.get(
        `${S1}/scheduled_tasks?action_name=shutdown_and_purge_room&job_status=complete`,
      ),
    );
    expect(done.scheduled_tasks.map(({ id }) => id)).to.include(delete_id);
  });

  it("is a task for version 2, whose state is told by both of its names", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const { delete_id } = must<{ delete_id: string }>(
      await admin.delete(`${S2}/rooms/${roomId}`, {}),
    );
    const twice = await admin.delete(`${S2}/rooms/${roomId}`, {});
    expect(twice.status).to.equal(400);
    expect(await statusOf(delete_id)).to.include({
      delete_id,
      room_id: roomId,
      status: "scheduled",
    });
    await doTasks(second);
    const done = await statusOf(delete_id);
    expect(done["status"]).to.equal("complete");
    expect((done["shutdown_room"] as Json)["kicked_users"]).to.have.members([
      alice.userId,
      bob.userId,
    ]);
    const { results } = must<{ results: Json[] }>(
      await admin.get(`${S2}/rooms/${roomId}/delete_status`),
    );
    expect(results).to.deep.equal([done]);
    for (const target of [
      `${S2}/rooms/delete_status/absent`,
      `${S2}/rooms/!absent:test/delete_status`,
    ])
      expect((await admin.get(target)).status, target).to.equal(404);
  });

  it("refuses what is no room id, and who may not", async () => {
    for (const target of [`${S1}/rooms/nonsense`, `${S2}/rooms/nonsense`]) {
      const answer = await admin.delete(target, {});
      expect(answer.body["errcode"]).to.equal("M_INVALID_PARAM");
    }
    const roomId = await makeRoom(alice);
    const moderator = await administrator(server, "mod", "room-moderator");
    for (const user of [alice, moderator]) {
      const answer = await user.delete(`${S1}/rooms/${roomId}`, {});
      expect(answer.body["org.myelin.permission"]).to.equal("rooms.delete");
    }
  });

  it("goes on in another process when the one that was at it has died, 500 rows at a time", async () => {
    const roomId = await makePublicRoom(alice);
    for (let i = 0; i < 30; i += 1) {
      const member = await server.user(`member${i}`);
      await act(member, roomId, "join");
    }
    const { delete_id } = must<{ delete_id: string }>(
      await admin.delete(`${S2}/rooms/${roomId}`, {}),
    );
    const watch = await watchTransactions(server.database.sql);
    // One step by one process, then it is gone: its claim runs out.
    await runTask(server.edges, { steps: 1, jobId: delete_id });
    const { sql } = server.database;
    await sql`
      update admin_jobs set held_until = clock_timestamp() - interval '1 second' where job_id = ${delete_id}`;
    const kicked = async () =>
      ((await statusOf(delete_id))["shutdown_room"] as Json)[
        "kicked_users"
      ] as string[];
    expect(await kicked()).to.have.length(25);
    for (let steps = 0; steps < 200; steps += 1) {
      const process = steps % 2 === 0 ? second : server;
      await runTask(process.edges, { steps: 1, jobId: delete_id });
    }
    expect((await statusOf(delete_id))["status"]).to.equal("complete");
    expect(await kicked()).to.have.length(31);
    expect(await rowsOf(server, await nidOf(server, roomId))).to.deep.equal({
      memberships: 31,
      rooms: 1,
    });
    const most = await watch.largest();
    expect(most).to.be.above(50);
    expect(most).to.be.at.most(500);
  }).timeout(120_000);
});

describe("deleting rooms with time to think again", () => {
  const server = useServer();
  let admin: TestUser;
  let alice: TestUser;

  before(async () => {
    admin = await administrator(server, "admin", "system-admin");
    alice = await server.user("alice");
  });

  const contents = async (roomId: string): Promise<number> => {
    const [row] = await server.database.sql<{ count: number }[]>`
      select count(*) as count from event_contents c join events e using (nid) join rooms r using (room_nid)
      where r.room_id = ${roomId}`;
    return row!.count;
  };

  it("empties and blocks the room at once, and destroys it only after the undo window", async () => {
    const roomId = await makePublicRoom(alice);
    await say(alice, roomId, "not yet");
    const had = await contents(roomId);
    const answer = must(
      await admin.delete(`${S1}/rooms/${roomId}`, { purge: true }),
    );
    expect(answer["kicked_users"]).to.deep.equal([alice.userId]);
    const wait = (answer["org.myelin.not_before"] as number) - Date.now();
    expect(wait).to.be.within(23 * 3_600_000, 24 * 3_600_000 + 5_000);
    const jobId = answer["org.myelin.delete_id"] as string;
    await doTasks(server);
    expect(await contents(roomId)).to.equal(had);
    expect((await alice.post(path`/rooms/${roomId}/join`)).status).to.equal(
      403,
    );
    await server.database.sql`
      update admin_jobs set not_before = database_ms() where job_id = ${jobId}`;
    await doTasks(server);
    expect(await contents(roomId)).to.equal(0);
    const late = await admin.delete(`${N}/jobs/${jobId}`);
    expect(late.status).to.equal(400);
  });

  it("can be taken back until then: nothing is lost, and the room is open again", async () => {
    const roomId = await makePublicRoom(alice);
    await say(alice, roomId, "kept");
    const { delete_id } = must<{ delete_id: string }>(
      await admin.delete(`${N}/rooms/${roomId}`, { purge: true }),
    );
    await doTasks(server);
    const { jobs } = must<{ jobs: Json[] }>(
      await admin.get(`${N}/jobs?state=scheduled&kind=delete-room`),
    );
    expect(jobs.map((job) => job["job_id"])).to.include(delete_id);
    const moderator = await administrator(server, "mod", "room-moderator");
    const refused = await moderator.delete(`${N}/jobs/${delete_id}`);
    expect(refused.body["org.myelin.permission"]).to.equal("jobs.write");
    const cancelled = must(await admin.delete(`${N}/jobs/${delete_id}`));
    expect(cancelled["state"]).to.equal("cancelled");
    await server.database.sql`
      update admin_jobs set not_before = 0 where job_id = ${delete_id}`;
    await doTasks(server);
    await act(alice, roomId, "join");
    const page = await alice.get(
      path`/rooms/${roomId}/messages`.concat("?dir=b"),
    );
    expect(page.text).to.include("kept");
    const one = must(await admin.get(`${N}/jobs/${delete_id}`));
    expect(one["state"]).to.equal("cancelled");
    expect((await admin.get(`${N}/jobs/absent`)).status).to.equal(404);
  });

  it("does not destroy what somebody is in again, unless it is forced", async () => {
    for (const forced of [false, true]) {
      const roomId = await makePublicRoom(alice);
      const { delete_id } = must<{ delete_id: string }>(
        await admin.delete(`${S2}/rooms/${roomId}`, { force_purge: forced }),
      );
      await doTasks(server);
      must(await admin.put(`${S1}/rooms/${roomId}/block`, { block: false }));
      await act(alice, roomId, "join");
      await server.database.sql`
        update admin_jobs set not_before = 0 where job_id = ${delete_id}`;
      await doTasks(server);
      const status = must(
        await admin.get(`${S2}/rooms/delete_status/${delete_id}`),
      );
      expect(status["status"]).to.equal(forced ? "complete" : "failed");
      if (!forced) expect(status["error"]).to.match(/still joined/);
    }
  });

  it("loses nothing where it is taken back in the middle of a step", async () => {
    const roomId = await makePublicRoom(alice);
    const { delete_id } = must<{ delete_id: string }>(
      await admin.delete(`${S2}/rooms/${roomId}`, {}),
    );
    await doTasks(server);
    await server.database.sql`
      update admin_jobs set not_before = 0 where job_id = ${delete_id}`;
    const before = await contents(roomId);
    const [, answer] = await Promise.all([
      runTask(server.edges, { jobId: delete_id }),
      admin.delete(`${N}/jobs/${delete_id}`),
    ]);
    const left = await contents(roomId);
    const { state } = must<{ state: string }>(
      await admin.get(`${N}/jobs/${delete_id}`),
    );
    if (answer.status === 200) expect(state).to.equal("cancelled");
    else expect(left).to.equal(0);
    // Taken back, nothing more goes, whoever believes to be at it.
    await runTask(server.edges, { jobId: delete_id });
    expect(await contents(roomId)).to.equal(left);
    expect(left).to.be.at.most(before);
  });
});
