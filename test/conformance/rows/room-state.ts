import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, strings } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  findInDirectory,
  listState,
  publicRoom,
  typesOf,
} from "../harness/rooms.ts";
import type { User } from "../harness/user.ts";

const state = (name: string, run: (alice: User) => Promise<void>) => {
  row("csapi", "TestRoomState", `Parallel/${name}`, async (server) =>
    run(await server.user("alice")),
  );
};

state(
  "GET /rooms/:room id/state/m.room.member/:user id fetches my membership",
  async (alice) => {
    const roomId = await publicRoom(alice);
    const member = await alice.getState(roomId, "m.room.member", alice.userId);
    expect(member["membership"]).to.equal("join");
  },
);

state(
  "GET /rooms/:room id/state/m.room.member/:user id?format=event fetches my membership event",
  async (alice) => {
    const roomId = await publicRoom(alice);
    const target = path`/rooms/${roomId}/state/m.room.member/${alice.userId}`;
    const event = await alice.mustGet(target, { format: "event" });
    expect(event).to.include({
      sender: alice.userId,
      room_id: roomId,
      type: "m.room.member",
      state_key: alice.userId,
    });
    expect(event["event_id"]).to.be.a("string");
    expect(event["origin_server_ts"]).to.be.a("number");
    expect(at(event, "content", "membership")).to.equal("join");
  },
);

state(
  "GET /rooms/:room id/state/m.room.power levels fetches powerlevels",
  async (alice) => {
    const roomId = await publicRoom(alice);
    const levels = await alice.getState(roomId, "m.room.power_levels");
    expect(levels).to.include.all.keys(
      ...["ban", "kick", "redact", "users_default", "state_default"],
      ...["events_default", "users", "events"],
    );
  },
);

state(
  "GET /rooms/:room id/joined members fetches my membership",
  async (alice) => {
    await alice.mustPut(path`/profile/${alice.userId}/displayname`, {
      displayname: "Alice",
    });
    const roomId = await publicRoom(alice);
    const body = await alice.mustGet(path`/rooms/${roomId}/joined_members`);
    expect(body["joined"]).to.deep.equal({
      [alice.userId]: { display_name: "Alice", avatar_url: null },
    });
  },
);

state("GET /publicRooms lists newly-created room", async (alice) => {
  const roomId = await publicRoom(alice, { visibility: "public" });
  expect(await findInDirectory(alice, roomId)).to.not.equal(undefined);
});

state("GET /directory/room/:room alias yields room ID", async (alice) => {
  const name = `new-${alice.localpart}`;
  const roomId = await publicRoom(alice, { room_alias_name: name });
  const alias = `#${name}:${alice.serverName}`;
  const body = await alice.mustGet(path`/directory/room/${alias}`);
  expect(body["room_id"]).to.equal(roomId);
  expect(strings(body, "servers")).to.include(alice.serverName);
});

state("GET /joined rooms lists newly-created room", async (alice) => {
  const roomId = await publicRoom(alice);
  const body = await alice.mustGet("/joined_rooms");
  expect(strings(body, "joined_rooms")).to.include(roomId);
});

state("GET /rooms/:room id/state/m.room.name gets name", async (alice) => {
  const roomId = await publicRoom(alice, { name: "room_name_test" });
  const body = await alice.mustGet(path`/rooms/${roomId}/state/m.room.name`);
  expect(body).to.deep.equal({ name: "room_name_test" });
});

state("POST /rooms/:room id/state/m.room.name sets name", async (alice) => {
  const roomId = await publicRoom(alice);
  const target = path`/rooms/${roomId}/state/m.room.name`;
  await alice.mustPut(target, { name: "room_test_name" });
  expect(await alice.mustGet(target)).to.deep.equal({ name: "room_test_name" });
});

state("GET /rooms/:room id/state/m.room.topic gets topic", async (alice) => {
  const roomId = await publicRoom(alice, { topic: "room_topic_test" });
  const body = await alice.mustGet(path`/rooms/${roomId}/state/m.room.topic`);
  expect(body["topic"]).to.equal("room_topic_test");
});

state("PUT /rooms/:room id/state/m.room.topic sets topic", async (alice) => {
  const roomId = await publicRoom(alice);
  const target = path`/rooms/${roomId}/state/m.room.topic`;
  await alice.mustPut(target, { topic: "room_test_topic" });
  const body = await alice.mustGet(target);
  expect(body["topic"]).to.equal("room_test_topic");
});

state("GET /rooms/:room id/state fetches entire room state", async (alice) => {
  const roomId = await publicRoom(alice, { name: "a", topic: "b" });
  const types = typesOf(await listState(alice, roomId));
  expect(types).to.include.members([
    ...["m.room.create", "m.room.join_rules", "m.room.name"],
    ...["m.room.power_levels", "m.room.topic", "m.room.member"],
  ]);
});

state("PUT /createRoom with creation content", async (alice) => {
  const creation = { "m.federate": false };
  const roomId = await publicRoom(alice, { creation_content: creation });
  const created = await alice.getState(roomId, "m.room.create");
  expect(created["m.federate"]).to.equal(false);
});

state(
  "GET /rooms/:room id/joined members is forbidden after leaving room",
  async (alice) => {
    const roomId = await alice.createRoom();
    await alice.leave(roomId);
    const target = path`/rooms/${roomId}/joined_members`;
    expectError(await alice.get(target), 403, "M_FORBIDDEN");
  },
);
