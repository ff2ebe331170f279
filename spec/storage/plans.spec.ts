import { expect } from "chai";
import { clearMedia } from "../../src/domain/jobs/clear-media.ts";
import { randomUUID } from "node:crypto";
import { sendDueEvents } from "../../src/domain/jobs/send-delayed-events.ts";
import { findPushes } from "../../src/domain/push/find-pushes.ts";
import { packParcels } from "../../src/domain/push/parcels.ts";
import { findRoomIdentity } from "../../src/domain/rooms/room-identity.ts";
import { isErasureHeld } from "../../src/storage/erasures.ts";
import { findSeqSince } from "../../src/storage/alerts.ts";
import { hasHeld, listHeldEvents } from "../../src/storage/holds.ts";
import { keepShards } from "../../src/storage/push-shards.ts";
import {
  deletePushers,
  listDuePushes,
  listTouchedRooms,
  listWaitingPushers,
  queuePushes,
  settlePushes,
} from "../../src/storage/push-queue.ts";
import { runTask } from "../../src/domain/admin/tasks/run-tasks.ts";
import { bindRole } from "../support/administrators.ts";
import { destroyReleasedContents } from "../../src/domain/jobs/destroy-released.ts";
import { runJob } from "../../src/domain/jobs/job.ts";
import { indexWords } from "../../src/domain/search/index-words.ts";
import { newDevice } from "../support/device-identity.ts";
import { quiet } from "../support/database.ts";
import { fillDatabase } from "../support/fill-database.ts";
import { placeHold, releaseHold } from "../support/holds.ts";
import { keyData, makeBackup } from "../support/key-backup.ts";
import { downloadPath, thumbnailPath, uploadImage } from "../support/media.ts";
import { setPusher } from "../support/pushing.ts";
import {
  edit,
  redact,
  refer,
  relationsPath,
  reply,
  threadsPath,
} from "../support/relations.ts";
import { makeRoom, path, send } from "../support/rooms.ts";
import { SLIDING_SYNC } from "../support/sliding-reader.ts";
import {
  type Json,
  type TestProcess,
  type TestUser,
  useServer,
} from "../support/server.ts";

/** Tables that hold a handful of rows, however large a server becomes. */
const SMALL = new Set([
  "server_settings",
  "search_progress",
  "room_turns",
  "leases",
  "ephemeral_marks",
  "push_shards",
  "push_processes",
  "pg_database",
  "authority",
  "role_bindings",
  "custom_roles",
  "policies",
  "holds",
  "audit_keys",
  "audit_prunings",
]);
/** Indexes of a few rows of a large table: the tasks that are under way. */
const SMALL_INDEX = /using admin_jobs_due /;

/** A table read in its own order, or in that of an index without a condition on it. */
const SCAN =
  /Seq Scan on (\w+)|Index (?:Only )?Scan (?:Backward )?using \w+ on (\w+)[^\n]*\n(?!\s*(?:Index Cond|Heap))/g;

describe("the plans of what is asked often", () => {
  const plans: string[] = [];
  const server = useServer(
    {},
    {
      ...quiet,
      debug: (_details, message) => {
        if (message.includes("plan:")) plans.push(message);
      },
    },
  );
  let explained: TestProcess;

  before("fill the tables", async function () {
    this.timeout(60_000);
    const { sql } = server.database;
    await fillDatabase(sql);
    const [row] = await sql<
      { name: string }[]
    >`select current_database() as name`;
    for (const [setting, value] of [
      ["session_preload_libraries", "auto_explain"],
      ["auto_explain.log_min_duration", "0"],
      ["auto_explain.log_nested_statements", "on"],
      ["auto_explain.log_level", "notice"],
      ["client_min_messages", "notice"],
    ] as const) {
      await sql.unsafe(
        `alter database ${row!.name} set ${setting} = '${value}'`,
      );
    }
    explained = await server.startProcess();
  });

  /** What reads a whole table that grows, of the statements since the last call. */
  function listScans(): string[] {
    const scans = plans.flatMap((plan) =>
      [...plan.matchAll(SCAN)]
        .filter(
          ([scan, table, index]) =>
            !SMALL.has(table ?? index ?? "") && !SMALL_INDEX.test(scan),
        )
        .map(
          ([scan]) => `${scan} in ${plan.replace(/\s+/g, " ").slice(0, 400)}`,
        ),
    );
    return [...new Set(scans)];
  }

  const expectNoScan = (least: number) => {
    expect(plans.length, "statements explained").to.be.at.least(least);
    const scans = listScans();
    plans.length = 0;
    expect(scans, scans.join("\n")).to.have.length(0);
  };

  async function sync(user: TestUser, query: string): Promise<Json> {
    return (await user.get(`/sync?timeout=0${query}`)).body;
  }

  it("read no table whole that grows: accounts, rooms, messages and syncs", async function () {
    this.timeout(30_000);
    const alice = await explained.user("alice");
    const bob = await explained.user("bob");
    expectNoScan(2);

    const { body } = await alice.post("/createRoom", {
      preset: "public_chat",
      name: "plans",
      room_alias_name: "plans",
    });
    const roomId = String(body["room_id"]);
    await bob.post(path`/join/${"#plans:test"}`);
    expectNoScan(10);

    let since = String((await sync(alice, ""))["next_batch"]);
    expectNoScan(10);
    since = String((await sync(alice, `&since=${since}`))["next_batch"]);
    expectNoScan(1);

    const { body: sent } = await bob.put(
      path`/rooms/${roomId}/send/m.room.message/1`,
      {
        msgtype: "m.text",
        body: "alice",
        "m.mentions": { user_ids: [alice.userId] },
      },
    );
    await bob.put(path`/rooms/${roomId}/send/m.room.message/1`, {
      msgtype: "m.text",
      body: "again",
    });
    const eventId = String(sent["event_id"]);
    await alice.post(path`/rooms/${roomId}/receipt/m.read/${eventId}`, {});
    await bob.put(path`/rooms/${roomId}/typing/${bob.userId}`, {
      typing: true,
      timeout: 1000,
    });
    expectNoScan(10);
    await sync(alice, `&since=${since}`);
    expectNoScan(2);

    await bob.put(path`/rooms/${roomId}/state/m.room.member/${bob.userId}`, {
      membership: "join",
      displayname: "Bobby",
    });
    await sync(alice, `&since=${since}`);
    await alice.put(path`/rooms/${roomId}/redact/${eventId}/2`, {});
    await sync(alice, `&since=${since}`);
    expectNoScan(20);
  });

  it("read no table whole that grows: history, members and state", async () => {
    const carl = await explained.user("carl");
    const { body } = await carl.post("/createRoom", { preset: "public_chat" });
    const roomId = String(body["room_id"]);
    const { body: sent } = await carl.put(
      path`/rooms/${roomId}/send/m.room.message/1`,
      { msgtype: "m.text", body: "x" },
    );
    const eventId = String(sent["event_id"]);
    plans.length = 0;
    await carl.get(path`/rooms/${roomId}/messages?dir=b&limit=20`);
    await carl.get(path`/rooms/${roomId}/context/${eventId}`);
    await carl.get(path`/rooms/${roomId}/event/${eventId}`);
    const replied = await reply(carl, roomId, eventId);
    await edit(carl, roomId, eventId, "edited");
    await refer(carl, roomId, eventId);
    await carl.get(path`/rooms/${roomId}/event/${eventId}`);
    const relations = relationsPath(roomId, eventId);
    for (const query of ["", "?recurse=true", "?dir=f&limit=1"])
      await carl.get(`${relations}${query}`);
    await carl.get(`${relations}/m.thread/m.room.message`);
    await carl.get(threadsPath(roomId));
    await carl.get(`${threadsPath(roomId)}?include=participated`);
    const unstable = "/_matrix/client/unstable";
    const thread = path`/rooms/${roomId}/thread/${eventId}/subscription`;
    const subscription = `${unstable}/io.element.msc4306${thread}`;
    await carl.put(subscription, { automatic: replied });
    await carl.get(subscription);
    await carl.get(`${unstable}/io.element.msc4308/thread_subscriptions?dir=b`);
    const delayed = await carl.put(
      `${path`/rooms/${roomId}/send/m.x/later`}?org.matrix.msc4140.delay=60000`,
      {},
    );
    const delayedEvents = `${unstable}/org.matrix.msc4140/delayed_events`;
    await carl.get(delayedEvents);
    await carl.get(`${delayedEvents}?status=finalised`);
    const delayId = String(delayed.body["delay_id"]);
    for (const action of ["restart", "cancel"])
      await carl.post(`${delayedEvents}/${delayId}/${action}`);
    await sendDueEvents(explained.edges);
    await redact(carl, roomId, replied, { with_rel_types: ["*"] });
    await redact(carl, roomId, eventId, { with_rel_types: ["*"] });
    await carl.get(path`/rooms/${roomId}/members`);
    await carl.get(path`/rooms/${roomId}/joined_members`);
    await carl.get(path`/rooms/${roomId}/state`);
    await carl.get("/joined_rooms");
    await carl.get(path`/profile/${carl.userId}`);
    expectNoScan(10);
  });

  it("read no table whole that grows: people, words, spaces and times", async function () {
    this.timeout(30_000);
    const finn = await explained.user("finn");
    const { body } = await finn.post("/createRoom", {
      creation_content: { type: "m.space" },
      preset: "public_chat",
    });
    const roomId = String(body["room_id"]);
    const room = path`/rooms/${roomId}`;
    await finn.put(`${room}${path`/state/m.space.child/${roomId}`}`, {
      via: ["test"],
    });
    await finn.put(`${room}/send/m.room.message/1`, { body: "find me" });
    const lookEverywhere = async () => {
      await finn.post("/user_directory/search", { search_term: "finn" });
      await finn.post("/search", {
        search_categories: {
          room_events: {
            search_term: "find me",
            event_context: { include_profile: true },
            include_state: true,
          },
        },
      });
      const v1 = "/_matrix/client/v1";
      await finn.get(`${v1}${room}/hierarchy`);
      await finn.get(`${v1}${path`/room_summary/${roomId}`}`);
      await finn.get(`${v1}/mutual_rooms?user_id=@fill1:test`);
      await finn.get(`${v1}${room}/timestamp_to_event?ts=0&dir=f`);
      await finn.post(`${room}/report`, { reason: "r" });
    };
    // Names are read once by each process that is asked.
    await lookEverywhere();
    plans.length = 0;
    await lookEverywhere();
    expectNoScan(20);
    await server.database.sql`update search_progress set position = 30000`;
    await runJob(explained.edges, indexWords);
    await lookEverywhere();
    expectNoScan(20);
  });

  it("read no table whole that grows: sliding syncs", async () => {
    const hal = await explained.user("hal");
    const ivo = await explained.user("ivo");
    const { body } = await ivo.post("/createRoom", {
      preset: "public_chat",
      invite: [hal.userId],
    });
    const roomId = String(body["room_id"]);
    const asked = {
      lists: {
        all: {
          ranges: [[0, 9]],
          timeline_limit: 3,
          required_state: [
            ["m.room.name", ""],
            ["m.room.member", "$LAZY"],
            ["x.y", "*"],
          ],
          filters: {
            is_dm: false,
            is_encrypted: false,
            not_room_types: ["m.space"],
            not_tags: ["u.x"],
          },
        },
      },
      extensions: Object.fromEntries(
        ["to_device", "e2ee", "account_data", "receipts", "typing"].map(
          (name) => [name, { enabled: true }],
        ),
      ),
    };
    let query = "";
    const slide = async (more: Json = {}) => {
      const answer = await hal.post(`${SLIDING_SYNC}${query}`, {
        ...asked,
        ...more,
      });
      query = `?pos=${String(answer.body["pos"])}`;
    };
    plans.length = 0;
    await slide();
    await hal.post(path`/join/${roomId}`);
    await slide();
    const isOrderedByBumps = /Index Only Scan Backward using events_bumps/;
    expect(plans.some((plan) => isOrderedByBumps.test(plan))).to.equal(true);
    await ivo.put(path`/rooms/${roomId}/send/m.room.message/1`, {
      msgtype: "m.text",
      body: "x",
    });
    await hal.post(path`/rooms/${roomId}/leave`);
    await slide();
    await slide({
      lists: {},
      room_subscriptions: {
        [roomId]: { timeline_limit: 9, required_state: [["*", "*"]] },
      },
    });
    expectNoScan(60);
  });

  it("read no table whole that grows: logins, devices and keys", async () => {
    const dora = await explained.user("dora");
    const eve = await explained.user("eve");
    plans.length = 0;
    await explained.post("/login", {
      type: "m.login.password",
      user: "dora",
      password: dora.password,
    });
    await dora.get("/devices");
    await dora.get("/account/whoami");
    const { deviceKeys } = newDevice(dora);
    await dora.post("/keys/upload", { device_keys: deviceKeys });
    await eve.post("/keys/query", { device_keys: { [dora.userId]: [] } });
    await eve.post("/keys/claim", {
      one_time_keys: {
        [dora.userId]: { [dora.deviceId]: "signed_curve25519" },
      },
    });
    await eve.put("/sendToDevice/m.x/1", {
      messages: { [dora.userId]: { "*": {} } },
    });
    const since = String((await sync(dora, ""))["next_batch"]);
    await sync(dora, `&since=${since}`);
    await dora.put(path`/user/${dora.userId}/account_data/m.x`, {});
    await dora.get("/pushrules/");
    await dora.post("/logout");
    expectNoScan(20);
  });

  it("read no table whole that grows: backups, sleeping devices and key changes", async () => {
    const fred = await explained.user("fred");
    const gina = await explained.user("gina");
    const { body: room } = await fred.post("/createRoom", {
      preset: "public_chat",
    });
    const roomId = String(room["room_id"]);
    const from = String((await sync(fred, ""))["next_batch"]);
    plans.length = 0;
    await gina.post(path`/rooms/${roomId}/join`);
    const to = String((await sync(fred, `&since=${from}`))["next_batch"]);
    await gina.post(path`/rooms/${roomId}/leave`);
    await sync(fred, `&since=${to}`);
    await fred.get(`/keys/changes?from=${from}&to=${to}`);
    expectNoScan(10);

    const version = await makeBackup(fred);
    const keys = `/room_keys/keys?version=${version}`;
    const sessions = { s: keyData() };
    await fred.put(keys, { rooms: { [roomId]: { sessions } } });
    await fred.put(keys, { rooms: { [roomId]: { sessions } } });
    await fred.get("/room_keys/version");
    await fred.get(keys);
    await fred.get(path`/room_keys/keys/${roomId}/s` + `?version=${version}`);
    await fred.delete(path`/room_keys/keys/${roomId}` + `?version=${version}`);
    await fred.delete(keys);
    await fred.delete(`/room_keys/version/${version}`);
    expectNoScan(10);

    const sleepers =
      "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";
    const { deviceKeys } = newDevice({ userId: fred.userId, deviceId: "S" });
    await fred.put(sleepers, {
      device_id: "S",
      device_data: { algorithm: "a" },
      device_keys: deviceKeys,
    });
    await fred.get(sleepers);
    await fred.post(`${sleepers}/S/events`);
    await fred.delete(sleepers);
    const meetings = "/_matrix/client/unstable/io.element.msc4388/rendezvous";
    const { body } = await fred.post(meetings, { data: "d" });
    await fred.get(`${meetings}/${String(body["id"])}`);
    await fred.delete(`${meetings}/${String(body["id"])}`);
    expectNoScan(10);
  });

  it("read no table whole that grows: pushers, what they are told, and notifications", async () => {
    const fay = await explained.user("fay");
    const gus = await explained.user("gus");
    const { body } = await fay.post("/createRoom", { preset: "public_chat" });
    const roomId = String(body["room_id"]);
    await gus.post(path`/join/${roomId}`);
    const { edges } = explained;
    const { db, notifier } = edges;
    const holder = randomUUID();
    const held = await keepShards(db, holder, [], 60_000);
    const shards = held.map(({ shard }) => shard);
    const url = "https://push.example.org/_matrix/push/v1/notify";
    const { roomNid } = (await findRoomIdentity(edges, roomId))!;
    const after = await notifier.refresh();
    plans.length = 0;
    await setPusher(gus, url);
    await setPusher(gus, url, { lang: "de" });
    await gus.get("/pushers");
    await gus.post("/pushers/set", {
      ...{ kind: null, app_id: "app", pushkey: "gone" },
    });
    const { body: sent } = await fay.put(
      path`/rooms/${roomId}/send/m.room.message/1`,
      { msgtype: "m.text", body: "x" },
    );
    await gus.post(
      path`/rooms/${roomId}/receipt/m.read/${String(sent["event_id"])}`,
      {},
    );
    await gus.get("/notifications");
    await gus.get("/notifications?only=highlight");
    const upTo = await notifier.refresh();
    const touched = await listTouchedRooms(db, after, upTo, 100);
    expect(touched).to.deep.equal({ rooms: [roomNid], upTo });
    const rows = await findPushes(edges, [roomNid], { after, upTo }, shards);
    expect(rows).to.have.length(2);
    await queuePushes(db, holder, held, upTo, rows);
    await listWaitingPushers(db, shards, [gus.userId]);
    const pusherIds = rows.map(({ pusherId }) => pusherId);
    const due = await listDuePushes(db, pusherIds, 10);
    const [parcel] = await packParcels(edges, due);
    expect(parcel?.items).to.have.length(2);
    const { pusherId } = parcel!;
    const settled = { pusherId, position: upTo, badge: 1 };
    const rest = { restMs: 1000, mailRestMs: null };
    await settlePushes(db, holder, held, [{ ...settled, ...rest }]);
    await deletePushers(db, holder, held, [pusherId]);
    expectNoScan(20);
  });

  it("read no table whole that grows: media", async () => {
    const jana = await explained.user("jana");
    const roomId = await makeRoom(jana);
    plans.length = 0;
    const mediaId = await uploadImage(jana);
    await uploadImage(jana);
    await jana.get(downloadPath(mediaId));
    const wish = { width: 32, height: 32 };
    await jana.get(thumbnailPath(mediaId, wish));
    await jana.get(thumbnailPath(mediaId, wish));
    await jana.post("/_matrix/media/v1/create");
    const url = `mxc://test/${mediaId}`;
    await send(jana, roomId, "m.room.message", { msgtype: "m.image", url });
    await runJob(explained.edges, clearMedia);
    expectNoScan(15);
  });

  it("read no table whole that grows: tasks of administrators, and what they see of one room", async function () {
    this.timeout(120_000);
    const admin = await explained.user("admin");
    await bindRole(server, admin.userId, "system-admin");
    const kim = await explained.user("kim");
    const S = "/_synapse/admin/v1";
    const [one, two] = [await makeRoom(kim), await makeRoom(kim)];
    const medium = await uploadImage(kim);
    const url = `mxc://test/${medium}`;
    for (const roomId of [one, two])
      for (let i = 0; i < 3; i += 1)
        await send(kim, roomId, "m.room.message", { msgtype: "m.image", url });
    const last = await send(kim, one, "m.room.message", { body: "last" });
    plans.length = 0;
    for (const target of [
      ...["", "/members", "/state", "/block", "/forward_extremities"],
      ...["/messages?dir=b", `/context/${last}`, "/hierarchy"],
    ])
      await admin.get(`${S}/rooms/${one}${target}`);
    await admin.get(`${S}/fetch_event/${last}`);
    await admin.get(`${S}/room/${one}/media`);
    await admin.post(`${S}/room/${one}/media/quarantine`);
    await admin.post(`${S}/media/unquarantine/test/${medium}`);
    await admin.get(`${S}/media/quarantine_changes?from=2990`);
    await admin.get(`${S}/users/${kim.userId}/media`);
    await admin.post(`${S}/purge_history/${one}/${last}`, {
      delete_local_events: true,
    });
    await admin.post(`${S}/user/${kim.userId}/redact`, { rooms: [], limit: 2 });
    await admin.delete(`/_synapse/admin/v2/rooms/${two}`, {});
    await server.database.sql`
      update admin_jobs set not_before = 0 where state = 'scheduled'`;
    while (await runTask(explained.edges));
    await server.database.sql`
      update admin_jobs set not_before = 0 where state = 'scheduled'`;
    while (await runTask(explained.edges));
    await admin.get(`/_synapse/admin/v2/rooms/${two}/delete_status`);
    const left = await server.database.sql`
      select from admin_jobs where state in ('scheduled', 'active')`;
    expect(left).to.have.length(0);
    expectNoScan(100);
  });

  it("read no table whole that grows: what a hold is of, and what is let go with it", async function () {
    this.timeout(60_000);
    // Who places and releases asks for permission and approval besides, which is not what is looked at.
    const officer = await server.user("officer");
    const reader = explained.as(officer);
    await bindRole(server, officer.userId, "compliance-officer");
    const lena = await explained.user("lena");
    const roomId = await makeRoom(lena);
    for (let i = 0; i < 3; i += 1)
      await send(lena, roomId, "m.room.message", { body: `${i}` });
    const destroy = async () => {
      await server.database.sql`
        delete from leases where name = ${destroyReleasedContents.name}`;
      await runJob(explained.edges, destroyReleasedContents);
    };
    plans.length = 0;
    for (const of of [
      { users: [lena.userId] },
      { users: [lena.userId], rooms: [roomId] },
      { rooms: [roomId] },
    ]) {
      const said = await send(lena, roomId, "m.room.message", { body: "x" });
      const holdId = await placeHold(officer, of);
      const place = `/_myelin/admin/v1/holds/${holdId}`;
      const page = "case_id=c&reason=r&limit=5";
      const { body } = await reader.get(`${place}/events?${page}`);
      await reader.get(
        `${place}/events?${page}&from=${String(body["next_token"])}`,
      );
      await reader.get(`${place}/data?${page}`);
      await lena.put(path`/rooms/${roomId}/redact/${said}/${holdId}`, {});
      await releaseHold(officer, holdId);
      await destroy();
    }
    expectNoScan(60);

    const { db } = explained.edges;
    const time = { from_ts: 1, until_ts: 2 };
    for (const of of [time, { ...time, users: [lena.userId] }]) {
      const id = await placeHold(officer, of);
      plans.length = 0;
      // The rooms there are, by their numbers, and the time in each of them.
      await listHeldEvents(db, id, undefined, 5, 100);
      expectNoScan(1);
      await releaseHold(officer, id);
    }
    const dated = await placeHold(officer, { ...time, users: [lena.userId] });
    const ofRoom = (await findRoomIdentity(explained.edges, roomId))!;
    plans.length = 0;
    expect(await hasHeld(db, ofRoom.roomNid)).to.equal(false);
    await db`delete from keys where owner = ${roomId}`;
    expectNoScan(3);
    await releaseHold(officer, dated);
    const holdId = await placeHold(officer, { from_ts: 1, until_ts: 2 });
    const { roomNid } = (await findRoomIdentity(explained.edges, roomId))!;
    plans.length = 0;
    expect(await hasHeld(db, roomNid)).to.equal(false);
    expect(await isErasureHeld(db, lena.userId)).to.equal(false);
    expectNoScan(2);
    await releaseHold(officer, holdId);
  });

  it("read no table whole that grows: the audit log, by who, what, whom and when", async () => {
    const auditor = await server.user("auditor");
    await bindRole(server, auditor.userId, "auditor");
    const reader = explained.as(auditor);
    const ask = (query: string) =>
      reader.get(`/_myelin/admin/v1/audit${query}`);
    await ask("?actor=1");
    plans.length = 0;
    for (const query of [
      ...["actor=7", "target=!fill7", "action=audit.read", "action=audit.*"],
      ...["actor=7&result=denied", "target=!fill7&target_type=room"],
      ...["from_ts=2990&to_ts=2995", "action=audit.read&from_ts=2990"],
    ]) {
      expect((await ask(`?${query}`)).status, query).to.equal(200);
      expect((await ask(`/export?${query}`)).status).to.equal(200);
    }
    const { db } = explained.edges;
    await findSeqSince(db, 2990);
    expectNoScan(40);
  });
});
