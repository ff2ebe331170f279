import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { at, list, text } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  aliasTarget,
  listState,
  nextBatch,
  publicRoom,
  stateOf,
  syncInvited,
  syncJoined,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import { hasEvent, timeline } from "../harness/sync.ts";

const create = (name: string, run: (server: Server) => Promise<void>) => {
  row("csapi", "TestRoomCreate", `Parallel/${name}`, run);
};

create("POST /createRoom makes a public room", async (server) => {
  const alice = await server.user("alice");
  const name = server.newLocalpart("alias");
  const roomId = await alice.createRoom({
    visibility: "public",
    room_alias_name: name,
  });
  expect(roomId).to.match(/^!/);
  const alias = `#${name}:${alice.serverName}`;
  expect(await aliasTarget(alice, alias)).to.equal(roomId);
  const rules = await alice.getState(roomId, "m.room.join_rules");
  expect(rules["join_rule"]).to.equal("public");
});

create("POST /createRoom makes a private room", async (server) => {
  const alice = await server.user("alice");
  const roomId = await alice.createRoom({ visibility: "private" });
  const rules = await alice.getState(roomId, "m.room.join_rules");
  expect(rules["join_rule"]).to.equal("invite");
});

create("POST /createRoom makes a private room with invites", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const roomId = await alice.createRoom({
    visibility: "private",
    invite: [bob.userId],
  });
  const member = await alice.getState(roomId, "m.room.member", bob.userId);
  expect(member["membership"]).to.equal("invite");
});

create("POST /createRoom makes a room with a name", async (server) => {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice, { name: "Test Room" });
  const name = await alice.getState(roomId, "m.room.name");
  expect(name["name"]).to.equal("Test Room");
});

create("POST /createRoom makes a room with a topic", async (server) => {
  const alice = await server.user("alice");
  const roomId = await publicRoom(alice, { topic: "Test Room" });
  const topic = await alice.getState(roomId, "m.room.topic");
  expect(topic["topic"]).to.equal("Test Room");
});

const expectRichTopic = (content: unknown, body: string) => {
  const texts = list(content, "m.topic", "m.text");
  expect(texts).to.have.length(1);
  expect(texts[0]?.["body"]).to.equal(body);
  expect(texts[0]?.["mimetype"] ?? "text/plain").to.equal("text/plain");
};

create(
  "POST /createRoom makes a room with a topic and writes rich topic representation",
  async (server) => {
    const alice = await server.user("alice");
    const roomId = await publicRoom(alice, { topic: "Test Room" });
    const topic = await alice.getState(roomId, "m.room.topic");
    expect(topic["topic"]).to.equal("Test Room");
    expectRichTopic(topic, "Test Room");
  },
);

create(
  "POST /createRoom makes a room with a topic via initial state",
  async (server) => {
    const alice = await server.user("alice");
    const roomId = await publicRoom(alice, {
      initial_state: [stateOf("m.room.topic", { topic: "Test Room" })],
    });
    const topic = await alice.getState(roomId, "m.room.topic");
    expect(topic).to.deep.equal({ topic: "Test Room" });
  },
);

create(
  "POST /createRoom makes a room with a topic via initial state overwritten by topic",
  async (server) => {
    const alice = await server.user("alice");
    const roomId = await publicRoom(alice, {
      topic: "Test Room",
      initial_state: [stateOf("m.room.topic", { topic: "Something else" })],
    });
    const topic = await alice.getState(roomId, "m.room.topic");
    expect(topic["topic"]).to.equal("Test Room");
    expectRichTopic(topic, "Test Room");
  },
);

create(
  "POST /createRoom creates a room with the given version",
  async (server) => {
    const alice = await server.user("alice");
    const roomId = await publicRoom(alice, { room_version: "2" });
    const created = await alice.getState(roomId, "m.room.create");
    expect(created["room_version"]).to.equal("2");
  },
);

create(
  "POST /createRoom rejects attempts to create rooms with numeric versions",
  async (server) => {
    const alice = await server.user("alice");
    const answer = await alice.post("/createRoom", { room_version: 1 });
    expectError(answer, 400, "M_BAD_JSON");
  },
);

create(
  "POST /createRoom rejects attempts to create rooms with unknown versions",
  async (server) => {
    const alice = await server.user("alice");
    const answer = await alice.post("/createRoom", { room_version: "no-such" });
    expectError(answer, 400, "M_UNSUPPORTED_ROOM_VERSION");
  },
);

create(
  "POST /createRoom ignores attempts to set the room version via creation content",
  async (server) => {
    const alice = await server.user("alice");
    const roomId = await alice.createRoom({
      creation_content: { test: "azerty", room_version: "test" },
    });
    const sync = await syncJoined(alice, roomId);
    const first = timeline(sync, roomId)[0];
    expect(first?.["type"]).to.equal("m.room.create");
    expect(at(first, "content", "test")).to.equal("azerty");
    expect(text(first, "content", "room_version")).to.not.equal("test");
  },
);

create(
  "Rooms can be created with an initial invite list (SYN-205)",
  async (server) => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await alice.createRoom({ invite: [bob.userId] });
    const invited = await syncInvited(bob, roomId);
    await bob.join(roomId);
    await syncJoined(bob, roomId, nextBatch(invited));
  },
);

create("Can /sync newly created room", async (server) => {
  const alice = await server.user("alice");
  const since = await alice.syncToken();
  const roomId = await alice.createRoom();
  const eventId = await alice.send(roomId, "m.room.test", {});
  await alice.syncUntil((sync) => hasEvent(timeline(sync, roomId), eventId), {
    since,
  });
  const types = (await listState(alice, roomId)).map((event) => event["type"]);
  expect(types).to.include("m.room.create");
});
