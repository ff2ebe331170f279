import { expect } from "chai";
import { canonicalJsonAsReceived } from "../../../src/core/canonical-json.ts";
import { asJson } from "../../../src/core/event.ts";
import type { FinishedEvent } from "../../../src/core/finish-event.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Receipt } from "../../../src/domain/rooms/receipt.ts";
import { receiveEvents } from "../../../src/domain/rooms/receive-events.ts";
import type { Source } from "../../../src/domain/rooms/verify-event.ts";
import {
  bytesOf,
  foreignKey,
  foreignKeyOf,
} from "../../support/foreign-server.ts";
import { useServer, type TestUser } from "../../support/server.ts";
import { ForeignRoom } from "./foreign-room.ts";
import { readStoredRoom } from "./stored-room.ts";

const bob = "@bob:b.example";
const carol = "@carol:c.example";
const source: Source = { keyOf: foreignKeyOf, origin: "b.example" };

describe("receiveEvents from a hostile server", function () {
  this.timeout(60_000);
  const server = useServer();
  let alice: TestUser;
  before(async () => (alice = await server.user("alice")));

  /** A public room that bob has joined. */
  async function makeRoom(version = "12") {
    const answer = await alice.post("/createRoom", {
      preset: "public_chat",
      room_version: version,
    });
    const roomId = String(answer.body["room_id"]);
    const room = await ForeignRoom.read(server.edges, roomId);
    const { roomNid } = room.room;
    const [joined] = await receive(roomNid, [bytesOf(room.join(bob))]);
    expect(joined!.status).to.equal("accepted");
    return { roomId, room, roomNid };
  }

  const receive = (
    roomNid: number,
    inputs: readonly Uint8Array[],
    from = source,
  ): Promise<Receipt[]> => receiveEvents(server.edges, roomNid, inputs, from);

  const statusOf = async (
    roomNid: number,
    input: Uint8Array,
    from = source,
  ): Promise<string> => (await receive(roomNid, [input], from))[0]!.status;

  const stored = (roomNid: number) =>
    readStoredRoom(server.database.sql, roomNid);

  /** The event with something changed after it was signed. */
  const tampered = ({ pdu }: FinishedEvent, changes: JsonObject): Uint8Array =>
    Buffer.from(canonicalJsonAsReceived({ ...asJson(pdu), ...changes }));

  let txn = 0;
  const speak = async (roomId: string) => {
    const path = `/rooms/${roomId}/send/m.room.message/${(txn += 1)}`;
    const sent = await alice.put(path, {
      msgtype: "m.text",
      body: "still here",
    });
    expect(sent.status).to.equal(200);
    return String(sent.body["event_id"]);
  };

  const chunkOf = async (roomId: string, from = "") => {
    const path = `/rooms/${roomId}/messages?dir=b&limit=10${from}`;
    const { body } = await alice.get(path);
    return { chunk: body["chunk"] as JsonObject[], end: body["end"] };
  };

  it("refuses depths that are no positions in a room, and the room goes on (CVE-2018-10657)", async () => {
    const { roomId, room, roomNid } = await makeRoom("12");
    for (const depth of [
      "9223372036854775807",
      "9007199254740992",
      "-1",
      "1.5",
      '"1"',
    ]) {
      const event = room.make({ sender: bob, depth: 7_777_777 });
      const text = Buffer.from(bytesOf(event)).toString();
      const input = Buffer.from(
        text.replace('"depth":7777777', `"depth":${depth}`),
      );
      expect(await statusOf(roomNid, input), depth).to.equal("dropped");
    }
    const deepest = room.add({ sender: bob, depth: Number.MAX_SAFE_INTEGER });
    expect(await statusOf(roomNid, bytesOf(deepest))).to.equal("accepted");
    const sent = [await speak(roomId), await speak(roomId)];
    const { chunk } = await chunkOf(roomId);
    expect(chunk.slice(0, 3).map((event) => event["event_id"])).to.deep.equal([
      sent[1],
      sent[0],
      deepest.eventId,
    ]);
  });

  it("clamps the numbers of old room versions", async () => {
    const { roomId, room, roomNid } = await makeRoom("4");
    const event = room.add({ sender: bob, depth: 2 ** 63 });
    expect(await statusOf(roomNid, bytesOf(event))).to.equal("accepted");
    const { byId } = await stored(roomNid);
    expect(byId.get(event.eventId)!.depth).to.equal(Number.MAX_SAFE_INTEGER);
    const odd = room.add({ sender: bob, ts: 1e300 });
    expect(await statusOf(roomNid, bytesOf(odd))).to.equal("accepted");
    await speak(roomId);
    const path = `/rooms/${roomId}/event/${encodeURIComponent(event.eventId)}`;
    expect((await alice.get(path)).body["event_id"]).to.equal(event.eventId);
    const page = await alice.get(`/rooms/${roomId}/messages?dir=b&limit=3`);
    const chunk = page.body["chunk"] as JsonObject[];
    expect(chunk.map(({ event_id: id }) => id).slice(1)).to.deep.equal([
      odd.eventId,
      event.eventId,
    ]);
  });

  it("drops what its sender's server has not signed", async () => {
    const { room, roomNid } = await makeRoom();
    const key = foreignKey("b.example");
    const event = room.make({ sender: bob });
    const { signatures } = event.pdu;
    const good = signatures["b.example"]!["ed25519:1"]!;
    const bad = good.replace(/^./, (letter) => (letter === "A" ? "B" : "A"));
    const third = room.make({ sender: bob }, foreignKey("c.example"));
    const wrongKey = room.make(
      { sender: bob },
      { ...foreignKey("b.example", "2"), keyId: key.keyId },
    );
    const twice = { "ed25519:1": good, "ed25519:2": good };
    for (const input of [
      tampered(event, { signatures: {} }),
      tampered(event, { signatures: { "b.example": {} } }),
      tampered(event, { signatures: { "b.example": { "ed25519:1": bad } } }),
      tampered(event, { signatures: { "b.example": { "ed25519:1": "" } } }),
      tampered(event, { signatures: { "b.example": { "rsa:1": good } } }),
      tampered(event, { signatures: { "b.example": twice } }),
      tampered(event, { sender: carol }),
      tampered(event, { origin_server_ts: 5 }),
      tampered(event, { prev_events: [] }),
      bytesOf(third),
      bytesOf(wrongKey),
    ]) {
      expect(await statusOf(roomNid, input)).to.equal("dropped");
    }
    const unknown: Source = { ...source, keyOf: () => undefined };
    expect(await statusOf(roomNid, bytesOf(event), unknown)).to.equal(
      "dropped",
    );
    const down: Source = {
      ...source,
      keyOf: () => Promise.reject(new Error("The key server is down.")),
    };
    expect(await statusOf(roomNid, bytesOf(event), down)).to.equal("dropped");
    expect((await stored(roomNid)).byId.has(event.eventId)).to.equal(false);
    expect(await statusOf(roomNid, bytesOf(event))).to.equal("accepted");
  });

  it("holds keys to their time from room version 5 on", async () => {
    for (const [version, expected] of [
      ["4", "accepted"],
      ["5", "dropped"],
      ["12", "dropped"],
    ] as const) {
      const { room, roomNid } = await makeRoom(version);
      const expired: Source = {
        ...source,
        keyOf: (...asked) => ({
          ...foreignKeyOf(...asked),
          validUntilTs: 1000,
        }),
      };
      const late = room.add({ sender: bob, ts: 1001 });
      expect(await statusOf(roomNid, bytesOf(late), expired)).to.equal(
        expected,
      );
      // "The lesser of this field and 7 days into the future."
      const future = room.make({
        sender: bob,
        ts: Date.now() + 8 * 86_400_000,
        prev: [...room.nodes.keys()].slice(-2, -1),
      });
      expect(await statusOf(roomNid, bytesOf(future))).to.equal(expected);
      const { prev } = { prev: [...room.nodes.keys()].slice(-2, -1) };
      const early = room.make({ sender: bob, ts: 999, prev });
      expect(await statusOf(roomNid, bytesOf(early), expired)).to.equal(
        "accepted",
      );
    }
  });

  it("keeps the redacted form of an event whose hash does not fit", async () => {
    for (const version of ["1", "6", "12"]) {
      const { roomId, room, roomNid } = await makeRoom(version);
      const event = room.add({
        sender: bob,
        content: { msgtype: "m.text", body: "signed" },
      });
      const input = tampered(event, { content: { body: "put in its place" } });
      expect(await statusOf(roomNid, input)).to.equal("accepted");
      const { chunk } = await chunkOf(roomId);
      expect(chunk[0]).to.deep.include({
        event_id: event.eventId,
        content: {},
      });
      const rows = await server.database.sql`
        select from event_contents c join events e using (nid) where e.event_id = ${event.eventId}`;
      expect(rows).to.have.length(0);
    }
  });

  it("drops events of other rooms, and rejects those that lean on another room (MSC4307)", async () => {
    for (const version of ["6", "12"]) {
      const here = await makeRoom(version);
      const there = await makeRoom(version);
      const stray = there.room.make({ sender: bob });
      expect(await statusOf(here.roomNid, bytesOf(stray))).to.equal("dropped");

      const lookup = there.room.lookup(there.room.current);
      const elsewhere = lookup("m.room.member", bob)!.eventId;
      const own = here.room.lookup(here.room.current);
      const auth = [
        own("m.room.power_levels", "")!.eventId,
        elsewhere,
        ...(version === "12" ? [] : [own("m.room.create", "")!.eventId]),
      ];
      const leaning = here.room.make({ sender: bob, auth });
      const [receipt] = await receive(here.roomNid, [bytesOf(leaning)]);
      expect(receipt).to.include({ status: "rejected" });
      expect(JSON.stringify(receipt)).to.include("of another room");

      const prev = here.room.tips;
      const follows = here.room.make({
        sender: bob,
        with: { prev_events: [...prev, elsewhere] },
      });
      expect(await statusOf(here.roomNid, bytesOf(follows))).to.equal(
        "dropped",
      );
      const { tips } = await stored(here.roomNid);
      expect(tips).to.deep.equal(here.room.tips);
    }
  });

  it("drops an id that an event of another room has", async () => {
    const [here, there] = [await makeRoom("1"), await makeRoom("1")];
    const taken = there.room.add({ sender: bob });
    await receive(there.roomNid, [bytesOf(taken)]);
    const twin = here.room.make({
      sender: bob,
      with: { event_id: taken.eventId },
    });
    expect(await statusOf(here.roomNid, bytesOf(twin))).to.equal("dropped");
    const foreign = here.room.make({
      sender: bob,
      with: { event_id: "$x:c.example" },
    });
    expect(await statusOf(here.roomNid, bytesOf(foreign))).to.equal("dropped");
  });

  it("takes 20 previous events and no more, and 10 auth events and no more", async () => {
    const { room, roomNid } = await makeRoom();
    const prev = room.tips;
    const ends = Array.from({ length: 21 }, (_, i) =>
      room.add({ sender: bob, prev, content: { i } }),
    );
    await receive(roomNid, ends.map(bytesOf));
    const ids = ends.map(({ eventId }) => eventId);
    const many = room.make({ sender: bob, prev: ids });
    expect(await statusOf(roomNid, bytesOf(many))).to.equal("dropped");
    const auth = [...ids.slice(0, 11)];
    const leaning = room.make({ sender: bob, auth });
    expect(await statusOf(roomNid, bytesOf(leaning))).to.equal("dropped");
    const fitting = room.make({ sender: bob, prev: ids.slice(0, 20) });
    expect(await statusOf(roomNid, bytesOf(fitting))).to.equal("accepted");
    const { tips } = await stored(roomNid);
    expect(tips).to.deep.equal([fitting.eventId, ids[20]!].sort());
  });

  it("cites at most 20 of many ends", async () => {
    const { roomId, room, roomNid } = await makeRoom();
    const prev = room.tips;
    const ends = Array.from({ length: 50 }, (_, i) =>
      room.make({ sender: bob, prev, content: { i } }),
    );
    await receive(roomNid, ends.map(bytesOf));
    const sent = await speak(roomId);
    const seen = await ForeignRoom.read(server.edges, roomId);
    expect(seen.event(sent)!.prevEventIds).to.have.length(20);
    expect((await stored(roomNid)).tips).to.have.length(31);
    await speak(roomId);
    await speak(roomId);
    const last = await speak(roomId);
    expect((await stored(roomNid)).tips).to.deep.equal([last]);
  });

  it("does not let one bad event of 50 hurt the others", async () => {
    const { room, roomNid } = await makeRoom();
    const bad: Record<string, () => Uint8Array> = {
      dropped: () => Buffer.from('{"type":'),
      rejected: () =>
        bytesOf(room.make({ type: "m.room.topic", stateKey: "", sender: bob })),
      missing: () =>
        bytesOf(
          room.make({
            sender: bob,
            with: { prev_events: [`$${"x".repeat(43)}`] },
          }),
        ),
    };
    for (const [status, make] of Object.entries(bad)) {
      for (const at of [0, 24, 49]) {
        const batch = Array.from({ length: 50 }, (_, i) =>
          i === at ? make() : bytesOf(room.add({ sender: bob })),
        );
        const receipts = await receive(roomNid, batch);
        expect(receipts.map((receipt) => receipt.status)).to.deep.equal(
          batch.map((_, i) => (i === at ? status : "accepted")),
        );
      }
    }
  });

  it("drops what is no event", async () => {
    const { room, roomNid } = await makeRoom();
    const event = bytesOf(room.make({ sender: bob }));
    const text = Buffer.from(event).toString();
    const deep = "[".repeat(2000) + "]".repeat(2000);
    for (const input of [
      ...["", "null", "[]", "1", '"x"', "{}", "{", "\u0000"],
      text.replace('"content":{}', '"content":{"n":1.5}'),
      text.replace('"content":{}', '"content":{"n":9007199254740993}'),
      text.replace('"content":{}', '"content":{"n":NaN}'),
      text.replace('"content":{}', `"content":{"n":${deep}}`),
      text.replace('"content":{}', '"content":[]'),
      text.replace('"content":{}', '"content":{"s":"\\ud800"}'),
      text.replace('"content":{}', `"content":{"s":"${"x".repeat(70_000)}"}`),
      text.replace(bob, "bob"),
      text.replace('"hashes":{', '"hashes":{"md5":1,"x":{'),
    ]) {
      expect(
        await statusOf(roomNid, Buffer.from(input)),
        input.slice(0, 300),
      ).to.equal("dropped");
    }
    expect(await statusOf(roomNid, Buffer.from([0xff, 0xfe]))).to.equal(
      "dropped",
    );
    expect(await statusOf(roomNid, event)).to.equal("accepted");
  });

  it("keeps names and values that are awkward elsewhere", async () => {
    const { roomId, room, roomNid } = await makeRoom("11");
    const content = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":"no","\\u0000":"\\u0000","m.relates_to":{"rel_type":"m.thread","event_id":"$\\u0000"}}',
    ) as JsonObject;
    const events = [
      room.add({ sender: bob, content }),
      room.add({ sender: bob, type: "m.\u0000.__proto__" }),
      room.add({
        sender: bob,
        type: "m.room.redaction",
        content: { redacts: "x".repeat(20_000) },
      }),
      room.add({
        sender: bob,
        type: "m.room.redaction",
        content: { redacts: "$\u0000" },
      }),
      room.add({
        sender: bob,
        type: "__proto__",
        with: { redacts: "y".repeat(9000) },
      }),
    ];
    const receipts = await receive(roomNid, events.map(bytesOf));
    expect(receipts.map(({ status }) => status)).to.deep.equal(
      events.map(() => "accepted"),
    );
    const { chunk } = await chunkOf(roomId);
    expect(chunk.map((event) => event["event_id"])).to.include.members(
      events.map(({ eventId }) => eventId),
    );
    expect(Object.prototype).not.to.have.property("polluted");
    await speak(roomId);
  });

  it("ends at once for events in a circle", async () => {
    const { room, roomNid } = await makeRoom("1");
    const [one, two] = ["$one:b.example", "$two:b.example"];
    const to = (eventId: string) => [[eventId, { sha256: "" }]];
    const inputs = [
      room.make({ sender: bob, with: { event_id: one, prev_events: to(two) } }),
      room.make({ sender: bob, with: { event_id: two, auth_events: to(one) } }),
      room.make({
        sender: bob,
        with: {
          event_id: "$self:b.example",
          prev_events: to("$self:b.example"),
        },
      }),
    ];
    const receipts = await receive(roomNid, inputs.map(bytesOf));
    expect(receipts.map(({ status }) => status)).to.deep.equal(
      inputs.map(() => "missing"),
    );
  });

  it("has one create event, and events that follow others", async () => {
    for (const version of ["6", "11"]) {
      const { roomId, room, roomNid } = await makeRoom(version);
      const second = room.make({
        type: "m.room.create",
        stateKey: "",
        sender: bob,
        content: { creator: bob, room_version: version },
        with: { prev_events: [], auth_events: [] },
      });
      expect(await statusOf(roomNid, bytesOf(second))).to.equal("dropped");
      const rootless = room.make({ sender: bob, with: { prev_events: [] } });
      expect(await statusOf(roomNid, bytesOf(rootless))).to.equal("dropped");
      const state = await alice.get(`/rooms/${roomId}/state/m.room.create/`);
      expect(state.body["room_version"]).to.equal(version);
    }
  });

  it("never lets a rejected event into the state or the graph's ends (CVE-2022-39374)", async () => {
    const { roomId, room, roomNid } = await makeRoom();
    const grab = room.add({
      type: "m.room.power_levels",
      stateKey: "",
      sender: bob,
      content: { users: { [bob]: 100 } },
    });
    const follows = room.add({ sender: bob, prev: [grab.eventId] });
    const leaning = room.make({
      sender: bob,
      auth: [
        grab.eventId,
        room.lookup(room.current)("m.room.member", bob)!.eventId,
      ],
    });
    const receipts = await receive(
      roomNid,
      [grab, follows, leaning].map(bytesOf),
    );
    expect(receipts.map(({ status }) => status)).to.deep.equal([
      "rejected",
      "accepted",
      "rejected",
    ]);
    const { byId, tips, current } = await stored(roomNid);
    expect(byId.get(grab.eventId)!.refusal).to.be.a("string");
    expect(tips).to.deep.equal([follows.eventId]);
    expect([...current.values()]).not.to.include(grab.eventId);
    const state = await alice.get(
      `/rooms/${roomId}/state/m.room.power_levels/`,
    );
    expect(JSON.stringify(state.body)).not.to.include(bob);
  });

  it("lets paging reach the create event past 500 rejected events (CVE-2026-45076)", async () => {
    const { roomId, room, roomNid } = await makeRoom();
    await receive(roomNid, [bytesOf(room.add({ sender: bob }))]);
    const prev = room.tips;
    let last = prev;
    for (let i = 0; i < 10; i += 1) {
      const batch = Array.from({ length: 50 }, () => {
        const topic = room.make({
          type: "m.room.topic",
          stateKey: "",
          sender: bob,
          content: { topic: "mine" },
          prev: last,
          depth: 20,
        });
        room.nodes.set(topic.eventId, {
          ...room.nodes.get(prev[0]!)!,
          fate: "rejected",
        });
        last = [topic.eventId];
        return topic;
      });
      const receipts = await receive(roomNid, batch.map(bytesOf));
      expect(receipts.every(({ status }) => status === "rejected")).to.equal(
        true,
      );
    }
    const past = room.make({ sender: bob, prev: last });
    expect(await statusOf(roomNid, bytesOf(past))).to.equal("accepted");
    expect((await stored(roomNid)).tips).to.deep.equal([past.eventId]);
    await speak(roomId);
    const types: unknown[] = [];
    let from = "";
    for (let pages = 0; pages < 10; pages += 1) {
      const { chunk, end } = await chunkOf(roomId, from);
      types.push(...chunk.map((event) => event["type"]));
      if (end === undefined) break;
      from = `&from=${String(end)}`;
    }
    expect(types.at(-1)).to.equal("m.room.create");
    expect(types).not.to.include("m.room.topic");
    const synced = await alice.get("/sync");
    expect(synced.text).not.to.include('"mine"');
  });

  it("asks for the signature of the server that lets a user into a restricted room", async () => {
    const { roomId, room, roomNid } = await makeRoom("10");
    await alice.put(`/rooms/${roomId}/state/m.room.join_rules`, {
      join_rule: "restricted",
      allow: [],
    });
    const seen = await ForeignRoom.read(server.edges, roomId);
    const join = seen.make({
      type: "m.room.member",
      sender: carol,
      stateKey: carol,
      content: {
        membership: "join",
        join_authorised_via_users_server: alice.userId,
      },
    });
    expect(room.room.roomNid).to.equal(roomNid);
    expect(await statusOf(roomNid, bytesOf(join))).to.equal("dropped");
    const forged = tampered(join, {
      signatures: { ...join.pdu.signatures, test: { "ed25519:1": "AAAA" } },
    });
    expect(await statusOf(roomNid, forged)).to.equal("dropped");
  });

  it("knows nothing of rooms that are not here", async () => {
    const { room } = await makeRoom();
    const input = bytesOf(room.make({ sender: bob }));
    const error = await receive(999_999_999, [input]).catch((e: unknown) => e);
    expect(error).to.include({ errcode: "M_NOT_FOUND" });
  });
});
