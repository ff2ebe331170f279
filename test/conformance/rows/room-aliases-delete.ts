import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { row } from "../harness/registry.ts";
import {
  aliasTarget,
  bringIn,
  levels,
  newAlias,
  setAlias,
} from "../harness/rooms.ts";
import { findEvent, timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

interface Scene {
  alice: User;
  bob: User;
  /** Alice's room, with Bob in it. */
  roomId: string;
}

const deletes = (name: string, run: (scene: Scene) => Promise<void>) => {
  row("csapi", "TestRoomDeleteAlias", `Parallel/${name}`, async (server) => {
    const alice = await server.user("alice");
    const bob = await server.user("bob");
    const roomId = await alice.createRoom({ room_version: "11" });
    await bringIn(alice, roomId, bob);
    await run({ alice, bob, roomId });
  });
};

async function mustSetAlias(user: User, roomId: string): Promise<string> {
  const alias = newAlias(user, "deleted");
  expect((await setAlias(user, alias, roomId)).status).to.equal(200);
  return alias;
}

const mustDelete = async (user: User, alias: string) => {
  await user.mustDelete(path`/directory/room/${alias}`);
  expectError(
    await user.get(path`/directory/room/${alias}`),
    404,
    "M_NOT_FOUND",
  );
};

const setCanonical = (user: User, roomId: string, alias: string) =>
  user.sendState(roomId, "m.room.canonical_alias", "", { alias });

deletes("Alias creators can delete alias with no ops", async (scene) => {
  const alias = await mustSetAlias(scene.bob, scene.roomId);
  await mustDelete(scene.bob, alias);
});

deletes(
  "Alias creators can delete canonical alias with no ops",
  async ({ alice, bob, roomId }) => {
    const alias = await mustSetAlias(bob, roomId);
    await setCanonical(alice, roomId, alias);
    await mustDelete(bob, alias);
    // He has no power to change the room's state.
    const found = await alice.getState(roomId, "m.room.canonical_alias");
    expect(found["alias"]).to.equal(alias);
  },
);

deletes("Can delete canonical alias", async ({ alice, roomId }) => {
  const alias = await mustSetAlias(alice, roomId);
  await setCanonical(alice, roomId, alias);
  const since = await alice.syncToken();
  await mustDelete(alice, alias);
  const sync = await alice.syncUntil(
    (found) => timeline(found, roomId).length > 0,
    { since },
  );
  const event = findEvent(timeline(sync, roomId), "m.room.canonical_alias", "");
  expect(event?.["content"]).to.deep.equal({});
});

deletes("Deleting a non-existent alias should return a 404", async (scene) => {
  const alias = newAlias(scene.bob, "none");
  const answer = await scene.bob.delete(path`/directory/room/${alias}`);
  expectError(answer, 404, "M_NOT_FOUND");
});

deletes(
  "Regular users can add and delete aliases in the default room configuration",
  async ({ alice, bob, roomId }) => {
    const alias = await mustSetAlias(bob, roomId);
    expect(await aliasTarget(alice, alias)).to.equal(roomId);
    await mustDelete(bob, alias);
  },
);

deletes(
  "Regular users can add and delete aliases when m.room.aliases is restricted",
  async ({ alice, bob, roomId }) => {
    const events = { "m.room.aliases": 50 };
    const powers = levels({ [alice.userId]: 100 }, { events });
    await alice.sendState(roomId, "m.room.power_levels", "", powers);
    const alias = await mustSetAlias(bob, roomId);
    expect(await aliasTarget(alice, alias)).to.equal(roomId);
    await mustDelete(bob, alias);
  },
);

deletes(
  "Users can't delete other's aliases",
  async ({ alice, bob, roomId }) => {
    const alias = await mustSetAlias(alice, roomId);
    const answer = await bob.delete(path`/directory/room/${alias}`);
    expectError(answer, 403, "M_FORBIDDEN");
    expect(await aliasTarget(alice, alias)).to.equal(roomId);
  },
);

deletes(
  "Users with sufficient power-level can delete other's aliases",
  async ({ alice, bob, roomId }) => {
    const powers = levels({ [alice.userId]: 100, [bob.userId]: 100 });
    await alice.sendState(roomId, "m.room.power_levels", "", powers);
    const alias = await mustSetAlias(alice, roomId);
    await mustDelete(bob, alias);
  },
);
