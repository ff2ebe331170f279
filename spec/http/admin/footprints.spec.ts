import { expect } from "chai";
import { actingDevice } from "../../../src/core/acting-device.ts";
import { addMailAddress } from "../../../src/domain/accounts/third-party-ids.ts";
import { auditRecord } from "../../../src/domain/admin/audit-record.ts";
import { purgePreviews } from "../../../src/domain/admin/purge-previews.ts";
import type { ActingAdministrator } from "../../../src/domain/admin/administrator.ts";
import { sendDueEvents } from "../../../src/domain/jobs/send-delayed-events.ts";
import { derive } from "../../../src/util/derive.ts";
import { administrator, bindRole } from "../../support/administrators.ts";
import { auditHead, readAudit } from "../../support/audit.ts";
import {
  act,
  makeRoom,
  makeRoomOfTwo,
  must,
  path,
  say,
  setState,
} from "../../support/rooms.ts";
import {
  useServer,
  type Json,
  type TestClient,
  type TestServer,
  type TestUser,
} from "../../support/server.ts";

const V1 = "/_synapse/admin/v1";
const ON_BEHALF = "org.myelin.on_behalf";

const actingAs = async (
  server: TestServer,
  admin: TestUser,
  user: TestUser,
): Promise<TestUser> => {
  const { access_token: accessToken } = must<{ access_token: string }>(
    await admin.post(`${V1}/users/${user.userId}/login`, {}),
  );
  return { ...user, ...server.as({ accessToken }), accessToken };
};

describe("G8: an administrator who acts as somebody else", () => {
  const server = useServer();
  let admin: TestUser;
  let alice: TestUser;
  let bob: TestUser;
  let acting: TestUser;
  let roomId: string;

  before(async () => {
    admin = await administrator(server, "admin", "system-admin");
    alice = await server.user("alice");
    bob = await server.user("bob");
    roomId = await makeRoomOfTwo(alice, bob);
    acting = await actingAs(server, admin, alice);
  });

  const onBehalf = (event: unknown): unknown =>
    (event as { unsigned?: Json }).unsigned?.[ON_BEHALF];

  const seen = async (eventId: string): Promise<unknown[]> => {
    const room = path`/rooms/${roomId}`;
    const [one, context, messages, sync] = await Promise.all([
      bob.get(`${room}${path`/event/${eventId}`}`),
      bob.get(`${room}${path`/context/${eventId}`}`),
      bob.get(`${room}/messages?dir=b&limit=100`),
      bob.get("/sync"),
    ]);
    const { chunk } = must<{ chunk: Json[] }>(messages);
    const { rooms } = must<{
      rooms: { join: Record<string, { timeline: { events: Json[] } }> };
    }>(sync);
    const { events } = rooms.join[roomId]!.timeline;
    const isIt = ({ event_id }: Json) => event_id === eventId;
    return [
      must(one),
      must(context)["event"],
      chunk.find(isIt),
      events.find(isIt),
    ];
  };

  it("leaves their name in each event, wherever it is read", async () => {
    const own = await say(alice, roomId, "by myself");
    const theirs = await say(acting, roomId, "by the administrator");
    for (const event of await seen(own))
      expect(onBehalf(event)).to.equal(undefined);
    for (const event of await seen(theirs))
      expect(onBehalf(event)).to.equal(admin.userId);
  });

  it("leaves it in state and in members' events too", async () => {
    await setState(acting, roomId, "m.room.topic", { topic: "t" });
    const other = await makeRoom(bob, { preset: "public_chat" });
    await act(acting, other, "join");
    const made = await makeRoom(acting, { preset: "public_chat" });
    const state = async (reader: TestClient, id: string) =>
      must<Json[]>(await reader.get(path`/rooms/${id}/state`));
    const ofType = (list: Json[], type: string, key = "") =>
      list.find(
        (event) => event["type"] === type && event["state_key"] === key,
      );
    const topic = ofType(await state(bob, roomId), "m.room.topic");
    expect(onBehalf(topic)).to.equal(admin.userId);
    const join = ofType(await state(bob, other), "m.room.member", alice.userId);
    expect(onBehalf(join)).to.equal(admin.userId);
    const create = ofType(await state(alice, made), "m.room.create");
    expect(onBehalf(create)).to.equal(admin.userId);
    const before = ofType(await state(bob, roomId), "m.room.create");
    expect(onBehalf(before)).to.equal(undefined);
  });

  it("is told by a name that nobody gives a device of their own", async () => {
    const device_id = actingDevice("AAAAAAAAAA", "@innocent:test");
    const login = await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "alice" },
      ...{ password: alice.password, device_id },
    });
    expect(login.body["errcode"]).to.equal("M_INVALID_PARAM");
    const { device_id: real } = must(await acting.get("/account/whoami"));
    const taken = await server.post("/login", {
      type: "m.login.password",
      identifier: { type: "m.id.user", user: "alice" },
      ...{ password: alice.password, device_id: real },
    });
    expect(taken.body["errcode"]).to.equal("M_INVALID_PARAM");
    const made = await admin.post(
      `/_synapse/admin/v2/users/${alice.userId}/devices`,
      { device_id },
    );
    expect(made.body["errcode"]).to.equal("M_INVALID_PARAM");
  });

  it("sends nothing when their time is over", async () => {
    const later = await acting.put(
      `${path`/rooms/${roomId}/send/m.room.message/later`}?org.matrix.msc4140.delay=1`,
      { body: "b" },
    );
    expect(later.status).to.equal(403);
  });

  it("has none of the account's own powers", async () => {
    const hidden = await makeRoom(bob, { room_alias_name: "hidden" });
    await bindRole(server, alice.userId, "room-moderator");
    const aliases = path`/rooms/${hidden}/aliases`;
    expect(must(await alice.get(aliases))["aliases"]).to.deep.equal([
      "#hidden:test",
    ]);
    expect((await acting.get(aliases)).status).to.equal(403);
    const alias = path`/directory/room/${"#hidden:test"}`;
    expect((await acting.delete(alias)).status).to.equal(403);
    must(await alice.delete(alias));
  });
});

describe("shadow-banned users", () => {
  const server = useServer();
  let admin: TestUser;
  let bob: TestUser;

  before(async () => {
    admin = await administrator(server, "admin", "system-admin");
    bob = await server.user("bob");
  });

  const ban = async (user: TestUser) =>
    must(await admin.post(`${V1}/users/${user.userId}/shadow_ban`));

  it("knock where nobody hears it", async () => {
    const ann = await server.user("knocker");
    const roomId = await makeRoom(bob, {
      room_alias_name: "knocked",
      initial_state: [
        { type: "m.room.join_rules", content: { join_rule: "knock" } },
      ],
    });
    await ban(ann);
    for (const place of [roomId, "#knocked:test"]) {
      const answer = await ann.post(path`/knock/${place}`, {});
      expect(must(answer)).to.deep.equal({ room_id: roomId });
    }
    const own = path`/rooms/${roomId}/state/m.room.member/${ann.userId}`;
    must(await ann.put(own, { membership: "knock" }));
    const knocks = await server.database.sql`
      select from memberships where user_id = ${ann.userId}`;
    expect(knocks).to.have.length(0);
  });

  it("kick, ban, unban and upgrade where nothing comes of it", async () => {
    const ann = await server.user("moderator");
    const roomId = await makeRoomOfTwo(ann, bob);
    await ban(ann);
    const members = () => server.database.sql`
      select user_id, membership from memberships join rooms using (room_nid)
      where room_id = ${roomId} order by user_id`;
    const events = () => server.database.sql`
      select event_id from events join rooms using (room_nid) where room_id = ${roomId} order by nid`;
    const before = [await members(), await events()];
    for (const what of ["kick", "ban", "unban"])
      expect(
        await act(ann, roomId, what, { user_id: bob.userId, reason: "r" }),
      ).to.deep.equal({});
    const upgrade = path`/rooms/${roomId}/upgrade`;
    const rooms = await server.database.sql`select from rooms`;
    for (const [version, form] of [
      ["12", /^![\w-]{43}$/],
      ["10", /^![A-Za-z]{18}:test$/],
    ] as const) {
      const answer = must(await ann.post(upgrade, { new_version: version }));
      expect(answer["replacement_room"]).to.match(form);
    }
    const unknown = await ann.post(upgrade, { new_version: "none" });
    expect(unknown.body).to.include({
      errcode: "M_UNSUPPORTED_ROOM_VERSION",
    });
    expect([await members(), await events()]).to.deep.equal(before);
    expect(await server.database.sql`select from rooms`).to.have.length(
      rooms.length,
    );
  });

  it("send nothing of what they once planned, and are told that it was sent", async () => {
    const ann = await server.user("planner");
    const roomId = await makeRoomOfTwo(bob, ann);
    const plan = async (txn: string) =>
      must<{ delay_id: string }>(
        await ann.put(
          `${path`/rooms/${roomId}/send/m.room.message/${txn}`}?org.matrix.msc4140.delay=60000`,
          { msgtype: "m.text", body: "later" },
        ),
      ).delay_id;
    const before = await plan("1");
    await ban(ann);
    const after = await plan("2");
    const DELAYED =
      "/_matrix/client/unstable/org.matrix.msc4140/delayed_events";
    const { delayed_events } = must<{ delayed_events: Json[] }>(
      await ann.get(DELAYED),
    );
    expect(delayed_events.map(({ delay_id }) => delay_id)).to.have.members([
      before,
      after,
    ]);
    must(await server.post(`${DELAYED}/${before}/send`, {}));
    must(await server.post(`${DELAYED}/${before}/send`, {}));
    await server.database
      .sql`update delayed_events set send_ts = 1 where finalised_ts is null`;
    await sendDueEvents(server.edges);
    for (const id of [before, after]) {
      const one = must(await ann.get(`${DELAYED}/${id}`));
      expect(one["event_id"]).to.match(/^\$[\w-]{43}$/);
      expect(one).to.not.have.property("error");
    }
    const sent = await server.database.sql`
      select from events where sender = ${ann.userId} and type = 'm.room.message'`;
    expect(sent).to.have.length(0);
  });
});

describe("records that go with their effects", () => {
  const server = useServer();
  let admin: TestUser;

  before(async () => {
    admin = await administrator(server, "admin", "system-admin");
  });

  it("are of the notice itself, in its commit", async () => {
    const user = await server.user("told");
    for (const body of ["first", "second"]) {
      const head = await auditHead(server);
      const { event_id } = must<{ event_id: string }>(
        await admin.post(`${V1}/send_server_notice`, {
          ...{ user_id: user.userId, content: { msgtype: "m.text", body } },
        }),
      );
      const records = await readAudit(server, head);
      const [record, ...more] = records.filter(
        ({ action }) => action === "notices.send",
      );
      expect(more).to.deep.equal([]);
      expect(record!.resource).to.include({ type: "user", id: user.userId });
      expect(record!["after"]).to.deep.equal({ type: "m.room.message" });
      const [row] = await server.database.sql<{ isOne: boolean }[]>`
        select e.xmin = a.xmin as is_one from events e, audit_log a
        where e.event_id = ${event_id} and a.seq = ${record!.seq}`;
      expect(row).to.deep.equal({ isOne: true });
    }
  });

  it("are of a mail address that the command line gives, in the commit that gives it or not at all", async () => {
    const user = await server.user("mailed");
    const address = "mailed@example.org";
    const recordOf = (target: string) =>
      auditRecord(
        { act: "users.write", actor: "command line", target },
        server.edges.now(),
      );
    const head = await auditHead(server);
    const nobody = "@nobody:test";
    const refused = await addMailAddress(server.edges, nobody, address, [
      recordOf(nobody),
    ]).catch((error: unknown) => error);
    expect(refused).to.have.property("errcode", "M_NOT_FOUND");
    expect(await readAudit(server, head)).to.deep.equal([]);
    await addMailAddress(server.edges, user.userId, address, [
      recordOf(user.userId),
    ]);
    const [record] = await readAudit(server, head);
    const [row] = await server.database.sql<{ isOne: boolean }[]>`
      select t.xmin = a.xmin as is_one from third_party_ids t, audit_log a
      where t.user_id = ${user.userId} and a.seq = ${record!.seq}`;
    expect(row).to.deep.equal({ isOne: true });
  });

  it("are of a notice that was told before, too", async () => {
    const user = await server.user("told-twice");
    const target = `${V1}/send_server_notice/txn`;
    const body = { user_id: user.userId, content: { body: "b" } };
    const first = must(await admin.put(target, body));
    const head = await auditHead(server);
    expect(must(await admin.put(target, body))).to.deep.equal(first);
    expect(await readAudit(server, head)).to.have.length(1);
  });

  it("are of what was fetched of pages, which stays where there is no record", async () => {
    const { sql } = server.database;
    await sql`
      insert into url_previews (url_hash, fetched_ts, expires_ts, is_failure, key_id, sealed)
      select decode(lpad(to_hex(n), 8, '0'), 'hex'), n, n, true, 0, '\\x' from generate_series(1, 620) n`;
    const by: ActingAdministrator = {
      requester: {
        ...{ userId: admin.userId as never, deviceId: "D", tokenId: 1 },
        ...{ isGuest: false, isSuspended: false },
      },
      actor: {
        ...{ userId: admin.userId as never, deviceId: "D", ip: "" },
        ...{ userAgent: "", permission: "media.delete", requestId: "r" },
      },
    };
    const failing = derive(server.edges, {
      committer: { commit: () => Promise.reject(new Error("away")) },
    });
    await purgePreviews(failing, by, 1_000).catch(() => undefined);
    const left = async () =>
      (await sql`select from url_previews where fetched_ts < 1000`).length;
    expect(await left()).to.equal(620);
    const head = await auditHead(server);
    expect(await purgePreviews(server.edges, by, 601)).to.equal(600);
    expect(await left()).to.equal(20);
    const records = await readAudit(server, head);
    const told = records.map(({ after }) => after as Record<string, unknown>);
    expect(told.map(({ previews }) => previews)).to.deep.equal([250, 250, 100]);
    const pages = told.flatMap((each) => each["pages"] as string[]);
    expect(new Set(pages)).to.have.property("size", 600);
    expect(told[1]).to.include({
      ...{ before_ts: 601, fetched_from_ts: 251, fetched_to_ts: 500 },
    });
  });

  it("are one of a request that deleted nothing", async () => {
    const head = await auditHead(server);
    const place = `${V1}/purge_media_cache?before_ts=0`;
    expect(must(await admin.post(place))).to.deep.equal({ deleted: 0 });
    const [record, ...more] = await readAudit(server, head);
    expect(more).to.deep.equal([]);
    expect(record!["after"]).to.include({ previews: 0 });
  });
});
