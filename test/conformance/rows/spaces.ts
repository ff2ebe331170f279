import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, list, text, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { publicRoom, roomWithHistory, stateOf } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

const SPACE = { creation_content: { type: "m.space" } };

const space = (user: User, name: string, more: JsonObject = {}) =>
  publicRoom(user, { name, ...SPACE, ...more });

const addChild = (
  user: User,
  parent: string,
  child: string,
  more: JsonObject = {},
): Promise<string> =>
  user.sendState(parent, "m.space.child", child, {
    via: [user.serverName],
    ...more,
  });

const hierarchy = (
  user: User,
  roomId: string,
  query: Record<string, string | number | boolean | undefined> = {},
): Promise<JsonObject> =>
  user.mustGet(`/_matrix/client/v1${path`/rooms/${roomId}/hierarchy`}`, query);

const roomsIn = (page: JsonObject): string[] =>
  list(page, "rooms").map((room) => text(room, "room_id"));

interface Scene {
  alice: User;
  root: string;
  /** Rooms of the root. */
  r1: string;
  r2: string;
  /** A space of the root, with two rooms and a space of its own. */
  ss1: string;
  r3: string;
  r4: string;
  ss2: string;
  r5: string;
  /** By parent and child. */
  links: Map<string, string>;
}

async function arrange(server: Server): Promise<Scene> {
  const alice = await server.user("alice");
  const [root, ss1, ss2] = [
    await space(alice, "Root"),
    await space(alice, "SS1"),
    await space(alice, "SS2"),
  ];
  const rooms: string[] = [];
  for (const name of ["R1", "R2", "R3", "R4", "R5"])
    rooms.push(await publicRoom(alice, { name }));
  const [r1 = "", r2 = "", r3 = "", r4 = "", r5 = ""] = rooms;
  const links = new Map<string, string>();
  const link = async (parent: string, child: string, suggested = false) => {
    const more = suggested ? { suggested } : {};
    const eventId = await addChild(alice, parent, child, more);
    links.set(`${parent} ${child}`, eventId);
  };
  await link(root, r1, true);
  await link(root, ss1, true);
  await link(root, r2);
  await link(ss1, r3, true);
  await link(ss1, r4);
  await link(ss1, ss2);
  await link(ss2, r5);
  return { alice, root, r1, r2, ss1, r3, r4, ss2, r5, links };
}

const summarises = (name: string, run: (scene: Scene) => Promise<void>) => {
  row("general", "TestClientSpacesSummary", name, async (server) =>
    run(await arrange(server)),
  );
};

summarises("query whole graph", async (scene) => {
  const { alice, root, r1, r2, ss1, r3, r4, ss2, r5 } = scene;
  const page = await hierarchy(alice, root);
  expect(roomsIn(page)).to.have.members([
    ...[root, r1, r2, ss1, r3, r4, ss2, r5],
  ]);
  const entry = list(page, "rooms").find((room) => room["room_id"] === ss1);
  expect(entry).to.include({ name: "SS1", room_type: "m.space" });
  const children = list(entry!, "children_state");
  expect(children.map((child) => child["state_key"])).to.have.members([
    ...[r3, r4, ss2],
  ]);
  for (const child of children)
    expect(at(child, "content", "via")).to.deep.equal([alice.serverName]);
});

summarises("max depth", async ({ alice, root, r1, r2, ss1 }) => {
  const page = await hierarchy(alice, root, { max_depth: 1 });
  expect(roomsIn(page)).to.have.members([root, r1, r2, ss1]);
});

summarises("suggested only", async ({ alice, root, r1, ss1, r3 }) => {
  const page = await hierarchy(alice, root, { suggested_only: true });
  expect(roomsIn(page)).to.have.members([root, r1, ss1, r3]);
});

summarises("pagination", async (scene) => {
  const { alice, root, r1, r2, ss1, r3, r4, ss2, r5 } = scene;
  const first = await hierarchy(alice, root, { limit: 4 });
  expect(roomsIn(first)).to.have.length(4);
  const from = text(first, "next_batch");
  const second = await hierarchy(alice, root, { from });
  const all = [...roomsIn(first), ...roomsIn(second)];
  expect(all).to.have.length(8);
  expect(all).to.have.members([root, r1, r2, ss1, r3, r4, ss2, r5]);
  expect(at(second, "next_batch")).to.equal(undefined);
});

summarises("redact link", async (scene) => {
  const { alice, root, r1, r2, ss1, links } = scene;
  const link = links.get(`${root} ${ss1}`)!;
  const target = path`/rooms/${root}/redact/${link}/${alice.nextTxn()}`;
  await alice.mustPut(target);
  const page = await alice.until(
    () => hierarchy(alice, root),
    (answer) => roomsIn(answer).length === 3,
  );
  expect(roomsIn(page)).to.have.members([root, r1, r2]);
});

row("general", "TestClientSpacesSummaryJoinRules", "", async (server) => {
  const [alice, bob] = [await server.user("alice"), await server.user("bob")];
  const closed = (name: string, more: JsonObject = {}) =>
    alice.createRoom({ preset: "private_chat", name, ...more });
  const root = await space(alice, "Root");
  const [r1, ss1, r3] = [
    await closed("R1"),
    await closed("SS1", SPACE),
    await closed("R3"),
  ];
  const r2 = await roomWithHistory(alice, "world_readable");
  for (const child of [r1, ss1]) await addChild(alice, root, child);
  for (const child of [r2, r3]) await addChild(alice, ss1, child);
  await bob.join(root);

  const expectRooms = async (...rooms: string[]) => {
    const page = await bob.until(
      () => hierarchy(bob, root),
      (answer) => roomsIn(answer).length === rooms.length,
    );
    expect(roomsIn(page)).to.have.members(rooms);
    const [first] = list(page, "rooms");
    const links = list(first, "children_state").map(
      (link) => link["state_key"],
    );
    expect(links).to.have.members([r1, ss1]);
  };
  await expectRooms(root);
  // What hangs below a space that cannot be seen is not found.
  for (const roomId of [r1, r3]) await alice.invite(roomId, bob.userId);
  await expectRooms(root, r1);
  await alice.invite(ss1, bob.userId);
  await expectRooms(root, r1, ss1, r2, r3);
});

const restrictedTo = (roomId: string) =>
  stateOf("m.room.join_rules", {
    join_rule: "restricted",
    allow: [{ type: "m.room_membership", room_id: roomId }],
  });

row("general", "TestRestrictedRoomsSpacesSummaryLocal", "", async (server) => {
  const alice = await server.user("alice");
  const bob = await server.user("bob");
  const root = await space(alice, "Space", {
    initial_state: [
      stateOf("m.room.history_visibility", {
        history_visibility: "world_readable",
      }),
    ],
  });
  const roomId = await alice.createRoom({
    preset: "private_chat",
    name: "Room",
    room_version: "8",
    initial_state: [restrictedTo(root)],
  });
  await addChild(alice, root, roomId);
  expect(roomsIn(await hierarchy(alice, root))).to.have.members([root, roomId]);
  expect(roomsIn(await hierarchy(bob, root))).to.deep.equal([root]);
  await bob.join(root);
  const page = await bob.until(
    () => hierarchy(bob, root),
    (answer) => roomsIn(answer).length === 2,
  );
  expect(roomsIn(page)).to.have.members([root, roomId]);
});

const summary = (user: User, roomId: string): Promise<JsonObject> =>
  user.mustGet(`/_matrix/client/v1${path`/room_summary/${roomId}`}`);

row(
  "general",
  "TestRoomSummaryAllowedRoomIDs",
  "restricted room includes allowed room ids",
  async (server) => {
    const alice = await server.user("alice");
    const root = await space(alice, "Space");
    const roomId = await alice.createRoom({
      preset: "private_chat",
      initial_state: [restrictedTo(root)],
    });
    const shown = await summary(alice, roomId);
    expect(shown["allowed_room_ids"]).to.deep.equal([root]);
  },
);

row(
  "general",
  "TestRoomSummaryAllowedRoomIDs",
  "non-restricted room omits allowed room ids",
  async (server) => {
    const alice = await server.user("alice");
    const shown = await summary(alice, await publicRoom(alice));
    expect(shown).to.include({ join_rule: "public" });
    expect(shown).not.to.have.property("allowed_room_ids");
  },
);
