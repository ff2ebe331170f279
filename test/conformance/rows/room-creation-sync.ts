import { expect } from "chai";
import { at } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { getStateEvent, publicRoom } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import { findEvent, hasEvent, timeline } from "../harness/sync.ts";

const reports = (name: string, run: (server: Server) => Promise<void>) => {
  row(
    "csapi",
    "TestRoomCreationReportsEventsToMyself",
    `parallel/${name}`,
    run,
  );
};

reports("Room creation reports m.room.create to myself", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom();
  const sync = await alice.syncUntil(
    (found) => timeline(found, roomId).length > 0,
  );
  const created = findEvent(timeline(sync, roomId), "m.room.create", "");
  expect(created?.["sender"]).to.equal(alice.userId);
});

reports("Room creation reports m.room.member to myself", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom();
  const sync = await alice.syncUntil(
    (found) => timeline(found, roomId).length > 0,
  );
  const member = findEvent(
    timeline(sync, roomId),
    "m.room.member",
    alice.userId,
  );
  expect(member?.["sender"]).to.equal(alice.userId);
  expect(at(member, "content", "membership")).to.equal("join");
});

reports("Setting room topic reports m.room.topic to myself", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom();
  const since = await alice.syncToken();
  const content = { topic: "Testing topic for the new room" };
  const eventId = await alice.sendState(roomId, "m.room.topic", "", content);
  const sync = await alice.syncUntil(
    (found) => hasEvent(timeline(found, roomId), eventId),
    { since },
  );
  const topic = findEvent(timeline(sync, roomId), "m.room.topic", "");
  expect(topic?.["sender"]).to.equal(alice.userId);
  expect(topic?.["content"]).to.deep.equal(content);
});

reports("Setting state twice is idempotent", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom();
  const set = () =>
    alice.sendState(roomId, "a.test.state.type", "", { a: "b" });
  const first = await set();
  expect(await set()).to.equal(first);
});

reports("Joining room twice is idempotent", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await publicRoom(bob);
  const idOfJoin = async () =>
    (await getStateEvent(alice, roomId, "m.room.member", alice.userId))[
      "event_id"
    ];
  await alice.join(roomId);
  const first = await idOfJoin();
  await alice.join(roomId);
  const sentinel = await bob.sendText(roomId, "after the second join");
  await alice.syncUntil((sync) => hasEvent(timeline(sync, roomId), sentinel));
  expect(await idOfJoin()).to.equal(first);
});
