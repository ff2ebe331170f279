import { expect } from "chai";
import { passwordStage, withPassword } from "../harness/auth.ts";
import { expectError, path } from "../harness/client.ts";
import {
  at,
  isObject,
  list,
  strings,
  text,
  type JsonObject,
} from "../harness/json.ts";
import {
  crossSigningKey,
  newDeviceIdentity,
  newSigningKey,
  signed,
} from "../harness/keys.ts";
import { ownRows } from "../harness/own-rows.ts";
import type { User } from "../harness/user.ts";

const keys = ownRows("device keys");

const ALGORITHM = "signed_curve25519";

const upload = (user: User, body: JsonObject): Promise<JsonObject> =>
  user.mustPost("/keys/upload", body);

async function claim(asker: User, owner: User): Promise<JsonObject> {
  const body = await asker.mustPost("/keys/claim", {
    one_time_keys: { [owner.userId]: { [owner.deviceId]: ALGORITHM } },
  });
  const found = at(body, "one_time_keys", owner.userId, owner.deviceId);
  return isObject(found) ? found : {};
}

const query = (asker: User, owner: User): Promise<JsonObject> =>
  asker.mustPost("/keys/query", { device_keys: { [owner.userId]: [] } });

const tells = (sync: JsonObject, section: "changed" | "left", user: User) => {
  const users = at(sync, "device_lists", section);
  return Array.isArray(users) && users.includes(user.userId);
};

const unusedFallbacks = (sync: JsonObject): unknown =>
  at(sync, "device_unused_fallback_key_types");

keys(
  "a fallback key is given when one-time keys have run out, and again",
  async ({ alice, bob }) => {
    const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
    const only = oneTimeKey("A");
    const fallback = oneTimeKey("F");
    await upload(alice, {
      device_keys: deviceKeys,
      one_time_keys: only,
      fallback_keys: fallback,
    });
    expect(unusedFallbacks(await alice.sync())).to.deep.equal([ALGORITHM]);
    expect(await claim(bob, alice)).to.deep.equal(only);
    expect(await claim(bob, alice)).to.deep.equal(fallback);
    expect(await claim(bob, alice)).to.deep.equal(fallback);
    expect(unusedFallbacks(await alice.sync())).to.deep.equal([]);

    const renewed = oneTimeKey("G");
    await upload(alice, { fallback_keys: renewed });
    expect(unusedFallbacks(await alice.sync())).to.deep.equal([ALGORITHM]);
    expect(await claim(bob, alice)).to.deep.equal(renewed);
  },
);

keys("another key under an id in use is refused", async ({ alice, bob }) => {
  const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
  const first = oneTimeKey("A");
  await upload(alice, { device_keys: deviceKeys, one_time_keys: first });
  const again = { one_time_keys: oneTimeKey("A") };
  expectError(await alice.post("/keys/upload", again), 400);
  expect(await claim(bob, alice)).to.deep.equal(first);
});

keys("claims at once never get the same key", async ({ alice, bob }) => {
  const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
  const ids = Array.from({ length: 20 }, (_, index) => `K${index}`);
  await upload(alice, {
    device_keys: deviceKeys,
    one_time_keys: Object.fromEntries(
      ids.flatMap((id) => Object.entries(oneTimeKey(id))),
    ),
  });
  const claims = await Promise.all(ids.map(() => claim(bob, alice)));
  const given = claims.flatMap((found) => Object.keys(found));
  expect(given).to.have.lengthOf(new Set(given).size);
  // A claim may come away empty while another holds the last keys; what is left can be had afterwards.
  while (given.length < ids.length) {
    const [next = "none left"] = Object.keys(await claim(bob, alice));
    given.push(next);
  }
  expect(given).to.have.members(ids.map((id) => `${ALGORITHM}:${id}`));
  expect(await claim(bob, alice)).to.deep.equal({});
});

keys("sync counts the one-time keys left", async ({ alice, bob }) => {
  const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
  const count = async () =>
    at(await alice.sync(), "device_one_time_keys_count", ALGORITHM);
  await upload(alice, {
    device_keys: deviceKeys,
    one_time_keys: { ...oneTimeKey("A"), ...oneTimeKey("B") },
  });
  expect(await count()).to.equal(2);
  await claim(bob, alice);
  expect(await count()).to.equal(1);
});

keys(
  "a deleted device has no keys left to query or claim",
  async ({ server, alice, bob }) => {
    const second = await server.login(alice);
    const { deviceKeys, oneTimeKey } = newDeviceIdentity(second);
    await upload(second, {
      device_keys: deviceKeys,
      one_time_keys: oneTimeKey("A"),
    });
    const target = path`/devices/${second.deviceId}`;
    const gone = await withPassword(alice, "DELETE", target);
    expect(gone.status, gone.raw).to.equal(200);
    expect(await claim(bob, second)).to.deep.equal({});
    const devices = at(await query(bob, alice), "device_keys", alice.userId);
    expect(devices ?? {}).to.deep.equal({});
  },
);

keys(
  "who shares no room any more is told of in device_lists.left",
  async ({ alice, bob }) => {
    const { deviceKeys } = newDeviceIdentity(bob);
    await upload(bob, { device_keys: deviceKeys });
    const invite = [bob.userId];
    const roomId = await alice.createRoom({ preset: "private_chat", invite });
    await bob.join(roomId);
    const since = await alice.syncToken();
    await bob.leave(roomId);
    const sync = await alice.syncUntil((seen) => tells(seen, "left", bob), {
      since,
    });
    expect(tells(sync, "changed", bob)).to.equal(false);
  },
);

const UPLOAD = "/keys/device_signing/upload";

async function crossSign(user: User) {
  const { userId } = user;
  const [master, selfSigning, userSigning] = [
    newSigningKey(),
    newSigningKey(),
    newSigningKey(),
  ];
  const sub = (usage: "self_signing" | "user_signing", key = selfSigning) =>
    signed(
      crossSigningKey(userId, usage, key),
      userId,
      master.publicKey,
      master,
    );
  const body = {
    master_key: crossSigningKey(userId, "master", master),
    self_signing_key: sub("self_signing"),
    user_signing_key: sub("user_signing", userSigning),
  };
  await user.mustPost(UPLOAD, body);
  return { ...body, selfSigning };
}

keys(
  "everybody sees master and self-signing keys, only their owner the user-signing key",
  async ({ alice, bob }) => {
    const given = await crossSign(alice);
    for (const asker of [alice, bob]) {
      const found = await query(asker, alice);
      expect(at(found, "master_keys", alice.userId, "keys")).to.deep.equal(
        given.master_key["keys"],
      );
      expect(
        at(found, "self_signing_keys", alice.userId, "keys"),
      ).to.deep.equal(given.self_signing_key["keys"]);
      const userSigning = at(found, "user_signing_keys", alice.userId, "keys");
      expect(userSigning).to.deep.equal(
        asker === alice ? given.user_signing_key["keys"] : undefined,
      );
    }
  },
);

keys(
  "a device's signature by its owner's self-signing key is kept and shown",
  async ({ alice, bob }) => {
    const { deviceKeys } = newDeviceIdentity(alice);
    await upload(alice, { device_keys: deviceKeys });
    const { selfSigning } = await crossSign(alice);
    const { userId, deviceId } = alice;
    const { signatures: own, ...bare } = deviceKeys;
    const byOwner = signed(bare, userId, selfSigning.publicKey, selfSigning);
    const body = await alice.mustPost("/keys/signatures/upload", {
      [userId]: { [deviceId]: byOwner },
    });
    expect(at(body, "failures") ?? {}).to.deep.equal({});
    const found = await query(bob, alice);
    const shown = at(found, "device_keys", userId, deviceId, "signatures");
    expect(at(shown, userId)).to.deep.equal({
      ...(isObject(at(own, userId)) ? Object(at(own, userId)) : {}),
      ...Object(at(byOwner, "signatures", userId)),
    });
  },
);

keys(
  "a self-signing key without a master key is refused",
  async ({ alice }) => {
    const bare = crossSigningKey(alice.userId, "self_signing", newSigningKey());
    const master = newSigningKey();
    const self_signing_key = signed(
      bare,
      alice.userId,
      master.publicKey,
      master,
    );
    const answer = await alice.post(UPLOAD, { self_signing_key });
    expectError(answer, 400);
    const found = await query(alice, alice);
    expect(at(found, "self_signing_keys", alice.userId)).to.equal(undefined);
  },
);

keys(
  "new cross-signing keys are told to those who share a room, and to oneself",
  async ({ server, alice, bob }) => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    const phone = await server.login(alice);
    const watchers = [bob, phone];
    const tokens = await Promise.all(watchers.map((user) => user.syncToken()));
    await crossSign(alice);
    for (const [index, user] of watchers.entries())
      await user.syncUntil((sync) => tells(sync, "changed", alice), {
        since: tokens[index],
      });
  },
);

keys(
  "a device that is deleted is told of to those who share a room",
  async ({ server, alice, bob }) => {
    const second = await server.login(alice);
    await upload(second, { device_keys: newDeviceIdentity(second).deviceKeys });
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    const since = await bob.syncToken();
    const target = path`/devices/${second.deviceId}`;
    const gone = await withPassword(alice, "DELETE", target);
    expect(gone.status, gone.raw).to.equal(200);
    await bob.syncUntil((sync) => tells(sync, "changed", alice), { since });
  },
);

keys(
  "/keys/changes tells what sync told, of those gone too",
  async ({ alice, bob }) => {
    await upload(bob, { device_keys: newDeviceIdentity(bob).deviceKeys });
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const from = await alice.syncToken();
    await bob.join(roomId);
    const met = await alice.syncUntil((sync) => tells(sync, "changed", bob), {
      since: from,
    });
    const between = text(met, "next_batch");
    const changes = (query: { from: string; to: string }) =>
      alice.mustGet("/keys/changes", query);
    const first = await changes({ from, to: between });
    expect(strings(first, "changed")).to.deep.equal([bob.userId]);

    await bob.leave(roomId);
    const parted = await alice.syncUntil((sync) => tells(sync, "left", bob), {
      since: between,
    });
    const to = text(parted, "next_batch");
    const second = await changes({ from: between, to });
    expect(strings(second, "left")).to.deep.equal([bob.userId]);
  },
);

keys("a signature that is none is refused", async ({ alice, bob }) => {
  const { deviceKeys } = newDeviceIdentity(alice);
  await upload(alice, { device_keys: deviceKeys });
  const { selfSigning } = await crossSign(alice);
  const { userId, deviceId } = alice;
  const { signatures: own, ...bare } = deviceKeys;
  const wrong = newSigningKey();
  const forged = signed(bare, userId, selfSigning.publicKey, wrong);
  const body = await alice.mustPost("/keys/signatures/upload", {
    [userId]: { [deviceId]: forged },
  });
  expect(at(body, "failures", userId, deviceId, "errcode")).to.equal(
    "M_INVALID_SIGNATURE",
  );
  const found = await query(bob, alice);
  const shown = at(found, "device_keys", userId, deviceId, "signatures");
  expect(shown).to.deep.equal(own);
});

keys(
  "delete_devices wants the password once for all of them",
  async ({ server, alice }) => {
    const others = [await server.login(alice), await server.login(alice)];
    const devices = others.map((user) => user.deviceId);
    const body = { devices };
    const asked = await alice.post("/delete_devices", body);
    expect(asked.status, asked.raw).to.equal(401);
    const auth = passwordStage(
      alice.userId,
      alice.password,
      asked.body["session"],
    );
    await alice.mustPost("/delete_devices", { ...body, auth });
    const left = list(await alice.mustGet("/devices"), "devices");
    expect(left.map((device) => device["device_id"])).to.deep.equal([
      alice.deviceId,
    ]);
    for (const other of others)
      expectError(await other.get("/account/whoami"), 401, "M_UNKNOWN_TOKEN");
  },
);
