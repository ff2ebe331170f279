import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { strings } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import {
  act,
  levels,
  membershipOf,
  mustAct,
  publicRoom,
  trySetState,
} from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

const VERSION = { room_version: "12" };

const creators = (
  test: string,
  name: string,
  run: (server: Server, alice: User) => Promise<void>,
) => {
  const full = `TestMSC4289PrivilegedRoomCreators_${test}`;
  row("general", full, name, async (server) =>
    run(server, await server.user("alice")),
  );
};

creators("Additional", "", async (server, alice) => {
  const bob = await server.user("bob");
  const roomId = await publicRoom(alice, {
    ...VERSION,
    creation_content: { additional_creators: [bob.userId] },
  });
  await bob.join(roomId);
  const kick = await act(alice, roomId, "kick", { user_id: bob.userId });
  expectError(kick, 403, "M_FORBIDDEN");
  await bob.sendState(roomId, "m.room.name", "", { name: "Bob's room" });
  const powers = levels({ [bob.userId]: 100 });
  const set = await trySetState(alice, roomId, "m.room.power_levels", powers);
  expectError(set, 400);
});

creators("InvitedAreCreators", "", async (server, alice) => {
  const bob = await server.user("bob");
  const roomId = await alice.createRoom({
    ...VERSION,
    preset: "trusted_private_chat",
    is_direct: true,
    invite: [bob.userId],
  });
  const created = await alice.getState(roomId, "m.room.create");
  expect(created["additional_creators"]).to.deep.equal([bob.userId]);
});

creators("AdditionalCreatorsAndInvited", "", async (server, alice) => {
  const bob = await server.user("bob");
  const charlie = await server.user("charlie");
  const roomId = await alice.createRoom({
    ...VERSION,
    preset: "trusted_private_chat",
    is_direct: true,
    invite: [bob.userId],
    creation_content: { additional_creators: [charlie.userId] },
  });
  const created = await alice.getState(roomId, "m.room.create");
  const found = strings(created, "additional_creators");
  expect(found).to.have.members([bob.userId, charlie.userId]);
});

const validates = (name: string, given: unknown, status: number) => {
  creators("AdditionalValidation", name, async (_server, alice) => {
    const answer = await alice.post("/createRoom", {
      ...VERSION,
      creation_content: { additional_creators: given },
    });
    if (status === 200) expect(answer.status).to.equal(200);
    else expectError(answer, status);
  });
};

const FOO = "@foo:example.com";
validates("additional creators isn't an array", "not-an-array", 400);
validates("additional creators elements aren't strings", [FOO, 42], 400);
validates(
  "additional creators elements aren't user ID strings",
  [FOO, "not-a-user-id"],
  400,
);
validates(
  "additional creators elements aren't valid user ID strings (domain)",
  ["@invalid:dom$ain$.com"],
  400,
);
validates("additional creators are valid", [FOO, "@bar:baz.code"], 200);

/** What the suite checks with another server beside, as far as one server shows it. */
const privileged = (
  name: string,
  run: (scene: { alice: User; bob: User; roomId: string }) => Promise<void>,
) => {
  const full = "TestMSC4289PrivilegedRoomCreators";
  row("general", full, name, async (server) => {
    const [alice, bob] = [await server.user("alice"), await server.user("bob")];
    const invite = [bob.userId];
    const roomId = await alice.createRoom({ ...VERSION, invite });
    await bob.join(roomId);
    await run({ alice, bob, roomId });
  });
};

const MAX = Number.MAX_SAFE_INTEGER;

const setLevel = (user: User, roomId: string, of: User, level: number) =>
  trySetState(
    user,
    roomId,
    "m.room.power_levels",
    levels({ [of.userId]: level }),
  );

privileged(
  "PL event is missing creator in users map",
  async ({ alice, roomId }) => {
    const found = await alice.getState(roomId, "m.room.power_levels");
    expect(found["users"]).to.deep.equal({});
  },
);

privileged(
  "m.room.tombstone needs PL150 in the PL event",
  async ({ alice, roomId }) => {
    const found = await alice.getState(roomId, "m.room.power_levels");
    expect(found["events"]).to.include({ "m.room.tombstone": 150 });
  },
);

privileged("creator cannot set self in PL event", async ({ alice, roomId }) => {
  expectError(await setLevel(alice, roomId, alice, 100), 400);
  const found = await alice.getState(roomId, "m.room.power_levels");
  expect(found["users"]).to.deep.equal({});
});

for (const [name, level] of [
  ["creator can kick admin", 100],
  ["creator can kick admin above PL100", 949_342],
  ["creator can kick admin at JSON max value", MAX],
] as const)
  privileged(name, async ({ alice, bob, roomId }) => {
    const set = await setLevel(alice, roomId, bob, level);
    expect(set.status, set.raw).to.equal(200);
    await mustAct(alice, roomId, "kick", { user_id: bob.userId });
    expect(await membershipOf(alice, roomId, bob.userId)).to.equal("leave");
  });

privileged(
  "power level cannot be set beyond max canonical JSON int",
  async ({ alice, bob, roomId }) => {
    expectError(await setLevel(alice, roomId, bob, MAX + 1), 400);
  },
);

privileged(
  "admin with >PL100 cannot kick creator",
  async ({ alice, bob, roomId }) => {
    await setLevel(alice, roomId, bob, MAX);
    const kick = await act(bob, roomId, "kick", { user_id: alice.userId });
    expectError(kick, 403, "M_FORBIDDEN");
    expect(await membershipOf(bob, roomId, alice.userId)).to.equal("join");
  },
);

const withOverride = (users: Record<string, number>) => ({
  ...VERSION,
  power_level_content_override: levels(users),
});

privileged(
  "power level content override can be set",
  async ({ alice, bob }) => {
    const users = { [bob.userId]: 100 };
    const roomId = await alice.createRoom(withOverride(users));
    const found = await alice.getState(roomId, "m.room.power_levels");
    expect(found["users"]).to.deep.equal(users);
  },
);

privileged(
  "power level content override cannot set the room creator",
  async ({ alice }) => {
    const body = withOverride({ [alice.userId]: 100 });
    expectError(await alice.post("/createRoom", body), 400);
  },
);
