import { expect } from "chai";
import { endpoints } from "../../src/http/endpoints.ts";
import { act, makePublicRoom, makeRoom, must, path } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Answer, TestUser } from "../support/server.ts";
import { bodyFor, nameOf, pathTo } from "./requests.ts";

/** Counted by what is tried, not by how often it is asked; or the end of a session. */
const UNCOUNTED = [
  "POST /_matrix/client/v3/login",
  "POST /_matrix/client/v3/logout",
  "POST /_matrix/client/v3/logout/all",
  "POST /_synapse/admin/v1/register",
];

const KINDS = [
  "message",
  "create_room",
  "join",
  "invite",
  "profile",
  "keys",
  "to_device",
  "ephemeral",
  "rendezvous",
  "search",
  "upload",
  "media",
  "report",
  "export",
  "admin",
  "other",
];

const acts = endpoints.filter(
  (endpoint) =>
    endpoint.method !== "get" && !UNCOUNTED.includes(nameOf(endpoint)),
);

describe("floods", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    ...Object.fromEntries(
      KINDS.flatMap((kind) => [
        [`rate_limits.${kind}.burst`, 3],
        [`rate_limits.${kind}.per_second`, 0.001],
      ]),
    ),
  });

  it("row 63: every endpoint that changes something is counted", () => {
    const free = endpoints.filter(
      ({ method, rateLimit }) => method !== "get" && rateLimit === undefined,
    );
    expect(free.map(nameOf).sort()).to.deep.equal(UNCOUNTED);
  });

  it("row 63: refuses a flood at any of them, and says when to come back", async () => {
    expect(acts.length).to.be.above(40);
    for (const [i, endpoint] of acts.entries()) {
      const user = await server.user(`flood${i}`);
      const { userId, deviceId } = user;
      const place = {
        userId,
        deviceId,
        roomId: "!absent:test",
        eventId: "$absent",
        alias: "#absent:test",
      };
      const method = endpoint.method.toUpperCase();
      const answers: Answer[] = [];
      for (let n = 0; n < 4; n += 1)
        answers.push(
          await user.ask(
            method,
            pathTo(endpoint, place),
            bodyFor(endpoint, place),
          ),
        );
      const last = answers.at(-1)!;
      const label = `${nameOf(endpoint)} ${last.text}`;
      expect(last.status, label).to.equal(429);
      expect(last.body["errcode"], label).to.equal("M_LIMIT_EXCEEDED");
      expect(last.body["retry_after_ms"], label).to.be.above(0);
      expect(Number(last.headers["retry-after"]), label).to.be.above(0);
    }
  });

  it("row 68: profiles and aliases are not read by the thousand without a session", async () => {
    for (const target of [
      path`/profile/${"@flood0:test"}`,
      path`/profile/${"@flood0:test"}/displayname`,
      path`/directory/room/${"#a:test"}`,
      path`/directory/list/room/${"!a:test"}`,
      "/register/available?username=x",
      "/publicRooms",
      `/_matrix/client/v1${path`/room_summary/${"#a:test"}`}`,
    ]) {
      const statuses = [];
      for (let n = 0; n < 5; n += 1)
        statuses.push((await server.get(target)).status);
      expect(statuses, target).to.include(429);
    }
  });
});

describe("one room", () => {
  const BURST = 4;
  const server = useServer({
    "rate_limits.enabled": true,
    ...Object.fromEntries(
      ["message", "join", "invite", "knock"].flatMap((kind) => [
        [`rate_limits.room_${kind}.burst`, BURST],
        [`rate_limits.room_${kind}.per_second`, 0.001],
      ]),
    ),
  });

  const assertFull = ({ status, body, headers }: Answer) => {
    expect(status).to.equal(429);
    expect(body["errcode"]).to.equal("M_LIMIT_EXCEEDED");
    expect(body["retry_after_ms"]).to.be.above(0);
    expect(Number(headers["retry-after"])).to.be.above(0);
  };
  const people = (name: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) => server.user(`${name}${i}`)),
    );

  it("row 63: a room is flooded by many with messages, and others are not", async () => {
    const [owner, beside, ...members] = await people("talker", 2 + BURST);
    const roomId = await makePublicRoom(owner!);
    const calm = await makePublicRoom(owner!);
    for (const each of members) await act(each, roomId, "join");
    const say = (user: TestUser, n: number, where = roomId) =>
      user.put(path`/rooms/${where}/send/m.room.message/${`flood${n}`}`, {
        msgtype: "m.text",
        body: "x",
      });
    // Who may say nothing takes nothing from those who may.
    for (let n = 0; n < 2 * BURST; n += 1)
      expect((await say(beside!, n)).status).to.equal(403);
    const [event] = await Promise.all(
      members.map(async (each, n) => must(await say(each, n))),
    );
    assertFull(await say(members[0]!, 100));
    assertFull(await say(owner!, 100));
    must(await say(owner!, 101, calm));
    const { event_id } = event!;
    must(
      await owner!.put(path`/rooms/${roomId}/redact/${String(event_id)}/1`, {}),
    );
    await act(owner!, roomId, "kick", { user_id: members[0]!.userId });
  });

  it("row 63: a room is flooded by many with joins, invites and knocks", async () => {
    const [owner, ...others] = await people("comer", 2 + 2 * BURST);
    const open = await makePublicRoom(owner!);
    const knocked = await makeRoom(owner!, {
      initial_state: [
        {
          type: "m.room.join_rules",
          state_key: "",
          content: { join_rule: "knock" },
        },
      ],
    });
    const acts: ((user: TestUser) => Promise<Answer>)[] = [
      (user) => user.post(path`/join/${open}`),
      (user) => user.post(path`/knock/${knocked}`),
      (user) =>
        owner!.post(path`/rooms/${open}/invite`, { user_id: user.userId }),
    ];
    const [join, knock, invite] = acts;
    for (const user of others.slice(0, BURST)) {
      must(await join!(user));
      must(await knock!(user));
    }
    for (const user of others.slice(BURST, 2 * BURST))
      must(await invite!(user));
    const last = others.at(-1)!;
    for (const each of acts) assertFull(await each(last));
    const member = { membership: "join" };
    assertFull(
      await last.put(
        path`/rooms/${open}/state/m.room.member/${last.userId}`,
        member,
      ),
    );
    // Who is in changes how they show there.
    must(
      await others[0]!.put(path`/profile/${others[0]!.userId}/displayname`, {
        displayname: "New",
      }),
    );
    must(await others[0]!.post(path`/rooms/${open}/leave`));
  });
});

describe("syncs of everything", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.first_sync.burst": 3,
  });

  it("row 63: are refused in a flood, while the others go on", async () => {
    const user = await server.user("syncer");
    const other = await server.user("beside");
    const first = await user.get("/sync");
    const since = String(first.body["next_batch"]);
    for (let i = 0; i < 2; i += 1)
      expect((await user.get("/sync")).status).to.equal(200);
    for (const path of ["/sync", `/sync?since=${since}&full_state=true`]) {
      const { status, body } = await user.get(path);
      expect(status).to.equal(429);
      expect(body["errcode"]).to.equal("M_LIMIT_EXCEEDED");
      expect(body["retry_after_ms"]).to.be.above(0);
    }
    expect((await user.get(`/sync?since=${since}`)).status).to.equal(200);
    expect((await other.get("/sync")).status).to.equal(200);
  });
});

describe("reads of history", () => {
  const server = useServer({
    "rate_limits.enabled": true,
    "rate_limits.history.burst": 6,
    "rate_limits.history.per_second": 0.001,
  });

  it("row 63: are refused in a flood, while the others go on", async () => {
    const reader = await server.user("reader");
    const other = await server.user("beside-reader");
    const { body } = await reader.post("/createRoom", {
      preset: "public_chat",
    });
    const room = `/rooms/${String(body["room_id"])}`;
    await other.post(`${room}/join`);
    const reads = [
      `${room}/messages?dir=b`,
      `${room}/state`,
      `${room}/members`,
      `${room}/joined_members`,
      `${room}/messages?dir=f`,
      `${room}/messages?dir=b&limit=2`,
    ];
    for (const read of reads)
      expect((await reader.get(read)).status, read).to.equal(200);
    for (const read of reads) {
      const { status, body } = await reader.get(read);
      expect(status, read).to.equal(429);
      expect(body["errcode"]).to.equal("M_LIMIT_EXCEEDED");
    }
    expect((await reader.get("/sync")).status).to.equal(200);
    expect((await other.get(reads[0]!)).status).to.equal(200);
  });
});

describe("quotas", () => {
  const server = useServer();

  it("row 61: a user has no more than a thousand devices, and may use those", async () => {
    const alice = await server.user("alice");
    const { sql } = server.database;
    await sql`
      insert into devices (user_id, device_id, key_id, sealed, created_ts)
      select user_id, 'D' || n, key_id, sealed, created_ts
      from devices, generate_series(1, 999) as n where user_id = ${alice.userId}`;
    const logIn = (more: object) =>
      server.post("/login", {
        type: "m.login.password",
        user: "alice",
        password: alice.password,
        ...more,
      });
    for (const more of [{}, { device_id: "NEW" }]) {
      const { status, body } = await logIn(more);
      expect(status).to.equal(403);
      expect(body).to.include({
        errcode: "M_USER_LIMIT_EXCEEDED",
        info_uri: "https://test/",
      });
    }
    must(await logIn({ device_id: alice.deviceId }));
    await sql`delete from devices where device_id = 'D1'`;
    must(await logIn({ device_id: "NEW" }));
  });

  it("row 62: account data have 50 MiB in all", async () => {
    const bob = await server.user("bob");
    const roomId = await makeRoom(bob);
    const target = path`/user/${bob.userId}/account_data/m.x`;
    must(await bob.put(target, { a: 1 }));
    const { sql } = server.database;
    await sql`
      insert into account_data (user_id, room_nid, type, position, key_id, sealed)
      select user_id, room_nid, 'm.large', position, key_id, decode(repeat('00', 52428000), 'hex')
      from account_data where user_id = ${bob.userId} and type = 'm.x'`;
    const more = { text: "x".repeat(10_000) };
    const ofRoom = path`/user/${bob.userId}/rooms/${roomId}/account_data/m.x`;
    for (const place of [target, ofRoom]) {
      const { status, body } = await bob.put(place, more);
      expect(status).to.equal(403);
      expect(body).to.include({
        errcode: "M_USER_LIMIT_EXCEEDED",
        info_uri: "https://test/",
      });
    }
  });

  it("C11: who is refused leaves no keys behind", async () => {
    const owner = await server.user("owner");
    const guest = await server.user("guest");
    const roomId = await makePublicRoom(owner);
    await act(guest, roomId, "join");
    must(await owner.post("/createRoom", { room_alias_name: "held" }));
    const { sql } = server.database;
    const count = async () =>
      (await sql<{ n: number }[]>`select count(*)::int as n from keys`)[0]!.n;
    const before = await count();
    const refused = [
      await guest.post(path`/rooms/${roomId}/ban`, { user_id: "@x1:test" }),
      await guest.post("/createRoom", { room_alias_name: "held" }),
      await guest.post("/createRoom", {
        room_version: "11",
        power_level_content_override: { users: {} },
        name: "n",
      }),
    ];
    expect(refused.map(({ status }) => status)).to.deep.equal([403, 400, 400]);
    expect(await count()).to.equal(before);
  });
});
