import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  aliasTarget,
  findInDirectory,
  levels,
  listState,
  membershipOf,
  stateOf,
} from "../harness/rooms.ts";
import { findEvent, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const creates = ownRows("room creation");

async function accessOf(user: User, roomId: string) {
  const state = await listState(user, roomId);
  const find = (type: string, key: string) =>
    at(findEvent(state, type, ""), "content", key);
  return {
    join: find("m.room.join_rules", "join_rule"),
    history: find("m.room.history_visibility", "history_visibility"),
    guests: find("m.room.guest_access", "guest_access") ?? "forbidden",
  };
}

const PRIVATE = { join: "invite", history: "shared", guests: "can_join" };
const PUBLIC = { join: "public", history: "shared", guests: "forbidden" };

for (const [given, access] of [
  [{ preset: "private_chat" }, PRIVATE],
  [{ preset: "trusted_private_chat" }, PRIVATE],
  [{ preset: "public_chat" }, PUBLIC],
  [{ visibility: "public" }, PUBLIC],
  [{ visibility: "private" }, PRIVATE],
  [{ visibility: "public", preset: "private_chat" }, PRIVATE],
  [{}, PRIVATE],
] as const)
  creates(
    `${JSON.stringify(given)} sets who may come in and see`,
    async ({ alice }) => {
      const roomId = await alice.createRoom(given);
      expect(await accessOf(alice, roomId)).to.include(
        given.visibility === "public" && "preset" in given
          ? { join: "invite", history: "shared" }
          : access,
      );
    },
  );

creates(
  "events come in the order that the specification gives",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom({
      preset: "public_chat",
      name: "name",
      topic: "topic",
      invite: [bob.userId],
      initial_state: [stateOf("org.example.first", { a: 1 })],
    });
    const filter = { room: { timeline: { limit: 50 } } };
    const events = timeline(await alice.sync({ filter }), roomId);
    const order = [
      ...["m.room.create", "m.room.member", "m.room.power_levels"],
      ...["m.room.join_rules", "org.example.first", "m.room.name"],
    ];
    const types = events.map((event) => event["type"]);
    expect(types.filter((type) => order.includes(String(type)))).to.deep.equal([
      ...order,
      "m.room.member",
    ]);
    expect(at(events.at(-1), "content", "membership")).to.equal("invite");
  },
);

creates(
  "initial_state goes before the preset, name before both",
  async ({ alice }) => {
    const roomId = await alice.createRoom({
      preset: "public_chat",
      name: "by name",
      initial_state: [
        stateOf("m.room.join_rules", { join_rule: "invite" }),
        stateOf("m.room.name", { name: "by initial_state" }),
        { type: "org.example.no-key", content: { a: 1 } },
      ],
    });
    const { join } = await accessOf(alice, roomId);
    expect(join).to.equal("invite");
    const name = await alice.getState(roomId, "m.room.name");
    expect(name).to.deep.equal({ name: "by name" });
    const keyless = await alice.getState(roomId, "org.example.no-key", "");
    expect(keyless).to.deep.equal({ a: 1 });
  },
);

creates(
  "a trusted private chat gives the invited equal power",
  async ({ alice, bob }) => {
    const roomId = await alice.createRoom({
      preset: "trusted_private_chat",
      room_version: "11",
      invite: [bob.userId],
    });
    const powers = await alice.getState(roomId, "m.room.power_levels");
    expect(at(powers, "users")).to.deep.equal({
      [alice.userId]: 100,
      [bob.userId]: 100,
    });
  },
);

creates(
  "power_level_content_override is laid over the default levels",
  async ({ alice }) => {
    const roomId = await alice.createRoom({
      room_version: "11",
      power_level_content_override: {
        events: { "m.room.name": 20 },
        invite: 30,
      },
    });
    const powers = await alice.getState(roomId, "m.room.power_levels");
    expect(powers["invite"]).to.equal(30);
    expect(powers["events"]).to.deep.equal({ "m.room.name": 20 });
    expect(at(powers, "users")).to.deep.equal({ [alice.userId]: 100 });
  },
);

creates("a room alias becomes the canonical one", async ({ alice }) => {
  const name = `canonical-${alice.localpart}`;
  const roomId = await alice.createRoom({ room_alias_name: name });
  const alias = `#${name}:${alice.serverName}`;
  expect(await aliasTarget(alice, alias)).to.equal(roomId);
  const canonical = await alice.getState(roomId, "m.room.canonical_alias");
  expect(canonical["alias"]).to.equal(alias);
});

creates("a taken alias makes no room", async ({ alice, bob }) => {
  const body = { room_alias_name: `taken-${alice.localpart}` };
  await alice.createRoom(body);
  expectError(await bob.post("/createRoom", body), 400, "M_ROOM_IN_USE");
  expect(await bob.mustGet("/joined_rooms")).to.deep.equal({
    joined_rooms: [],
  });
});

creates(
  "visibility is the directory's, not the join rule",
  async ({ alice }) => {
    const open = await alice.createRoom({ preset: "public_chat" });
    const target = path`/directory/list/room/${open}`;
    const found = await alice.mustGet(target);
    expect(found["visibility"]).to.equal("private");
    await alice.mustPut(target, { visibility: "public" });
    expect((await alice.mustGet(target))["visibility"]).to.equal("public");
    expect(await findInDirectory(alice, open)).to.be.an("object");
  },
);

creates("every room version can be had", async ({ alice, bob }) => {
  const made = Array.from({ length: 12 }, async (_, index) => {
    const room_version = String(index + 1);
    const roomId = await alice.createRoom({
      preset: "public_chat",
      room_version,
      name: `version ${room_version}`,
    });
    await bob.join(roomId);
    await bob.sendText(roomId, "hello");
    const creation = await bob.getState(roomId, "m.room.create");
    expect(creation["room_version"] ?? "1").to.equal(room_version);
    expect(await membershipOf(alice, roomId, bob.userId)).to.equal("join");
    const isOld = index < 10;
    expect("creator" in creation, room_version).to.equal(isOld);
    const powers = await alice.getState(roomId, "m.room.power_levels");
    const own = index < 11 ? { [alice.userId]: 100 } : {};
    expect(powers["users"], room_version).to.deep.equal(levels(own)["users"]);
    expect(await listState(bob, roomId)).to.have.length.above(5);
  });
  await Promise.all(made);
});

const refuses = (name: string, bad: object[]) => {
  creates(name, async ({ alice }) => {
    for (const body of bad) {
      const answer = await alice.post("/createRoom", body);
      expect(answer.status, JSON.stringify(body)).to.equal(400);
    }
    const rooms = await alice.mustGet("/joined_rooms");
    expect(rooms).to.deep.equal({ joined_rooms: [] });
  });
};

refuses("bad parameters make no room", [
  { invite: "not a list" },
  { invite: ["not a user id"] },
  { preset: "no_such_preset" },
]);

refuses("parameters of a wrong type make no room", [
  { room_alias_name: 1 },
  { creation_content: "text" },
  { initial_state: "not a list" },
  { initial_state: [{ type: 1, content: {} }] },
  { initial_state: [{ type: "org.example", content: "text" }] },
]);
