import { expect } from "chai";
import {
  act,
  getMessages,
  makePublicRoom,
  makeRoom,
  must,
  pageThrough,
  path,
  say,
  send,
} from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Json, TestClient, TestUser } from "../support/server.ts";
import { SyncReader } from "../support/sync-reader.ts";

const VERSIONS = Array.from({ length: 12 }, (_, i) => String(i + 1));
let transactions = 0;

const redact = (user: TestClient, roomId: string, eventId: string) =>
  user.put(
    path`/rooms/${roomId}/redact/${eventId}/${`x${transactions++}`}`,
    {},
  );

describe("abuse of rooms", () => {
  const server = useServer({ sealing: "off" });
  let alice: TestUser;
  let mallory: TestUser;

  before(async () => {
    alice = await server.user("alice");
    mallory = await server.user("mallory");
  });

  for (const version of VERSIONS) {
    it(`1.2.0 #5701: a redacted create event stays as it is in room version ${version}`, async () => {
      const roomId = await makeRoom(alice, { room_version: version });
      const room = path`/rooms/${roomId}`;
      const state = await alice.get(`${room}/state`);
      const create = (JSON.parse(state.text) as Json[]).find(
        ({ type }) => type === "m.room.create",
      )!;
      await redact(alice, roomId, String(create["event_id"]));
      for (const client of [alice, (await startedOnce()).as(alice)]) {
        const now = await client.get(`${room}/state/m.room.create/`);
        expect(must(now)).to.deep.equal(create["content"]);
      }
      await say(alice, roomId, "the room lives");
    });

    it(`CVE-2024-6302: nobody without the power redacts for others in room version ${version}`, async () => {
      const roomId = await makeRoom(alice, {
        room_version: version,
        preset: "public_chat",
      });
      await act(mallory, roomId, "join");
      const eventId = await say(alice, roomId, "stays");
      expect((await redact(mallory, roomId, eventId)).status).to.equal(403);
      const asEvent = await mallory.put(
        path`/rooms/${roomId}/send/m.room.redaction/${`y${transactions++}`}`,
        { redacts: eventId },
      );
      expect(asEvent.status).to.equal(403);
      const shown = await alice.get(path`/rooms/${roomId}/event/${eventId}`);
      expect(must(shown)["content"]).to.have.property("body", "stays");
      expect(shown.body["unsigned"]).to.not.have.property("redacted_because");
    });
  }

  let second: Promise<Awaited<ReturnType<typeof server.startProcess>>>;
  const startedOnce = () => (second ??= server.startProcess());

  it("1.2.1 0f2ecb9: a chain of redactions of redactions ends, and nothing comes back", async () => {
    const roomId = await makeRoom(alice);
    let target = await say(alice, roomId, "gone");
    const first = target;
    const cpu = process.cpuUsage();
    for (let i = 0; i < 30; i += 1) {
      const answer = must<{ event_id: string }>(
        await redact(alice, roomId, target),
      );
      target = answer.event_id;
    }
    const events = await pageThrough(alice, roomId, { dir: "b", limit: 7 });
    const { user } = process.cpuUsage(cpu);
    expect(user / 1000).to.be.below(5_000);
    const gone = events.find(({ event_id }) => event_id === first)!;
    expect(gone.content).to.deep.equal({});
    await new SyncReader(alice).next();
  });

  it("1.2.1 0f2ecb9: an event cannot redact itself, nor one that is not there yet", async () => {
    const roomId = await makeRoom(alice, { room_version: "1" });
    const answer = await redact(alice, roomId, "$yet-to-come:test");
    expect(answer.status).to.equal(404);
    await say(alice, roomId, "still here");
  });

  it("CVE-2024-6300: what is redacted is gone from every table", async () => {
    const canary = "canary-Kx81vB";
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    await act(mallory, roomId, "join");
    const parent = await say(alice, roomId, "parent");
    const ids = [
      await say(alice, roomId, `${canary} mentions mallory`),
      await send(alice, roomId, "m.room.message", {
        msgtype: "m.text",
        body: `* ${canary}`,
        "m.new_content": { msgtype: "m.text", body: canary },
        "m.mentions": { user_ids: [mallory.userId] },
        "m.relates_to": { rel_type: "m.replace", event_id: parent },
      }),
      await send(alice, roomId, "m.reaction", {
        "m.relates_to": {
          rel_type: "m.annotation",
          event_id: parent,
          key: canary,
        },
      }),
    ];
    expect(await dump()).to.include(Buffer.from(canary).toString("hex"));
    for (const eventId of ids) must(await redact(alice, roomId, eventId));
    const left = await dump();
    expect(left).to.not.include(canary);
    expect(left).to.not.include(Buffer.from(canary).toString("hex"));
    for (const reader of [mallory, (await startedOnce()).as(mallory)]) {
      const page = await reader.get(
        `${path`/rooms/${roomId}/messages`}?dir=b&limit=100`,
      );
      expect(page.text).to.not.include(canary);
      const first = await new SyncReader(reader).next();
      expect(JSON.stringify(first)).to.not.include(canary);
    }
  });

  async function dump(): Promise<string> {
    const { sql } = server.database;
    const tables = await sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public'`;
    const texts = await Promise.all(
      tables.map(({ name }) => sql`select t::text as row from ${sql(name)} t`),
    );
    return JSON.stringify(texts);
  }

  it("CVE-2023-42453: refuses receipts, markers and typing from who is not in the room, or may not see the event", async () => {
    const roomId = await makePublicRoom(alice, "joined");
    const early = await say(alice, roomId, "early");
    const stranger = await server.user("stranger");
    const gone = await server.user("gone");
    await act(gone, roomId, "join");
    const seen = await say(alice, roomId, "seen");
    await act(gone, roomId, "leave");
    const banned = await server.user("banned");
    await act(banned, roomId, "join");
    await act(alice, roomId, "ban", { user_id: banned.userId });
    const invited = await server.user("invited");
    await act(alice, roomId, "invite", { user_id: invited.userId });
    const room = path`/rooms/${roomId}`;
    for (const user of [stranger, gone, banned, invited]) {
      for (const kind of ["m.read", "m.read.private", "m.fully_read"]) {
        const place = `${room}/receipt/${kind}/${seen}`;
        expect((await user.post(place)).status, user.userId).to.equal(403);
        const markers = { [kind]: seen };
        const marked = await user.post(`${room}/read_markers`, markers);
        expect(marked.status, user.userId).to.equal(403);
      }
      const typing = `${room}${path`/typing/${user.userId}`}`;
      const typed = await user.put(typing, { typing: true });
      expect(typed.status, user.userId).to.equal(403);
    }
    const late = await server.user("late");
    await act(late, roomId, "join");
    const unseen = await late.post(`${room}/receipt/m.read/${early}`);
    expect(unseen.status).to.equal(404);
    const rows = await server.database
      .sql`select from receipts where event_id in (${seen}, ${early})`;
    expect(rows).to.have.length(0);
  });

  it("Tuwunel 1.9.0: a transaction id is told to the device that made it, and to no other, in edits too", async () => {
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    await act(mallory, roomId, "join");
    const room = path`/rooms/${roomId}`;
    const canary = "txn-canary-51";
    const put = async (n: number, content: Json) =>
      must<{ event_id: string }>(
        await alice.put(`${room}/send/m.room.message/${canary}-${n}`, content),
      ).event_id;
    const first = await put(1, { msgtype: "m.text", body: "a" });
    const relation = { rel_type: "m.replace", event_id: first };
    await put(2, {
      msgtype: "m.text",
      body: "* b",
      "m.new_content": { msgtype: "m.text", body: "b" },
      "m.relates_to": relation,
    });
    await put(3, {
      msgtype: "m.text",
      body: "in thread",
      "m.relates_to": { rel_type: "m.thread", event_id: first },
    });
    must(await alice.put(`${room}/redact/${first}/${canary}-4`, {}));
    const { body: login } = await server.post("/login", {
      type: "m.login.password",
      user: "alice",
      password: alice.password,
    });
    const phone = server.as({ accessToken: String(login["access_token"]) });
    for (const reader of [mallory, phone]) {
      const answers = [
        await reader.get("/sync?full_state=true"),
        await reader.get(`${room}/messages?dir=b&limit=50`),
        await reader.get(`${room}/messages?dir=f&limit=50`),
        await reader.get(`${room}/event/${first}`),
        await reader.get(`${room}/context/${first}`),
        await reader.get(`${room}/state`),
      ];
      for (const answer of answers) {
        expect(answer.status).to.equal(200);
        expect(answer.text).to.not.include(canary);
      }
    }
    const own = await getMessages(alice, roomId, { dir: "b" });
    expect(JSON.stringify(own)).to.include(canary);
  });

  it("CVE-2026-45076: a page of rejected events does not end the history", async () => {
    const roomId = await makeRoom(alice);
    const from = await say(alice, roomId, "before");
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => say(alice, roomId, `bad ${i}`)),
    );
    const until = await say(alice, roomId, "after");
    const { sql } = server.database;
    const changed = await sql`
      update events set status = 1 where room_nid = (select room_nid from rooms where room_id = ${roomId})
        and position > (select position from events where event_id = ${from})
        and position < (select position from events where event_id = ${until})`;
    expect(changed.count).to.equal(500);
    const reader = (await startedOnce()).as(alice);
    const events = await pageThrough(reader, roomId, { dir: "b", limit: 10 });
    expect(events.at(-1)!.type).to.equal("m.room.create");
    expect(events.map(({ event_id }) => event_id)).to.include.members([
      from,
      until,
    ]);
    expect(JSON.stringify(events)).to.not.include('"bad ');
  });

  it("CVE-2018-10657: a room at the greatest depth goes on", async () => {
    const roomId = await makeRoom(alice);
    const deepest = await say(alice, roomId, "deep");
    const { sql } = server.database;
    await sql`update events set depth = ${Number.MAX_SAFE_INTEGER} where event_id = ${deepest}`;
    const writer = (await startedOnce()).as(alice);
    for (const body of ["one", "two", "three"]) await say(writer, roomId, body);
    const [row] = await sql<{ depth: number }[]>`
      select max(depth) as depth from events join rooms using (room_nid) where room_id = ${roomId}`;
    expect(row!.depth).to.equal(Number.MAX_SAFE_INTEGER);
    const events = await pageThrough(writer, roomId, { dir: "b", limit: 2 });
    const bodies = events.flatMap(({ content }) => content["body"] ?? []);
    expect(bodies).to.deep.equal(["three", "two", "one", "deep"]);
  });
});
