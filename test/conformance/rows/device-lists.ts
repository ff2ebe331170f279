import { expect } from "chai";
import { at, type JsonObject } from "../harness/json.ts";
import { newDeviceIdentity } from "../harness/keys.ts";
import { row } from "../harness/registry.ts";
import { nextBatch, publicRoom } from "../harness/rooms.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

type Section = "changed" | "left";

const tells = (sync: JsonObject, section: Section, user: User): boolean => {
  const users = at(sync, "device_lists", section);
  return Array.isArray(users) && users.includes(user.userId);
};

/** The place in Alice's sync after she was told so. */
const told = async (
  alice: User,
  section: Section,
  user: User,
  since: string,
): Promise<string> =>
  nextBatch(
    await alice.syncUntil((sync) => tells(sync, section, user), { since }),
  );

/** New keys for a device; returns them. */
async function uploadNewKeys(user: User): Promise<JsonObject> {
  const { deviceKeys } = newDeviceIdentity(user);
  await user.mustPost("/keys/upload", { device_keys: deviceKeys });
  return deviceKeys;
}

async function expectKeys(
  asker: User,
  { userId, deviceId }: User,
  keys: JsonObject,
): Promise<void> {
  const found = await asker.mustPost("/keys/query", {
    device_keys: { [userId]: [] },
  });
  const shown = at(found, "device_keys", userId, deviceId);
  expect(shown).to.deep.include(keys);
}

interface Scene {
  alice: User;
  bob: User;
  keys: JsonObject;
  /** The place in Alice's sync after all that happened before: what a key query may bring about, too. */
  settle: (since: string) => Promise<string>;
}

async function arrange(server: Server): Promise<Scene> {
  const [alice, bob, barrier] = await Promise.all([
    server.user("alice"),
    server.user("bob"),
    server.user("barrier"),
  ]);
  await alice.join(await publicRoom(barrier));
  const keys = await uploadNewKeys(bob);
  const settle = async (since: string) => {
    await uploadNewKeys(barrier);
    return told(alice, "changed", barrier, since);
  };
  return { alice, bob, keys, settle };
}

const updates = (name: string, run: (scene: Scene) => Promise<void>) => {
  row("csapi", "TestDeviceListUpdates", name, async (server) =>
    run(await arrange(server)),
  );
};

/** Alice is told of Bob's keys once they share a room, and of their change. */
const whenMet =
  (host: "alice" | "bob") =>
  async ({ alice, bob, keys, settle }: Scene) => {
    const [owner, guest] = host === "alice" ? [alice, bob] : [bob, alice];
    const roomId = await publicRoom(owner);
    const before = await alice.syncToken();
    await guest.join(roomId);
    const met = await told(alice, "changed", bob, before);
    await expectKeys(alice, bob, keys);
    const since = await settle(met);
    const changed = await uploadNewKeys(bob);
    await told(alice, "changed", bob, since);
    await expectKeys(alice, bob, changed);
  };

updates("when local user joins a room", whenMet("alice"));
updates("when joining a room with a local user", whenMet("bob"));

/** Alice and Bob share a room, and she knows his keys. */
async function share(scene: Scene, host: "alice" | "bob") {
  const { alice, bob, keys, settle } = scene;
  const [owner, guest] = host === "alice" ? [alice, bob] : [bob, alice];
  const roomId = await publicRoom(owner);
  const before = await alice.syncToken();
  await guest.join(roomId);
  const met = await told(alice, "changed", bob, before);
  await expectKeys(alice, bob, keys);
  return { roomId, since: await settle(met) };
}

/** Alice is told that she shares no room with Bob, and nothing of him afterwards. */
const whenParted = (leaver: "alice" | "bob") => async (scene: Scene) => {
  const { alice, bob, settle } = scene;
  const { roomId, since } = await share(
    scene,
    leaver === "bob" ? "alice" : "bob",
  );
  await scene[leaver].leave(roomId);
  const parted = await told(alice, "left", bob, since);
  const changed = await uploadNewKeys(bob);
  await expectKeys(alice, bob, changed);
  await settle(parted);
  const sync = await alice.sync({ since: parted });
  expect(tells(sync, "changed", bob)).to.equal(false);
};

updates("when local user leaves a room", whenParted("bob"));
updates("when leaving a room with a local user", whenParted("alice"));

updates("when local user rejoins a room", async (scene) => {
  const { alice, bob } = scene;
  const { roomId, since } = await share(scene, "alice");
  await bob.leave(roomId);
  const parted = await told(alice, "left", bob, since);
  const changed = await uploadNewKeys(bob);
  await bob.join(roomId);
  // Both for who saw him go, and for who was away meanwhile.
  for (const place of [parted, since]) {
    const sync = await alice.syncUntil((seen) => tells(seen, "changed", bob), {
      since: place,
    });
    expect(tells(sync, "left", bob)).to.equal(false);
  }
  await expectKeys(alice, bob, changed);
});
