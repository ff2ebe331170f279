import { expect } from "chai";
import { at, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import { bodies, createFilter, publicRoom, typesOf } from "../harness/rooms.ts";
import { findEvent, roomState, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const filters = ownRows("sync filters");

const JOIN = ["rooms", "join"];

/** A room in which Alice and Bob speak, and one message has a URL. */
async function arrange(alice: User, bob: User) {
  const roomId = await publicRoom(alice, { name: "name", topic: "topic" });
  await bob.join(roomId);
  await alice.sendText(roomId, "alice");
  await bob.sendText(roomId, "bob");
  await alice.send(roomId, "m.room.message", {
    msgtype: "m.file",
    body: "file",
    url: "mxc://example.org/file",
  });
  await alice.send(roomId, "org.example.custom.a", { body: "custom" });
  return roomId;
}

const shown = async (
  alice: User,
  roomId: string,
  timelineFilter: JsonObject,
) => {
  const filter = { room: { timeline: { limit: 50, ...timelineFilter } } };
  return timeline(await alice.sync({ filter }), roomId);
};

for (const room_version of ["11", "12"])
  filters(
    `rooms and not_rooms choose the rooms of version ${room_version}`,
    async ({ alice }) => {
      const roomId = await publicRoom(alice, { room_version });
      const other = await publicRoom(alice, { room_version });
      const roomsBy = async (room: JsonObject) =>
        Object.keys(at(await alice.sync({ filter: { room } }), ...JOIN) ?? {});
      expect(await roomsBy({ rooms: [roomId] })).to.deep.equal([roomId]);
      expect(await roomsBy({ not_rooms: [roomId] })).to.deep.equal([other]);
      const both = { rooms: [roomId], not_rooms: [roomId] };
      expect(await roomsBy(both)).to.deep.equal([]);
    },
  );

filters(
  "types and not_types choose events, with wildcards",
  async ({ alice, bob }) => {
    const roomId = await arrange(alice, bob);
    const custom = await shown(alice, roomId, { types: ["org.example.*"] });
    expect(bodies(custom)).to.deep.equal(["custom"]);
    const message = { types: ["m.room.message"], not_types: ["m.room.mess*"] };
    expect(await shown(alice, roomId, message)).to.deep.equal([]);
    const rest = await shown(alice, roomId, { not_types: ["m.room.*"] });
    expect(bodies(rest)).to.deep.equal(["custom"]);
  },
);

filters("senders and not_senders choose events", async ({ alice, bob }) => {
  const roomId = await arrange(alice, bob);
  const his = await shown(alice, roomId, { senders: [bob.userId] });
  expect(bodies(his)).to.deep.equal(["bob"]);
  const hers = await shown(alice, roomId, { not_senders: [bob.userId] });
  expect(bodies(hers)).to.deep.equal(["alice", "file", "custom"]);
});

filters("contains_url chooses events", async ({ alice, bob }) => {
  const roomId = await arrange(alice, bob);
  const types = ["m.room.message"];
  const withUrl = await shown(alice, roomId, { types, contains_url: true });
  expect(bodies(withUrl)).to.deep.equal(["file"]);
  const without = await shown(alice, roomId, { types, contains_url: false });
  expect(bodies(without)).to.deep.equal(["alice", "bob"]);
});

filters("the state has a filter of its own", async ({ alice, bob }) => {
  const roomId = await arrange(alice, bob);
  const filter = {
    room: { timeline: { limit: 1 }, state: { types: ["m.room.topic"] } },
  };
  const sync = await alice.sync({ filter });
  expect(typesOf(roomState(sync, roomId))).to.deep.equal(["m.room.topic"]);
});

filters(
  "event_fields leaves the rest of an event out",
  async ({ alice, bob }) => {
    const roomId = await arrange(alice, bob);
    const filter = {
      event_fields: ["type", "content.body"],
      room: { timeline: { types: ["m.room.message"], senders: [bob.userId] } },
    };
    const events = timeline(await alice.sync({ filter }), roomId);
    expect(bodies(events)).to.deep.equal(["bob"]);
    expect(at(events[0], "type")).to.equal("m.room.message");
  },
);

filters(
  "a stored filter does what an inline one does",
  async ({ alice, bob }) => {
    const roomId = await arrange(alice, bob);
    const filter = await createFilter(alice, {
      room: { timeline: { senders: [bob.userId], limit: 50 } },
    });
    const events = timeline(await alice.sync({ filter }), roomId);
    expect(bodies(events)).to.deep.equal(["bob"]);
  },
);

filters(
  "a filter that is no JSON, or unknown, is refused",
  async ({ alice }) => {
    for (const filter of ["{ no JSON", "no-such-filter"]) {
      const answer = await alice.get("/sync", { filter, timeout: 0 });
      expect(answer.status, filter).to.be.within(400, 404);
    }
  },
);

filters(
  "not one event of a filtered-out type wakes the timeline",
  async ({ alice, bob }) => {
    const roomId = await arrange(alice, bob);
    const since = await alice.syncToken();
    await bob.send(roomId, "org.example.custom.b", {});
    await bob.sendText(roomId, "last");
    const filter = { room: { timeline: { not_types: ["org.example.*"] } } };
    const events = timeline(await alice.sync({ since, filter }), roomId);
    expect(bodies(events)).to.deep.equal(["last"]);
    expect(findEvent(events, "org.example.custom.b")).to.equal(undefined);
  },
);
