import { expect } from "chai";
import { toRoomEvent } from "../../../src/core/event-id.ts";
import type { FinishedEvent } from "../../../src/core/finish-event.ts";
import { getRoomRules } from "../../../src/core/room-version.ts";
import { receiveEvents } from "../../../src/domain/rooms/receive-events.ts";
import { storeOutliers } from "../../../src/domain/rooms/store-outliers.ts";
import {
  bytesOf,
  foreignKey,
  foreignKeyOf,
  signForeign,
} from "../../support/foreign-server.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { useServer, type TestUser } from "../../support/server.ts";
import { ForeignRoom } from "./foreign-room.ts";
import { readStoredRoom } from "./stored-room.ts";

const bob = "@bob:b.example";
const source = { keyOf: foreignKeyOf, origin: "b.example" };

describe("storeOutliers", () => {
  const server = useServer();
  let alice: TestUser;
  before(async () => (alice = await server.user("alice")));

  let made = 0;

  /** A room of another server, with its creator and a name. */
  function makeElsewhere(): { room: ForeignRoom; events: FinishedEvent[] } {
    const rules = getRoomRules("12");
    const create = signForeign(
      rules,
      {
        type: "m.room.create",
        sender: bob,
        state_key: "",
        content: { room_version: "12" },
        origin_server_ts: 1_000_000 + made++,
        depth: 1,
        prev_events: [],
        auth_events: [],
      },
      foreignKey("b.example"),
    );
    const roomId = `!${create.eventId.slice(1)}`;
    const room = new ForeignRoom({ roomNid: 0, roomId, rules });
    room.arrive(toRoomEvent(rules, create.pdu, create.eventId));
    const join = room.join(bob);
    const name = room.add({
      type: "m.room.name",
      stateKey: "",
      sender: bob,
      content: { name: "Elsewhere" },
    });
    return { room, events: [create, join, name] };
  }

  const store = (room: ForeignRoom, events: readonly FinishedEvent[]) =>
    storeOutliers(
      server.edges,
      { roomId: room.room.roomId, roomVersion: "12" },
      events.map(bytesOf),
      source,
    );

  const rowsOf = (room: ForeignRoom) => server.database.sql`
    select r.is_resident, r.state_version, e.event_id, e.status, e.position, e.arrival, e.snapshot_id
    from rooms r join events e using (room_nid) where r.room_id = ${room.room.roomId} order by e.event_id`;

  it("keeps the state of a room that this server is not in, without telling anyone", async () => {
    const { room, events } = makeElsewhere();
    const { receipts } = await store(room, [...events].reverse());
    expect(receipts.map(({ status }) => status)).to.deep.equal(
      Array(3).fill("accepted"),
    );
    const rows = await rowsOf(room);
    expect(rows).to.have.length(3);
    for (const row of rows) {
      expect(row).to.include({
        isResident: false,
        stateVersion: 0,
        status: 0,
        position: null,
        arrival: null,
        snapshotId: null,
      });
    }
    const { roomId } = room.room;
    const answer = await alice.get(
      `/rooms/${encodeURIComponent(roomId)}/state`,
    );
    expect(answer.status).to.equal(403);
    expect((await alice.get("/sync")).text).not.to.include("Elsewhere");
    const [receipt] = await receiveEvents(
      server.edges,
      (await store(room, events)).roomNid!,
      [bytesOf(room.make({ sender: bob }))],
      source,
    );
    expect(receipt).to.include({ status: "dropped" });
  });

  it("does nothing for what it knows, also when two processes store it at once", async () => {
    const { room, events } = makeElsewhere();
    const other = await server.startProcess();
    const answers = await Promise.all([
      store(room, events),
      storeOutliers(
        other.edges,
        { roomId: room.room.roomId, roomVersion: "12" },
        events.map(bytesOf),
        source,
      ),
    ]);
    expect(answers[0].roomNid).to.equal(answers[1].roomNid);
    const again = await store(room, events);
    expect(
      again.receipts.map((receipt) => "isNew" in receipt && receipt.isNew),
    ).to.deep.equal([false, false, false]);
    expect(await rowsOf(room)).to.have.length(3);
  });

  it("finds the room that another process makes while it reads the events", async () => {
    const { room, events } = makeElsewhere();
    let made: ReturnType<typeof store> | undefined;
    const db = new Proxy(server.edges.db, {
      apply(target, self, args: [{ raw?: readonly string[] }]) {
        const isOfEvents = args[0].raw?.join("").includes("from events e");
        const query: unknown = Reflect.apply(target, self, args);
        if (!isOfEvents || made) return query;
        made = store(room, events);
        return made.then(() => query);
      },
    });
    const answer = await storeOutliers(
      { ...server.edges, db, memory: new ProcessMemory() },
      { roomId: room.room.roomId, roomVersion: "12" },
      events.map(bytesOf),
      source,
    );
    expect(answer.roomNid).to.equal((await made!).roomNid);
    expect(answer.receipts.map(({ status }) => status)).to.deep.equal(
      Array(3).fill("accepted"),
    );
  });

  it("judges them by their auth events", async () => {
    const { room, events } = makeElsewhere();
    const [create, join, name] = events as [
      FinishedEvent,
      FinishedEvent,
      FinishedEvent,
    ];
    const missing = await store(room, [create, name]);
    expect(missing.receipts[1]).to.deep.equal({
      status: "missing",
      eventId: name.eventId,
      missing: [join.eventId],
    });
    const eve = room.make({
      type: "m.room.topic",
      stateKey: "",
      sender: "@eve:e.example",
    });
    const late = await store(room, [join, eve, name]);
    expect(late.receipts.map(({ status }) => status)).to.deep.equal([
      "accepted",
      "rejected",
      "accepted",
    ]);
    const unsigned = room.make({ sender: bob }, foreignKey("e.example"));
    const { receipts } = await store(room, [unsigned]);
    expect(receipts[0]).to.include({ status: "dropped" });
  });

  it("gives an outlier its place when what it follows is here", async () => {
    const answer = await alice.post("/createRoom", { preset: "public_chat" });
    const roomId = String(answer.body["room_id"]);
    const room = await ForeignRoom.read(server.edges, roomId);
    const { roomNid } = room.room;
    const join = room.join(bob);
    const said = room.add({ sender: bob, content: { body: "hi" } });
    await store(room, [join]);
    const receive = (events: readonly FinishedEvent[]) =>
      receiveEvents(server.edges, roomNid, events.map(bytesOf), source);
    expect(await receive([said])).to.deep.equal([
      { status: "missing", eventId: said.eventId, missing: [join.eventId] },
    ]);
    const outlier = await readStoredRoom(server.database.sql, roomNid);
    expect(outlier.members.has(bob)).to.equal(false);
    const receipts = await receive([join, said]);
    expect(receipts.map(({ status }) => status)).to.deep.equal([
      "accepted",
      "accepted",
    ]);
    const placed = await readStoredRoom(server.database.sql, roomNid);
    const { nid } = outlier.byId.get(join.eventId)!;
    expect(placed.byId.get(join.eventId)!.nid).to.equal(nid);
    expect(placed.byId.get(join.eventId)!.position).to.be.a("number");
    expect(placed.members.get(bob)).to.equal("join");
    expect(placed.current).to.deep.equal(room.current);
    const shown = await alice.get(`/rooms/${roomId}/event/${join.eventId}`);
    expect(shown.body["content"]).to.deep.equal({ membership: "join" });
  });
});
