import { createPublicKey, type KeyObject } from "node:crypto";
import { readdir } from "node:fs/promises";
import { expect } from "chai";
import { isCertificate } from "../../../src/core/destruction-certificate.ts";
import { rotateAuditKey } from "../../../src/domain/admin/audit-rotation.ts";
import { runTask } from "../../../src/domain/admin/tasks/run-tasks.ts";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { indexWords } from "../../../src/domain/search/index-words.ts";
import { administrator } from "../../support/administrators.ts";
import {
  complianceOfficer,
  placeHold,
  releaseHold,
} from "../../support/holds.ts";
import {
  downloadPath,
  thumbnailPath,
  uploadImage,
} from "../../support/media.ts";
import {
  age,
  DAY_MS,
  findText,
  keepThem,
  putInForce,
  tick,
} from "../../support/retention.ts";
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

const N = "/_myelin/admin/v1/retention";

describe("retention policies", () => {
  const server = useServer({ "admin.undo_window_hours": 0 });
  let admin: TestUser;
  let alice: TestUser;

  before(async () => {
    admin = await administrator(server, "policies", "security-admin");
    alice = await server.user("alice");
  });

  it("are drafted, tried and put in force, each step after the one before", async () => {
    const place = `${N}/policies/stepwise`;
    expect((await admin.get(place)).status).to.equal(404);
    const document = { scope: { kind: "server" }, max_lifetime: DAY_MS };
    const drafted = must(await admin.put(place, document));
    expect(drafted).to.deep.include({ version: 1, draft: document });
    expect(drafted).to.not.have.property("active");
    const early = await admin.post(`${place}/activate`, { version: 1 });
    expect(early.body["errcode"]).to.equal("M_BAD_STATE");
    must(await admin.post(`${place}/dry-run`));
    must(await admin.put(place, { ...document, max_lifetime: 2 * DAY_MS }));
    const older = await admin.post(`${place}/activate`, { version: 1 });
    expect(older.body["errcode"]).to.equal("M_INVALID_PARAM");
    const untried = await admin.post(`${place}/activate`, { version: 2 });
    expect(untried.body["errcode"]).to.equal("M_BAD_STATE");
    must(await admin.post(`${place}/dry-run`));
    const active = must(await admin.post(`${place}/activate`, { version: 2 }));
    expect(active["active_version"]).to.equal(2);
    must(await admin.put(place, document));
    const shown = must(await admin.get(place));
    expect(shown["version"]).to.equal(3);
    expect(shown["active"]).to.deep.include({ max_lifetime: 2 * DAY_MS });
    const listed = must<{ policies: Json[] }>(await admin.get(`${N}/policies`));
    expect(listed.policies[0]!["policy_id"]).to.equal("stepwise");
    must(await admin.delete(place));
    expect((await admin.get(place)).status).to.equal(404);
  });

  it("are refused where they make no sense", async () => {
    for (const document of [
      { scope: { kind: "galaxy" } },
      { scope: { kind: "server", id: "x" }, max_lifetime: DAY_MS },
      { scope: { kind: "room", id: "x" }, max_lifetime: DAY_MS },
      { scope: { kind: "class", id: "x" }, max_lifetime: DAY_MS },
      { scope: { kind: "media", id: "avatar" } },
      // Of other servers' media nothing is kept.
      { scope: { kind: "media", id: "remote" }, max_lifetime: DAY_MS },
      { scope: { kind: "server" }, max_lifetime: 1 },
      {
        ...{ scope: { kind: "server" }, max_lifetime: DAY_MS },
        min_lifetime: 2 * DAY_MS,
      },
    ]) {
      const answer = await admin.put(`${N}/policies/odd`, document);
      expect(answer.status, JSON.stringify(document)).to.equal(400);
    }
  });

  it("destroy nothing while they are drafts, nor within the undo window, nor when they are gone", async () => {
    const roomId = await makeRoom(alice);
    await say(alice, roomId, "stays for now");
    await age(server, 10 * DAY_MS, roomId);
    const document = {
      ...{ scope: { kind: "room", id: roomId }, max_lifetime: DAY_MS },
    };
    must(await admin.put(`${N}/policies/room`, document));
    await keepThem(server);
    await putInForce(admin, "room", document);
    const { sql } = server.database;
    await sql`update retention_policies set in_force_ts = database_ms() + 60000`;
    await keepThem(server);
    await sql`update retention_policies set in_force_ts = database_ms()`;
    await tick(server);
    must(await admin.delete(`${N}/policies/room`));
    await doTasks(server);
    const events = await pageThrough(alice, roomId, { dir: "f", limit: 50 });
    expect(bodiesOf(events)).to.deep.equal(["stays for now"]);
  });
});

describe("retention policies with time to think again", () => {
  const server = useServer();

  it("keep what a policy keeps until the next one is in force, and while its end can be undone", async () => {
    const { sql } = server.database;
    const admin = await administrator(server, "admin", "security-admin");
    const alice = await server.user("alice");
    const roomId = await makeRoom(alice);
    const scope = { kind: "room", id: roomId };
    const pass = async () => {
      await sql`update retention_policies set in_force_ts = database_ms()`;
      await sql`update retention_policies set removed_ts = database_ms() where removed_ts is not null`;
    };
    const left = async () =>
      bodiesOf(await pageThrough(alice, roomId, { dir: "f", limit: 50 }));
    await say(alice, roomId, "kept");
    await age(server, 10 * DAY_MS, roomId);
    await putInForce(admin, "long", { scope, max_lifetime: 99 * DAY_MS });
    await putInForce(admin, "all", {
      ...{ scope: { kind: "server" }, max_lifetime: DAY_MS },
    });
    await pass();
    await putInForce(admin, "long", { scope, max_lifetime: 5 * DAY_MS });
    await keepThem(server);
    expect(await left()).to.deep.equal(["kept"]);
    must(await admin.delete(`${N}/policies/long`));
    await keepThem(server);
    expect(await left()).to.deep.equal(["kept"]);
    expect(
      must(await admin.get(`${N}/policies/long`))["removed_ts"],
    ).to.be.above(Date.now());
    await pass();
    await keepThem(server);
    expect(await left()).to.deep.equal([undefined]);
    expect((await admin.get(`${N}/policies/long`)).status).to.equal(404);
  });
});

describe("retention", () => {
  const server = useServer({
    "admin.undo_window_hours": 0,
    sealing: "off",
  });
  let officer: TestUser;
  let second: TestProcess;
  let admin: TestUser;
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    officer = await complianceOfficer(server);
    second = await server.startProcess();
    admin = await administrator(server, "admin", "security-admin");
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const inForce = (roomId: string, more: Json = {}) =>
    putInForce(admin, `p${Date.now()}`, {
      scope: { kind: "room", id: roomId },
      max_lifetime: DAY_MS,
      ...more,
    });
  const bodies = async (user: TestUser, roomId: string) =>
    bodiesOf(await pageThrough(user, roomId, { dir: "f", limit: 20 }));
  /** Whatever holds are: retention asks this of each event. */
  const holdUser = (userId: string) => placeHold(officer, { users: [userId] });

  it("leaves the skeleton of what is over, on every way to read, and nothing of it in any table", async () => {
    const roomId = await makeRoom(alice);
    await act(alice, roomId, "invite", { user_id: bob.userId });
    await act(bob, roomId, "join");
    const since = must(await bob.get("/sync"))["next_batch"] as string;
    await setState(alice, roomId, "m.room.topic", { topic: "canary-1 topic" });
    await setState(alice, roomId, "m.room.topic", { topic: "the new topic" });
    const medium = await uploadImage(alice);
    const old = await send(alice, roomId, "m.room.message", {
      ...{ msgtype: "m.image", body: "canary-1", url: `mxc://test/${medium}` },
      "m.mentions": { user_ids: [bob.userId] },
    });
    const reply = await send(alice, roomId, "m.room.message", {
      ...{ msgtype: "m.text", body: "canary-1 reply" },
      "m.relates_to": { rel_type: "m.thread", event_id: old },
    });
    await send(bob, roomId, "m.reaction", {
      "m.relates_to": { rel_type: "m.annotation", event_id: old, key: "x" },
    });
    await age(server, 2 * DAY_MS, roomId);
    // Its edit is young; what it says is not.
    await send(alice, roomId, "m.room.message", {
      ...{ msgtype: "m.text", body: "* canary-1 edited" },
      "m.new_content": { msgtype: "m.text", body: "canary-1 edited" },
      "m.relates_to": { rel_type: "m.replace", event_id: old },
    });
    await say(bob, roomId, "young");
    const there = { ...bob, ...second.as(bob) };
    for (const user of [alice, there])
      must(await user.get(path`/rooms/${roomId}/event/${old}`));
    expect(await findText(server, "canary-1")).to.include("event_contents");
    const counts = await inForce(roomId);
    expect(counts["messages"]).to.equal(3);
    expect(counts["state"]).to.be.above(0);
    await keepThem(server);
    expect(await findText(server, "canary-1")).to.deep.equal([]);
    for (const user of [alice, bob, there]) {
      const event = must(await user.get(path`/rooms/${roomId}/event/${old}`));
      expect(event["content"]).to.deep.equal({});
      expect(event["unsigned"]).to.not.have.property("redacted_because");
      expect(event["unsigned"]).to.not.have.property("m.relations");
      expect(event).to.include({ sender: alice.userId });
      for (const place of [
        path`/rooms/${roomId}/messages`.concat("?dir=b&limit=50"),
        path`/rooms/${roomId}/context/${old}`,
        path`/rooms/${roomId}/state`,
        path`/_matrix/client/v1/rooms/${roomId}/relations/${old}`,
        path`/_matrix/client/v1/rooms/${roomId}/threads`,
        "/notifications",
        "/sync",
        `/sync?since=${since}`,
      ]) {
        const answer = await user.get(place);
        expect(answer.status, place).to.equal(200);
        expect(answer.text, place).to.not.include("canary-1");
      }
      expect((await user.get(downloadPath(medium))).status).to.equal(404);
    }
    const topic = must(
      await bob.get(path`/rooms/${roomId}/state/m.room.topic`),
    );
    expect(topic["topic"]).to.equal("the new topic");
    const found = must<{ search_categories: { room_events: Json } }>(
      await alice.post("/search", {
        search_categories: { room_events: { search_term: "canary" } },
      }),
    );
    expect(found.search_categories.room_events["count"]).to.equal(0);
    // The room goes on.
    await say(alice, roomId, "goes on");
    const carol = await server.user("carol");
    await act(alice, roomId, "invite", { user_id: carol.userId });
    await act(carol, roomId, "join");
    // Its row keeps it from coming back: it is not received anew.
    const rows = await server.database.sql<{ status: number }[]>`
      select status from events where event_id = any(${[old, reply]}::text[])`;
    expect(rows.map(({ status }) => status)).to.deep.equal([0, 0]);
  });

  it("destroys the last thing said in a room too, and leaves no bytes of its file", async () => {
    const roomId = await makePublicRoom(alice);
    const medium = await uploadImage(alice);
    const before = (await readdir(server.mediaFolder, { recursive: true }))
      .length;
    const only = await send(alice, roomId, "m.room.message", {
      ...{ msgtype: "m.image", body: "canary-2", url: `mxc://test/${medium}` },
    });
    await age(server, 2 * DAY_MS, roomId);
    await inForce(roomId);
    await keepThem(server);
    expect(await findText(server, "canary-2")).to.deep.equal([]);
    const event = must(await alice.get(path`/rooms/${roomId}/event/${only}`));
    expect(event["content"]).to.deep.equal({});
    expect(
      (await readdir(server.mediaFolder, { recursive: true })).length,
    ).to.be.below(before);
    await act(bob, roomId, "join");
    expect(await say(bob, roomId, "hello")).to.be.a("string");
  });

  it("keeps unread counts, and tells of nothing that is over", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await say(alice, roomId, "one");
    await say(alice, roomId, `two for ${bob.userId}`);
    await age(server, 2 * DAY_MS, roomId);
    await say(alice, roomId, "three");
    await inForce(roomId);
    await keepThem(server);
    const sync = must<{ rooms: { join: Record<string, Json> } }>(
      await bob.get("/sync"),
    );
    const unread = sync.rooms.join[roomId]!["unread_notifications"] as Json;
    expect(unread).to.deep.equal({ notification_count: 1, highlight_count: 0 });
    // What is over is not counted over and over.
    const [floor] = await server.database.sql<{ left: number }[]>`
      select count(*) as left from events e join rooms r using (room_nid)
      where r.room_id = ${roomId} and e.position > r.expired_position and e.is_countable`;
    expect(floor!.left).to.equal(1);
  });

  it("sends redactions where the policy says so", async () => {
    const roomId = await makePublicRoom(alice);
    const old = await say(alice, roomId, "taken back");
    await age(server, 2 * DAY_MS, roomId);
    const since = must(await alice.get("/sync"))["next_batch"] as string;
    await inForce(roomId, { redact: true });
    await keepThem(server);
    const event = must(await alice.get(path`/rooms/${roomId}/event/${old}`));
    expect(event["content"]).to.deep.equal({});
    const unsigned = event["unsigned"] as Json;
    expect(unsigned["redacted_because"]).to.deep.include({
      content: { reason: "retention", redacts: old },
    });
    const sync = await alice.get(`/sync?since=${since}`);
    expect(sync.text).to.include('"m.room.redaction"');
    await keepThem(server);
    const events = await pageThrough(alice, roomId, { dir: "f", limit: 50 });
    const sent = events.filter(({ type }) => type === "m.room.redaction");
    expect(sent).to.have.length(1);
  });

  it("lets a room ask for less, within the policy's bounds", async () => {
    const short = await makeRoom(alice);
    const shorter = await makeRoom(alice);
    for (const [roomId, days] of [
      [short, 3],
      [shorter, 0.01],
    ] as const) {
      await say(alice, roomId, "old");
      await age(server, 4 * DAY_MS, roomId);
      await say(alice, roomId, "younger");
      await age(server, 1.5 * DAY_MS, roomId);
      await setState(alice, roomId, "m.room.retention", {
        max_lifetime: days * DAY_MS,
      });
      await inForce(roomId, {
        ...{ min_lifetime: 2 * DAY_MS, max_lifetime: 10 * DAY_MS },
      });
    }
    await keepThem(server);
    for (const roomId of [short, shorter])
      expect(await bodies(alice, roomId)).to.deep.equal([undefined, "younger"]);
  });

  it("drops receipts with their messages where it is asked to", async () => {
    const roomId = await makePublicRoom(alice);
    const read = await say(alice, roomId, "read");
    must(await alice.post(path`/rooms/${roomId}/receipt/m.read/${read}`, {}));
    await age(server, 2 * DAY_MS, roomId);
    const { sql } = server.database;
    await sql`update receipts set receipt_ts = receipt_ts - ${2 * DAY_MS}::bigint where event_id = ${read}`;
    await inForce(roomId, { receipts: true });
    await keepThem(server);
    const rows = await sql`select from receipts where event_id = ${read}`;
    expect(rows).to.have.length(0);
  });

  it("of a space is of all that is in it, once both sides say so", async () => {
    const space = await makeRoom(alice, {
      creation_content: { type: "m.space" },
    });
    const [inside, stranger] = [await makeRoom(alice), await makeRoom(alice)];
    for (const roomId of [inside, stranger]) {
      await say(alice, roomId, "old");
      await age(server, 3 * DAY_MS, roomId);
      const via = { via: ["test"] };
      await setState(alice, space, "m.space.child", via, roomId);
      if (roomId === inside)
        await setState(alice, roomId, "m.space.parent", via, space);
    }
    await putInForce(admin, "of-a-space", {
      ...{ scope: { kind: "space", id: space }, max_lifetime: DAY_MS },
    });
    await keepThem(server);
    expect(await bodies(alice, inside)).to.deep.equal([undefined]);
    expect(await bodies(alice, stranger)).to.deep.equal(["old"]);
    await setState(alice, stranger, "m.space.parent", { via: ["test"] }, space);
    await keepThem(server);
    expect(await bodies(alice, stranger)).to.deep.equal([undefined]);
  });

  it("skips what is held and counts it", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await say(alice, roomId, "hers goes");
    const kept = await say(bob, roomId, "his is held");
    await age(server, 2 * DAY_MS, roomId);
    const holdId = await holdUser(bob.userId);
    const counts = await inForce(roomId);
    expect(counts).to.include({ messages: 1 + 0 });
    expect(counts["held"]).to.be.at.least(1);
    await keepThem(server);
    expect(await bodies(alice, roomId)).to.deep.equal([
      undefined,
      "his is held",
    ]);
    const status = must<{ policies: Json[] }>(await admin.get(`${N}/status`));
    expect(status.policies.some(({ held }) => held === 1)).to.equal(true);
    await releaseHold(officer, holdId);
    await keepThem(server);
    const event = must(await alice.get(path`/rooms/${roomId}/event/${kept}`));
    expect(event["content"]).to.deep.equal({});
  });

  it("takes at most 500 rows a transaction, and goes on where a process died, while others write", async () => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    const medium = await uploadImage(bob);
    for (let i = 0; i < 6; i += 1)
      await Promise.all(
        Array.from({ length: 50 }, (_, j) =>
          send(alice, roomId, "m.room.message", {
            ...{ msgtype: "m.image", body: `${i} ${j}` },
            url: `mxc://test/${medium}`,
            "m.mentions": { user_ids: [bob.userId] },
          }),
        ),
      );
    await age(server, 2 * DAY_MS, roomId);
    await inForce(roomId);
    await tick(server);
    const { sql } = server.database;
    const watch = await watchTransactions(sql);
    for (let steps = 0; steps < 100; steps += 1) {
      const process = steps % 2 === 0 ? server : second;
      await runTask(process.edges, { steps: 1 });
      if (steps < 6) await say(bob, roomId, `live ${steps}`);
      // Whoever had it is gone without letting go.
      if (steps === 2)
        await sql`
          update admin_jobs set held_until = clock_timestamp() - interval '1 second', holder = gen_random_uuid()
          where kind = 'retention' and state = 'active'`;
    }
    const live = (await bodies(bob, roomId)).filter(
      (each) => each !== undefined,
    );
    expect(live).to.deep.equal([0, 1, 2, 3, 4, 5].map((i) => `live ${i}`));
    const most = await watch.largest();
    expect(most).to.be.above(100);
    expect(most).to.be.at.most(500);
    const [row] = await sql<{ count: number }[]>`
      select sum(count)::bigint as count from retention_tallies
      where what = 'contents' and job_id = (
        select job_id from admin_jobs where kind = 'retention' order by created_ts desc limit 1)`;
    expect(row!.count).to.be.at.least(300);
  }).timeout(120_000);

  it("has files go by class, and by age or by when they were had last", async () => {
    const { sql } = server.database;
    const unused = await uploadImage(alice);
    const had = await uploadImage(alice);
    const avatar = await uploadImage(alice);
    must(
      await alice.put(path`/profile/${alice.userId}/avatar_url`, {
        avatar_url: `mxc://test/${avatar}`,
      }),
    );
    await sql`update media set created_ts = created_ts - ${9 * DAY_MS}::bigint where media_id = any(${[unused, had, avatar]}::text[])`;
    await sql`update media set last_access_ts = database_ms() where media_id = ${had}`;
    await putInForce(admin, "files", {
      scope: { kind: "media", id: "attachment" },
      ...{ max_lifetime: 5 * DAY_MS, basis: "access" },
    });
    await putInForce(admin, "pictures", {
      ...{ scope: { kind: "media", id: "avatar" }, max_lifetime: DAY_MS },
    });
    await keepThem(server);
    expect((await alice.get(downloadPath(unused))).status).to.equal(404);
    must(await alice.get(downloadPath(had)));
    must(await alice.get(downloadPath(avatar)));
    await putInForce(admin, "files", {
      ...{
        scope: { kind: "media", id: "attachment" },
        max_lifetime: 5 * DAY_MS,
      },
    });
    await keepThem(server);
    expect((await alice.get(downloadPath(had))).status).to.equal(404);
    must(await alice.get(downloadPath(avatar)));
  });

  it("takes a file for what it is shown as, whatever words the name of that has in it", async () => {
    const packer = await server.user("packer");
    const roomId = await makeRoom(packer);
    const classOf = async (type: string, isPack: boolean) => {
      const medium = await uploadImage(packer);
      const image = { url: `mxc://test/${medium}` };
      if (isPack) await setState(packer, roomId, type, { images: { image } });
      else await send(packer, roomId, type, image);
      const [row] = await server.database.sql<{ named: string }[]>`
        select media_class(${medium}) as named`;
      return row!.named;
    };
    for (const [type, named, isPack] of [
      ["org.example.remote_control", "attachment", false],
      ["org.example.not_an_image_pack", "attachment", false],
      ["m.room.message", "attachment", false],
      ["m.sticker", "emoji", false],
      ["im.ponies.room_emotes", "emoji", true],
    ] as const)
      expect(await classOf(type, isPack), type).to.equal(named);
  });

  it("keeps what somebody's own pack of emoji has, for as long as it has it", async () => {
    const { sql } = server.database;
    const collector = await server.user("collector");
    const roomId = await makeRoom(collector);
    const places = [
      path`/user/${collector.userId}/account_data/im.ponies.user_emotes`,
      path`/user/${collector.userId}/rooms/${roomId}/account_data/org.example.pack`,
    ];
    const packed: string[] = [];
    for (const place of places) {
      const [image, cover] = [
        await uploadImage(collector),
        await uploadImage(collector),
      ];
      packed.push(image, cover);
      const pack = { avatar_url: `mxc://test/${cover}` };
      const images = { smile: { url: `mxc://test/${image}` } };
      must(await collector.put(place, { images, pack }));
      await send(collector, roomId, "m.sticker", {
        ...{ body: "smile", url: `mxc://test/${image}` },
      });
    }
    const named = await sql<{ class: string }[]>`
      select media_class(m) as class from unnest(${packed}::text[]) m`;
    expect(named.map((row) => row.class)).to.deep.equal(
      packed.map(() => "emoji"),
    );
    await age(server, 9 * DAY_MS, roomId);
    await sql`
      update media set created_ts = created_ts - ${9 * DAY_MS}::bigint where media_id = any(${packed}::text[])`;
    // The trial knows too that they stay.
    expect(await inForce(roomId)).to.include({ messages: 2, media: 0 });
    for (const id of ["emoji", "attachment"])
      await putInForce(admin, `of-${id}`, {
        ...{ scope: { kind: "media", id }, max_lifetime: DAY_MS },
      });
    const statuses = () =>
      Promise.all(
        packed.map(
          async (medium) => (await collector.get(downloadPath(medium))).status,
        ),
      );
    await keepThem(server);
    expect(await statuses()).to.deep.equal([200, 200, 200, 200]);
    const keeper = await administrator(server, "keeper", "system-admin");
    must(
      await keeper.post(
        `/_synapse/admin/v1/media/delete?before_ts=${Date.now() - 1}&size_gt=0&keep_profiles=true`,
      ),
    );
    expect(await statuses()).to.deep.equal([200, 200, 200, 200]);
    must(await collector.put(places[0]!, { images: {} }));
    await keepThem(server);
    expect(await statuses()).to.deep.equal([404, 404, 200, 200]);
    for (const id of ["emoji", "attachment"])
      must(await admin.delete(`${N}/policies/of-${id}`));
  });

  it("takes small pictures, what pages said, and what was sent late", async () => {
    const { sql } = server.database;
    const medium = await uploadImage(alice);
    must(await alice.get(thumbnailPath(medium, { width: 32, height: 32 })));
    const countSmall = async () => {
      const [row] = await sql<{ count: number }[]>`
        select count(*) as count from media_blobs b join media m on m.blob_id = b.origin_blob_id
        where m.media_id = ${medium} and b.state = 'stored'`;
      return row!.count;
    };
    expect(await countSmall()).to.equal(1);
    await sql`update media set created_ts = created_ts - ${4 * DAY_MS}::bigint, last_access_ts = null where media_id = ${medium}`;
    for (const days of [0, 9]) {
      await sql`
        insert into url_previews (url_hash, fetched_ts, expires_ts, is_failure, key_id, sealed)
        values (sha256(${`page ${days}`}::bytea), database_ms() - ${days * DAY_MS}::bigint, 0, false, 0, 'canary-5')`;
      await sql`
        insert into delayed_events (delay_key, user_id, room_id, type, delay_ms, running_since, send_ts, key_id, sealed, finalised_ts)
        values (sha256(${`late ${days}`}::bytea), '@a:test', '!r', 'm.x', 1, 1, 1, 0, 'canary-5', database_ms() - ${days * DAY_MS}::bigint)`;
    }
    await putInForce(admin, "small", {
      scope: { kind: "media", id: "thumbnail" },
      ...{ max_lifetime: 3 * DAY_MS },
    });
    await putInForce(admin, "pages", {
      ...{ scope: { kind: "room", id: "!none:test" }, max_lifetime: DAY_MS },
    });
    await keepThem(server);
    expect(await countSmall()).to.equal(0);
    must(await alice.get(downloadPath(medium)));
    must(await alice.get(thumbnailPath(medium, { width: 32, height: 32 })));
    for (const table of ["url_previews", "delayed_events"]) {
      const [row] = await sql<
        { count: number }[]
      >`select count(*) as count from ${sql(table)}`;
      expect(row!.count, table).to.equal(1);
    }
  });

  it("forgets where devices came from", async () => {
    const { sql } = server.database;
    const isKnown = async () => {
      const { devices } = must<{ devices: Json[] }>(await bob.get("/devices"));
      return devices.some((device) => device["last_seen_ip"] !== undefined);
    };
    for (let tries = 0; !(await isKnown()) && tries < 500; tries += 1)
      await new Promise((done) => setImmediate(done));
    expect(await isKnown()).to.equal(true);
    await sql`update devices set last_seen_ts = last_seen_ts - ${9 * DAY_MS}::bigint where user_id = ${bob.userId}`;
    await putInForce(admin, "addresses", {
      ...{ scope: { kind: "data", id: "addresses" }, max_lifetime: DAY_MS },
    });
    await keepThem(server);
    expect(await isKnown()).to.equal(false);
  });
});

describe("certificates of destruction", () => {
  const server = useServer({
    "admin.undo_window_hours": 0,
    "retention.key_backup_days": 0,
  });
  let admin: TestUser;
  let alice: TestUser;
  let key: KeyObject;

  before(async () => {
    admin = await administrator(server, "admin", "security-admin");
    alice = await server.user("alice");
    ({ key } = await signingKey());
  });

  const signingKey = async () => {
    const { keyId, publicKey } = await server.edges.auditKey.current();
    const x = Buffer.from(publicKey, "base64").toString("base64url");
    const jwk = { kty: "OKP", crv: "Ed25519", x };
    return { keyId, key: createPublicKey({ key: jwk, format: "jwk" }) };
  };

  interface Signed {
    certificate: string;
    signature: string;
    key_id: string;
  }
  interface Certificate extends Signed {
    certificate_id: string;
    unreadable_ts: number | null;
    signed_first?: Signed;
  }
  const newest = async (): Promise<Certificate> => {
    const { certificates } = must<{ certificates: Certificate[] }>(
      await admin.get(`${N}/certificates?dir=b&limit=1`),
    );
    return certificates[0]!;
  };

  const again = async ({
    certificate_id: id,
  }: Pick<Certificate, "certificate_id">): Promise<Certificate> =>
    must<Certificate & Json>(await admin.get(`${N}/certificates/${id}`));
  /** As if the master keys of older epochs were gone. */
  const rotated = (epoch: number) => server.database.sql`
    update server_settings set value = regexp_replace(value, '"master-[0-9]+"', ${`"master-${epoch}"`})
    where name = 'secrets'`;

  it("say what is gone, and when no copy can be read any more: the keys are, and the master key that wrapped them", async () => {
    const { sql } = server.database;
    const roomId = await makePublicRoom(alice);
    for (let i = 0; i < 3; i += 1) await say(alice, roomId, `sealed ${i}`);
    await putInForce(admin, "short", {
      ...{ scope: { kind: "room", id: roomId }, max_lifetime: DAY_MS },
    });
    // From here on its keys last a day.
    await tick(server);
    await say(alice, roomId, "sealed for a day");
    await doTasks(server);
    await runJob(server.edges, indexWords);
    const keysOf = () => sql<{ span: string }[]>`
      select span from keys where scope = 'room-span' and owner = ${roomId} order by span`;
    await age(server, 70 * DAY_MS, roomId);
    await sql`
      update keys set span = to_char(now() - interval '70 days', case when length(span) = 7 then 'YYYY-MM' else 'YYYY-MM-DD' end)
      where scope = 'room-span' and owner = ${roomId}`;
    await keepThem(server);
    expect(await keysOf()).to.deep.equal([]);
    await tick(server);
    const first = await newest();
    const said = JSON.parse(first.certificate) as Json;
    expect(said["destroyed"]).to.include({ messages: 4, contents: 4 });
    expect(said["gone_ts"]).to.be.a("number");
    expect(JSON.stringify(said["limits"])).to.match(/quote.*before a reply/);
    expect(isCertificate(first.certificate, first.signature, key)).to.equal(
      true,
    );
    const changed = first.certificate.replace('"contents":4', '"contents":5');
    expect(isCertificate(changed, first.signature, key)).to.equal(false);
    expect(first.unreadable_ts).to.equal(null);
    await rotateAuditKey(server.edges, "command line");
    const next = await signingKey();
    expect(next.keyId).to.not.equal(first.key_id);
    // The key of its words lives: their hashes in an old copy could be tried.
    const ages = () => sql`
      select from retention_certificates where certificate_id = ${first.certificate_id} and keys_gone_ts is not null`;
    expect(await ages()).to.have.length(0);
    await sql`
      update keys set span = to_char(now() - interval '70 days', 'YYYY-MM') where scope = 'room-words' and owner = ${roomId}`;
    await keepThem(server);
    await tick(server);
    expect(await ages()).to.have.length(1);
    // The master key that wrapped the keys still opens their copies.
    expect((await again(first)).unreadable_ts).to.equal(null);
    await rotated(2);
    await tick(server);
    await tick(server);
    const last = await again(first);
    expect(last.unreadable_ts).to.be.at.least(said["gone_ts"] as number);
    const isLast = isCertificate(last.certificate, last.signature, next.key);
    expect(isLast).to.equal(true);
    expect(last.key_id).to.equal(next.keyId);
    expect(JSON.parse(last.certificate)).to.include({
      ...{ unreadable_ts: last.unreadable_ts, key_id: next.keyId },
    });
    // What was signed before the key was replaced is there as it was, under its own key's name.
    const { certificate, signature, key_id } = first;
    expect(last.signed_first).to.deep.equal({ certificate, signature, key_id });
    expect(JSON.parse(certificate)).to.include({ key_id });
    expect((await admin.get(`${N}/certificates/absent`)).status).to.equal(404);
  });

  it("say nothing of old copies while the key of a file's month lives", async () => {
    const { sql } = server.database;
    const roomId = await makePublicRoom(alice);
    const medium = await uploadImage(alice);
    await send(alice, roomId, "m.room.message", {
      ...{ msgtype: "m.image", body: "file", url: `mxc://test/${medium}` },
    });
    await putInForce(admin, "filed", {
      ...{ scope: { kind: "room", id: roomId }, max_lifetime: DAY_MS },
    });
    await tick(server);
    await doTasks(server);
    await age(server, 70 * DAY_MS, roomId);
    const older = (scope: string) => sql`
      update keys set span = to_char(now() - interval '70 days', 'YYYY-MM')
      where scope = ${scope} and owner in (${roomId}, ${alice.userId})`;
    await older("room-span");
    await keepThem(server);
    await tick(server);
    const first = await newest();
    const said = JSON.parse(first.certificate) as Json;
    expect(said["destroyed"]).to.include({ messages: 1, media: 1 });
    expect(JSON.stringify(said["limits"])).to.match(/Files.*month/);
    expect((await again(first)).unreadable_ts).to.equal(null);
    const stays = await uploadImage(alice);
    await older("user-files");
    // Something else of that month is left.
    await keepThem(server);
    const keys = () => sql`
      select from keys where scope = 'user-files' and owner = ${alice.userId}`;
    expect(await keys()).to.have.length(1);
    must(await alice.get(downloadPath(stays)));
    await sql`delete from media where media_id = ${stays}`;
    await keepThem(server);
    expect(await keys()).to.have.length(0);
    await tick(server);
    await tick(server);
    expect((await again(first)).unreadable_ts).to.be.a("number");
  });

  it("say nothing of old copies where what went is sealed as long as its user is here", async () => {
    const { sql } = server.database;
    const seen = async () =>
      (
        await sql`
          select from devices where user_id = ${alice.userId} and last_seen_ts is not null`
      ).length > 0;
    for (let tries = 0; !(await seen()) && tries < 500; tries += 1)
      await new Promise((done) => setImmediate(done));
    await sql`
      update devices set last_seen_ts = database_ms() - ${9 * DAY_MS}::bigint where user_id = ${alice.userId}`;
    await putInForce(admin, "addresses", {
      ...{ scope: { kind: "data", id: "addresses" }, max_lifetime: DAY_MS },
    });
    await keepThem(server);
    await tick(server);
    const first = await newest();
    const said = JSON.parse(first.certificate) as Json;
    expect(said["destroyed"]).to.have.property("addresses");
    expect(said["keys"]).to.deep.equal({ of_a_span: 0, of_longer_life: 1 });
    expect(JSON.stringify(said["limits"])).to.match(/addresses of devices/);
    await tick(server);
    await tick(server);
    expect((await again(first)).unreadable_ts).to.equal(null);
  });

  it("go by the master key of when the last key was gone, under which it may have been wrapped anew", async () => {
    const { sql } = server.database;
    await sql`
      insert into retention_certificates (certificate_id, job_id, policy_id, gone_ts, document, signature, key_id)
      values ('anew', 'anew', 'anew', 1, '{}', '', '')`;
    await sql`
      insert into retention_keys (job_id, policy_id, key_id, is_span, master_epoch) values ('anew', 'anew', 1, true, 1)`;
    const epochIs = (epoch: number) => sql`
      update server_settings set value = ${String(epoch)} where name = 'master_epoch'`;
    await epochIs(6);
    await rotated(6);
    await tick(server);
    await tick(server);
    await epochIs(1);
    const anew = () => again({ certificate_id: "anew" });
    expect((await anew()).unreadable_ts).to.equal(null);
    await rotated(7);
    await tick(server);
    expect((await anew()).unreadable_ts).to.be.a("number");
  });

  it("seals what is said under a key of the day where little is kept", async () => {
    const { sql } = server.database;
    const roomId = await makePublicRoom(alice);
    await putInForce(admin, "daily", {
      ...{ scope: { kind: "room", id: roomId }, max_lifetime: 30 * DAY_MS },
    });
    await tick(server);
    const eventId = await say(alice, roomId, "of today");
    const rows = await sql<{ span: string }[]>`
      select k.span from events e join event_contents c using (nid) join keys k on k.key_id = c.second_key
      where e.event_id = ${eventId}`;
    expect(rows.map(({ span }) => span.length)).to.deep.equal([10]);
  });
});
