import { createServer, type AddressInfo } from "node:net";
import { expect } from "chai";
import {
  pusherOf,
  pushersOf,
  setPusher,
  usePushing,
} from "../support/pushing.ts";
import { act, makeRoom, must, path, say, send } from "../support/rooms.ts";
import { until } from "../support/until.ts";
import { useServer } from "../support/server.ts";
import type { Json } from "../support/server.ts";
import { withPassword } from "../support/with-password.ts";

const PATH = "/_matrix/push/v1/notify";

describe("abuse of pushers", () => {
  const { server, openGateway } = usePushing();
  let people = 0;

  async function pair(more: Json = {}) {
    const n = (people += 1);
    const alice = await server.user(`alice${n}`);
    const bob = await server.user(`bob${n}`);
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, roomId, "join");
    const gateway = openGateway();
    await setPusher(bob, gateway.url, { pushkey: `key ${n}`, ...more });
    return { alice, bob, roomId, gateway };
  }

  it("C8 CVE-2021-21273: a redirect is not followed, and the pusher is told again", async () => {
    const { gateway, alice, roomId } = await pair();
    const thief = openGateway();
    const target = thief.url;
    gateway.answer(() => ({ status: 307, headers: { location: target } }));
    const eventId = await say(alice, roomId, "hello");
    await gateway.next();
    gateway.answer(() => ({}));
    expect((await gateway.next())["event_id"]).to.equal(eventId);
    expect(thief.told).to.deep.equal([]);
  });

  it("row 76: an endless answer is not read, and is no delivery", async () => {
    const { gateway, alice, bob, roomId } = await pair();
    gateway.answer(() => ({ body: "x".repeat(10 * 1024 * 1024) }));
    const eventId = await say(alice, roomId, "hello");
    await gateway.next();
    gateway.answer(() => ({}));
    expect((await gateway.next())["event_id"]).to.equal(eventId);
    expect(await pushersOf(bob)).to.have.length(1);
  });

  it("row 76: whatever a gateway answers, it names none but the pushkey that it was told", async () => {
    const { gateway, alice, bob, roomId } = await pair();
    const answers = [
      "",
      "[]",
      "null",
      '{"rejected":7}',
      '{"rejected":{"key":1}}',
      '{"rejected":["another",null,7]}',
      "[".repeat(60_000),
      "\u0000",
    ];
    for (const body of answers) {
      gateway.answer(() => ({ body }));
      const eventId = await say(alice, roomId, "hello");
      expect((await gateway.next())["event_id"]).to.equal(eventId);
    }
    gateway.answer(() => ({}));
    expect(await pushersOf(bob)).to.have.length(1);
  });

  it("CVE-2024-6300: what is redacted is not in the queue, nor pushed from it", async () => {
    const { gateway, alice, roomId } = await pair();
    gateway.answer(() => ({ status: 503 }));
    await say(alice, roomId, "first");
    await gateway.next();
    const secret = await say(alice, roomId, "canary-of-the-queue");
    must(await alice.put(path`/rooms/${roomId}/redact/${secret}/t`, {}));
    const last = await say(alice, roomId, "last");
    const rows = await server.database.sql<{ row: string }[]>`
      select q::text as row from push_queue q`;
    expect(JSON.stringify(rows)).to.not.include("canary");
    gateway.answer(() => ({}));
    for (let told = await gateway.next(); told["event_id"] !== last;)
      told = await gateway.next();
    const all = JSON.stringify(gateway.told);
    expect(all).to.not.include("canary-of-the-queue");
    expect(all).to.not.include(secret);
  });

  it("C19: says of itself no more than the notification holds", async () => {
    const { gateway, alice, bob, roomId } = await pair();
    await say(alice, roomId, "hello");
    await gateway.next();
    const { headers, notification } = gateway.told.at(-1)!;
    expect(headers).to.have.all.keys(
      ...["host", "connection", "content-type", "content-length"],
      ...["user-agent", "accept-encoding"],
    );
    const text = JSON.stringify(notification);
    for (const secret of [bob.accessToken, bob.deviceId, bob.userId])
      expect(text).to.not.include(secret);
    expect(text).to.not.include(PATH);
  });

  it("C5: pushes nothing of a room that its user has left or was banned from", async () => {
    const { gateway, alice, bob, roomId } = await pair();
    const other = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, other, "join");
    await act(alice, roomId, "ban", { user_id: bob.userId });
    const unseen = await say(alice, roomId, "not for bob");
    const seen = await say(alice, other, "for bob");
    for (let told = await gateway.next(); told["event_id"] !== seen;)
      told = await gateway.next();
    expect(JSON.stringify(gateway.told)).to.not.include(unseen);
  });

  it("1.6.1 #6426: an account that is closed has no pushers, no addresses and nothing queued", async () => {
    const { gateway, alice, bob, roomId } = await pair();
    gateway.answer(() => ({ status: 503 }));
    await say(alice, roomId, "queued");
    await gateway.next();
    must(await withPassword(bob, "POST", "/account/deactivate", {}));
    gateway.answer(() => ({}));
    const { sql } = server.database;
    for (const rows of [
      await sql`select from pushers where user_id = ${bob.userId}`,
      await sql`select from third_party_ids where user_id = ${bob.userId}`,
      await sql`select from push_queue q where not exists (select from pushers p where p.pusher_id = q.pusher_id)`,
      await sql`select from pusher_states s where not exists (select from pushers p where p.pusher_id = s.pusher_id)`,
    ])
      expect(rows.length).to.equal(0);
  });

  it("C10 row 48: a message of 64 KiB and a thousand globs do not hold up a push", async () => {
    const { gateway, alice, bob, roomId } = await pair();
    for (let i = 0; i < 20; i += 1)
      must(
        await bob.put(`/pushrules/global/content/glob${i}`, {
          pattern: `${"*a".repeat(500)}${i}`,
          actions: ["notify", { set_tweak: "highlight" }],
        }),
      );
    const eventId = await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: "a".repeat(60_000),
    });
    expect((await gateway.next())["event_id"]).to.equal(eventId);
  });

  it("keeps tweaks of any name from being more than tweaks", async () => {
    const { gateway, alice, bob, roomId } = await pair();
    must(
      await bob.put(path`/pushrules/global/room/${roomId}`, {
        actions: [
          "notify",
          { set_tweak: "__proto__", value: { polluted: true } },
          { set_tweak: "sound", value: { deep: [1] } },
        ],
      }),
    );
    await say(alice, roomId, "hello");
    const { devices } = await gateway.next();
    const { tweaks } = (devices as Json[])[0]!;
    expect(JSON.stringify(tweaks)).to.equal(
      '{"__proto__":{"polluted":true},"sound":{"deep":[1]}}',
    );
  });
});

describe("a gateway that turns out to stand within", () => {
  const turns: Readonly<Record<string, string[][]>> = {
    "turning.example": [["10.0.0.1"], ["127.0.0.1"]],
    "inside.example": [["127.0.0.1"]],
    "mixed.example": [["93.184.215.14", "127.0.0.1"]],
    "good.example": [["127.0.0.1"]],
  };
  const resolved: string[] = [];
  const { server, openGateway } = usePushing(
    { "egress.allow": ["good.example"] },
    {
      outside: {
        resolve: async (host) => {
          resolved.push(host);
          const answers = turns[host]!;
          return (answers.length > 1 ? answers.shift() : answers[0])!;
        },
      },
    },
  );
  let connections = 0;
  const within = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  before("listen", async () => {
    await new Promise<void>((done) => within.listen(0, "127.0.0.1", done));
  });
  after(() => new Promise((done) => within.close(done)));

  it("C8 CVE-2021-21273 row 72: is not called, whatever its name meant when it was set", async () => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, roomId, "join");
    const { port } = within.address() as AddressInfo;
    const hosts = ["turning.example", "inside.example", "mixed.example"];
    for (const host of hosts)
      await setPusher(bob, `https://${host}:${port}${PATH}`, { pushkey: host });
    const gateway = openGateway();
    const url = gateway.url.replace("127.0.0.1", "good.example");
    await setPusher(bob, url, { pushkey: "good" });
    for (const body of ["one", "two"]) {
      const eventId = await say(alice, roomId, body);
      expect((await gateway.next())["event_id"]).to.equal(eventId);
    }
    await until(async () => {
      must(await alice.get("/account/whoami"));
      return hosts.every((host) => resolved.includes(host));
    });
    await say(alice, roomId, "three");
    await gateway.next();
    expect(connections).to.equal(0);
  });
});

describe("addresses of pushers", () => {
  const server = useServer();

  it("C8 CVE-2021-21273: no pusher is set whose gateway is not of the public internet", async () => {
    const alice = await server.user("alice");
    for (const host of [
      ...["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254"],
      ...["[::1]", "[::ffff:127.0.0.1]", "[fe80::1]", "[fd00::1]", "0.0.0.0"],
      ...["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "１２７.0.0.1"],
      ...["[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::]", "100.64.0.1"],
    ]) {
      for (const scheme of ["https", "http"]) {
        const url = `${scheme}://${host}${PATH}`;
        const answer = await alice.post("/pushers/set", pusherOf(url));
        expect(answer.status, url).to.equal(400);
        expect(answer.body["errcode"], url).to.equal("M_INVALID_PARAM");
      }
    }
    expect(await pushersOf(alice)).to.deep.equal([]);
  });

  it("C11: a user has no more than a hundred pushers, the newest", async () => {
    const alice = await server.user("many");
    const url = `https://push.example.org${PATH}`;
    await Promise.all(
      Array.from({ length: 99 }, (_, i) =>
        setPusher(alice, url, { pushkey: `key ${i}` }),
      ),
    );
    await setPusher(alice, url, { pushkey: "hundredth" });
    await setPusher(alice, url, { pushkey: "last" });
    const keys = (await pushersOf(alice)).map(({ pushkey }) => pushkey);
    expect(keys).to.have.length(100);
    expect(keys.slice(-2)).to.deep.equal(["hundredth", "last"]);
  });

  it("C12: what a client says of a pusher stands in no table as it is", async () => {
    const alice = await server.user("sealed");
    await setPusher(alice, `https://canary-host.example.org${PATH}`, {
      app_id: "canary-app",
      pushkey: "canary-key",
      app_display_name: "canary-name",
      device_display_name: "canary-device",
      profile_tag: "canary-tag",
    });
    const [row] = await server.database.sql<{ row: string }[]>`
      select p::text as row from pushers p where user_id = ${alice.userId}`;
    expect(row!.row).to.not.include("canary");
    expect(row!.row).to.not.include(Buffer.from("canary").toString("hex"));
  });
});
