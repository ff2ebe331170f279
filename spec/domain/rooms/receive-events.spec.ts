import { expect } from "chai";
import { receiveEvents } from "../../../src/domain/rooms/receive-events.ts";
import type { FinishedEvent } from "../../../src/core/finish-event.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { bytesOf, foreignKeyOf } from "../../support/foreign-server.ts";
import { SlidingReader } from "../../support/sliding-reader.ts";
import { SyncReader } from "../../support/sync-reader.ts";
import {
  type Json,
  useServer,
  type TestProcess,
  type TestUser,
} from "../../support/server.ts";
import { ForeignRoom } from "./foreign-room.ts";
import { readStoredRoom } from "./stored-room.ts";

const source = { keyOf: foreignKeyOf, origin: "b.example" };
const bob = "@bob:b.example";

describe("receiveEvents", () => {
  const server = useServer();
  let alice: TestUser;
  before(async () => (alice = await server.user("alice")));

  async function makeRoom(body: JsonObject = {}) {
    const answer = await alice.post("/createRoom", {
      preset: "public_chat",
      ...body,
    });
    const roomId = String(answer.body["room_id"]);
    const room = await ForeignRoom.read(server.edges, roomId);
    return { roomId, room, roomNid: room.room.roomNid };
  }

  const receive = (
    roomNid: number,
    events: readonly FinishedEvent[],
    { edges }: Pick<TestProcess, "edges"> = server,
  ) => receiveEvents(edges, roomNid, events.map(bytesOf), source);

  const messages = async (roomId: string) => {
    const answer = await alice.get(`/rooms/${roomId}/messages?dir=b&limit=100`);
    return answer.body["chunk"] as JsonObject[];
  };
  const idsOf = (chunk: readonly JsonObject[]) =>
    chunk.map((event) => event["event_id"]);

  it("shows what a user of another server says to the members here", async () => {
    const { roomId, room, roomNid } = await makeRoom();
    const since = String((await alice.get("/sync")).body["next_batch"]);
    const waiting = alice.get(`/sync?since=${since}&timeout=10000`);
    const join = room.join(bob);
    const said = room.add({
      sender: bob,
      content: { msgtype: "m.text", body: "hello" },
    });
    expect(await receive(roomNid, [join, said])).to.deep.equal([
      { status: "accepted", eventId: join.eventId, isNew: true },
      { status: "accepted", eventId: said.eventId, isNew: true },
    ]);
    const { rooms } = (await waiting).body as {
      rooms: {
        join: Record<
          string,
          {
            timeline: { events: JsonObject[] };
            unread_notifications: JsonObject;
          }
        >;
      };
    };
    const { timeline, unread_notifications: unread } = rooms.join[roomId]!;
    expect(idsOf(timeline.events)).to.deep.equal([join.eventId, said.eventId]);
    expect(timeline.events[1]!["content"]).to.deep.equal(said.pdu.content);
    expect(unread).to.deep.equal({ notification_count: 1, highlight_count: 0 });
    const [latest] = await messages(roomId);
    expect(latest!["event_id"]).to.equal(said.eventId);
    const { tips, members } = await readStoredRoom(
      server.database.sql,
      roomNid,
    );
    expect(tips).to.deep.equal([said.eventId]);
    expect(members.get(bob)).to.equal("join");
    const [stored] = await server.database.sql<{ sealed: Buffer }[]>`
      select c.sealed from event_contents c join events e using (nid) where e.event_id = ${said.eventId}`;
    expect(stored!.sealed.includes("hello")).to.equal(false);
  });

  it("does nothing for events that it knows", async () => {
    const { room, roomNid } = await makeRoom();
    const batch = [room.join(bob), room.add({ sender: bob })];
    await receive(roomNid, batch);
    const [before] = await server.database
      .sql`select max(last_position) from batches`;
    expect(await receive(roomNid, batch)).to.deep.equal(
      batch.map(({ eventId }) => ({
        status: "accepted",
        eventId,
        isNew: false,
      })),
    );
    const [after] = await server.database
      .sql`select max(last_position) from batches`;
    expect(after).to.deep.equal(before);
  });

  it("keeps an event twice in a batch once, and takes a batch in any order", async () => {
    const { room, roomNid } = await makeRoom();
    const join = room.join(bob);
    const first = room.add({ sender: bob });
    const second = room.add({ sender: bob });
    const receipts = await receive(roomNid, [second, first, join, first]);
    expect(receipts.map(({ status }) => status)).to.deep.equal(
      Array(4).fill("accepted"),
    );
    const { tips, rows } = await readStoredRoom(server.database.sql, roomNid);
    expect(tips).to.deep.equal([second.eventId]);
    expect(rows.slice(-3).map(({ eventId }) => eventId)).to.deep.equal(
      [join, first, second].map(({ eventId }) => eventId),
    );
  });

  it("names what is missing, and takes the event when that has come", async () => {
    const { room, roomNid } = await makeRoom();
    const join = room.join(bob);
    const gap = room.add({ sender: bob });
    const late = room.add({ sender: bob });
    const after = room.add({ sender: bob });
    await receive(roomNid, [join]);
    expect(await receive(roomNid, [late, after])).to.deep.equal([
      { status: "missing", eventId: late.eventId, missing: [gap.eventId] },
      { status: "missing", eventId: after.eventId, missing: [late.eventId] },
    ]);
    const receipts = await receive(roomNid, [late, gap, after]);
    expect(receipts.map(({ status }) => status)).to.deep.equal(
      Array(3).fill("accepted"),
    );
  });

  it("lets the next local event close a fork, with the state that follows from both sides", async () => {
    const { roomId, room, roomNid } = await makeRoom({
      power_level_content_override: { state_default: 0, events: {} },
    });
    const join = room.join(bob);
    const topic = (text: string, ts: number) =>
      room.make({
        type: "m.room.topic",
        sender: bob,
        stateKey: "",
        content: { topic: text },
        ts,
      });
    const sides = [topic("later", Date.now()), topic("early", 5)];
    const receipts = await receive(roomNid, [join, ...sides]);
    expect(receipts.map(({ status }) => status)).to.deep.equal(
      Array(3).fill("accepted"),
    );
    const { tips } = await readStoredRoom(server.database.sql, roomNid);
    expect(tips).to.deep.equal(sides.map(({ eventId }) => eventId).sort());
    const state = await alice.get(`/rooms/${roomId}/state/m.room.topic/`);
    expect(state.body).to.deep.equal({ topic: "later" });
    const path = `/rooms/${roomId}/send/m.room.message/1`;
    const sent = await alice.put(path, { body: "x", msgtype: "m.text" });
    const closed = await ForeignRoom.read(server.edges, roomId);
    expect(closed.tips).to.deep.equal([sent.body["event_id"]]);
    expect(
      [...closed.event(String(sent.body["event_id"]))!.prevEventIds].sort(),
    ).to.deep.equal(tips);
    const stored = await readStoredRoom(server.database.sql, roomNid);
    expect(stored.tips).to.deep.equal(closed.tips);
    expect(stored.current).to.deep.equal(closed.current);
  });

  it("shows what relates to an event with it, also where it was sent before", async () => {
    const { roomId, room, roomNid } = await makeRoom();
    await receive(roomNid, [room.join(bob)]);
    const parent = room.add({
      sender: bob,
      content: { msgtype: "m.text", body: "first" },
    });
    const edit = room.add({
      sender: bob,
      content: {
        msgtype: "m.text",
        body: "* second",
        "m.new_content": { msgtype: "m.text", body: "second" },
        "m.relates_to": { rel_type: "m.replace", event_id: parent.eventId },
      },
      prev: parent.pdu.prev_events as string[],
    });
    await receive(roomNid, [edit]);
    const reader = new SyncReader(alice);
    const sliding = new SlidingReader(alice, {
      lists: {
        all: { ranges: [[0, 9]], timeline_limit: 5, required_state: [] },
      },
    });
    await reader.next();
    await sliding.next();
    await receive(roomNid, [parent]);
    const editIn = (event: unknown) => {
      const { unsigned } = event as { unsigned?: Json };
      const relations = unsigned?.["m.relations"] as Json | undefined;
      return (relations?.["m.replace"] as Json | undefined)?.["event_id"];
    };
    const { rooms } = await reader.next();
    const { timeline } = rooms.join[roomId]!;
    expect(timeline.events.map(editIn)).to.deep.equal([edit.eventId]);
    const told = await sliding.next();
    expect(told.rooms[roomId]!.timeline!.map(editIn)).to.deep.equal([
      edit.eventId,
    ]);
    const whole = new SyncReader(alice);
    const first = (await whole.next()).rooms.join[roomId]!;
    const shown = first.timeline.events.find(
      ({ event_id: eventId }) => eventId === parent.eventId,
    );
    expect(editIn(shown)).to.equal(edit.eventId);
  });

  it("soft-fails what the state of today forbids: nobody is shown it, nothing cites it", async () => {
    const { roomId, room, roomNid } = await makeRoom();
    await receive(roomNid, [room.join(bob)]);
    const evading = room.make({ sender: bob, content: { body: "evading" } });
    await alice.post(`/rooms/${roomId}/ban`, { user_id: bob });
    const { tips } = await readStoredRoom(server.database.sql, roomNid);
    const since = String((await alice.get("/sync")).body["next_batch"]);
    const [receipt] = await receive(roomNid, [evading]);
    expect(receipt).to.include({ status: "soft-failed", isNew: true });
    expect(await receive(roomNid, [evading])).to.have.nested.property(
      "[0].status",
      "soft-failed",
    );
    const stored = await readStoredRoom(server.database.sql, roomNid);
    expect(stored.tips).to.deep.equal(tips);
    expect(stored.byId.get(evading.eventId)).to.include({ status: 1 });
    expect(idsOf(await messages(roomId))).not.to.include(evading.eventId);
    const synced = await alice.get(`/sync?since=${since}`);
    expect(synced.text).not.to.include("evading");
    const path = `/rooms/${roomId}/event/${evading.eventId}`;
    expect((await alice.get(path)).status).to.equal(404);
  });

  it("takes an event that follows a soft-failed one, and what lies behind that is no end any more", async () => {
    const { roomId, room, roomNid } = await makeRoom();
    const carol = "@carol:c.example";
    await receive(roomNid, [room.join(bob), room.join(carol)]);
    const evading = room.make({ sender: bob });
    await alice.post(`/rooms/${roomId}/ban`, { user_id: bob });
    await receive(roomNid, [evading]);
    const seen = await ForeignRoom.read(server.edges, roomId);
    const joint = seen.add({
      sender: carol,
      prev: [...seen.tips, evading.eventId],
    });
    await receive(roomNid, [joint]);
    const stored = await readStoredRoom(server.database.sql, roomNid);
    expect(stored.tips).to.deep.equal([joint.eventId]);
    expect(stored.current).to.deep.equal(seen.current);
  });

  it("applies redactions, whichever of the two comes first", async () => {
    for (const version of ["1", "6", "12"]) {
      const { roomId, room, roomNid } = await makeRoom({
        room_version: version,
      });
      const join = room.join(bob);
      const [one, two] = ["one", "two"].map((body) =>
        room.add({ sender: bob, content: { msgtype: "m.text", body } }),
      ) as [FinishedEvent, FinishedEvent];
      const redaction = ({ eventId }: FinishedEvent, prev: string[]) =>
        room.make({
          type: "m.room.redaction",
          sender: bob,
          prev,
          ...(version === "12"
            ? { content: { redacts: eventId } }
            : { with: { redacts: eventId } }),
        });
      await receive(roomNid, [join, one]);
      const early = redaction(two, [one.eventId]);
      const late = redaction(one, [one.eventId]);
      await receive(roomNid, [early, late]);
      await receive(roomNid, [two]);
      const chunk = await messages(roomId);
      for (const { eventId } of [one, two]) {
        const shown = chunk.find((event) => event["event_id"] === eventId)!;
        expect(shown["content"], `version ${version}`).to.deep.equal({});
      }
      const left = await server.database.sql`
        select from event_contents c join events e using (nid)
        where e.event_id in (${one.eventId}, ${two.eventId})`;
      expect(left).to.have.length(0);
    }
  });

  it("does not let another server redact what it may not", async () => {
    const { roomId, room, roomNid } = await makeRoom();
    const path = `/rooms/${roomId}/send/m.room.message/1`;
    const sent = await alice.put(path, { body: "mine", msgtype: "m.text" });
    const seen = await ForeignRoom.read(server.edges, roomId);
    const join = seen.join(bob);
    const redaction = seen.add({
      type: "m.room.redaction",
      sender: bob,
      content: { redacts: String(sent.body["event_id"]) },
    });
    expect(room.room.roomNid).to.equal(roomNid);
    await receive(roomNid, [join, redaction]);
    expect(JSON.stringify(await messages(roomId))).to.include("mine");
  });

  it("shows an invite from another server with the stripped state of the room", async () => {
    const { roomId, room, roomNid } = await makeRoom({ name: "The room" });
    const dora = await server.user("dora");
    const invite = room.make({
      type: "m.room.member",
      sender: bob,
      stateKey: dora.userId,
      content: { membership: "invite" },
      prev: [room.join(bob).eventId],
    });
    const join = room.nodes.get(room.tips[0]!)!.event;
    await receive(roomNid, [join as unknown as FinishedEvent, invite]);
    const { rooms } = (await dora.get("/sync")).body as {
      rooms: { invite: Record<string, unknown> };
    };
    const shown = JSON.stringify(rooms.invite[roomId]);
    expect(shown).to.include("The room").and.to.include('"invite"');
  });
});
