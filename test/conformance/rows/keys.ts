import { expect } from "chai";
import { expectError } from "../harness/client.ts";
import { at, isObject, strings, type JsonObject } from "../harness/json.ts";
import { newDeviceIdentity, type DeviceIdentity } from "../harness/keys.ts";
import { row, shared } from "../harness/registry.ts";
import type { User } from "../harness/user.ts";

const ALGORITHM = "signed_curve25519";

const upload = (user: User, body: JsonObject): Promise<JsonObject> =>
  user.mustPost("/keys/upload", body);

const countOf = (answer: JsonObject): unknown =>
  at(answer, "one_time_key_counts", ALGORITHM);

/** Claims a one-time key of a device and returns it under its id; undefined when none is left. */
async function claim(asker: User, owner: User): Promise<unknown> {
  const body = await asker.mustPost("/keys/claim", {
    one_time_keys: { [owner.userId]: { [owner.deviceId]: ALGORITHM } },
  });
  return at(body, "one_time_keys", owner.userId, owner.deviceId);
}

const query = (asker: User, userId: string, devices: string[]) =>
  asker.mustPost("/keys/query", { device_keys: { [userId]: devices } });

const parties = shared(async (server) => {
  const [alice, bob] = await Promise.all([
    server.user("keys"),
    server.user("keys"),
  ]);
  const identity = newDeviceIdentity(alice);
  await upload(alice, { device_keys: identity.deviceKeys });
  return { alice, bob, identity };
});

row(
  "csapi",
  "TestUploadKey",
  "Parallel/Can upload device keys",
  async (server) => {
    const alice = await server.user("keys");
    const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
    const answer = await upload(alice, {
      device_keys: deviceKeys,
      one_time_keys: { ...oneTimeKey("A"), ...oneTimeKey("B") },
    });
    expect(countOf(answer)).to.equal(2);
  },
);

row(
  "csapi",
  "TestUploadKey",
  "Parallel/Rejects invalid device keys",
  async (server) => {
    const bob = await server.user("keys");
    const answer = await bob.post("/keys/upload", {
      device_keys: { user_id: bob.userId, device_id: bob.deviceId },
    });
    expectError(answer, 400);
    const found = await query(bob, bob.userId, []);
    expect(at(found, "device_keys", bob.userId, bob.deviceId)).to.equal(
      undefined,
    );
  },
);

row(
  "csapi",
  "TestUploadKey",
  "Parallel/Should reject keys claiming to belong to a different user",
  async (server) => {
    const [alice, bob] = await Promise.all([
      server.user("keys"),
      server.user("keys"),
    ]);
    const { deviceKeys } = newDeviceIdentity(alice);
    const answer = await bob.post("/keys/upload", { device_keys: deviceKeys });
    expectError(answer, 400);
    for (const { userId } of [alice, bob]) {
      const found = await query(bob, userId, []);
      expect(at(found, "device_keys", userId) ?? {}).to.deep.equal({});
    }
  },
);

/** What the server may add to device keys is their `unsigned`. */
function expectSameKeys(found: unknown, identity: DeviceIdentity): void {
  if (!isObject(found)) throw new Error("no device keys");
  const { unsigned = {}, ...keys } = found;
  expect(keys).to.deep.equal(identity.deviceKeys);
  expect(isObject(unsigned)).to.equal(true);
}

row(
  "csapi",
  "TestUploadKey",
  "Parallel/Can query device keys using POST",
  async (server) => {
    const { alice, bob, identity } = await parties(server);
    for (const asker of [alice, bob]) {
      const found = await query(asker, alice.userId, []);
      const keys = at(found, "device_keys", alice.userId, alice.deviceId);
      expectSameKeys(keys, identity);
    }
  },
);

row(
  "csapi",
  "TestUploadKey",
  "Parallel/Can query specific device keys using POST",
  async (server) => {
    const { alice, bob, identity } = await parties(server);
    const found = await query(bob, alice.userId, [alice.deviceId]);
    const devices = at(found, "device_keys", alice.userId);
    expect(Object.keys(devices ?? {})).to.deep.equal([alice.deviceId]);
    expectSameKeys(at(devices, alice.deviceId), identity);
    const none = await query(bob, alice.userId, ["UNKNOWN"]);
    expect(at(none, "device_keys", alice.userId) ?? {}).to.deep.equal({});
  },
);

row(
  "csapi",
  "TestUploadKey",
  "Parallel/query for user with no keys returns empty key dict",
  async (server) => {
    const { alice, bob } = await parties(server);
    const found = await query(alice, bob.userId, []);
    expect(at(found, "device_keys", bob.userId)).to.deep.equal({});
  },
);

row(
  "csapi",
  "TestUploadKey",
  "Parallel/Can claim one time key using POST",
  async (server) => {
    const { bob } = await parties(server);
    const alice = await server.user("keys");
    const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
    const only = oneTimeKey("A");
    await upload(alice, { device_keys: deviceKeys, one_time_keys: only });
    expect(await claim(bob, alice)).to.deep.equal(only);
    expect((await claim(bob, alice)) ?? {}).to.deep.equal({});
    expect(countOf(await upload(alice, {})) ?? 0).to.equal(0);
  },
);

row("csapi", "TestKeyClaimOrdering", "", async (server) => {
  const [alice, bob] = await Promise.all([
    server.user("keys"),
    server.user("keys"),
  ]);
  const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
  await upload(alice, { device_keys: deviceKeys });
  const keys = ["C", "A", "B"].map(oneTimeKey);
  for (const key of keys) await upload(alice, { one_time_keys: key });
  for (const key of keys) expect(await claim(bob, alice)).to.deep.equal(key);
});

row("csapi", "TestUploadKeyIdempotency", "", async (server) => {
  const alice = await server.user("keys");
  const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
  const one_time_keys = Object.assign(
    {},
    ...["A", "B", "C", "D"].map(oneTimeKey),
  ) as JsonObject;
  await upload(alice, { device_keys: deviceKeys, one_time_keys });
  for (let again = 0; again < 2; again++)
    expect(countOf(await upload(alice, { one_time_keys }))).to.equal(4);
});

row("csapi", "TestUploadKeyIdempotencyOverlap", "", async (server) => {
  const alice = await server.user("keys");
  const { deviceKeys, oneTimeKey } = newDeviceIdentity(alice);
  const [a, b, c, d] = ["A", "B", "C", "D"].map(oneTimeKey);
  await upload(alice, { device_keys: deviceKeys });
  const first = await upload(alice, { one_time_keys: { ...a, ...b, ...c } });
  expect(countOf(first)).to.equal(3);
  const second = await upload(alice, { one_time_keys: { ...b, ...c, ...d } });
  expect(countOf(second)).to.equal(4);
});

row("csapi", "TestKeysQueryWithDeviceIDAsObjectFails", "", async (server) => {
  const { alice, bob } = await parties(server);
  const answer = await alice.post("/keys/query", {
    device_keys: { [bob.userId]: { [bob.deviceId]: true } },
  });
  expectError(answer, 400, "M_BAD_JSON");
});

row(
  "csapi",
  "TestKeyChangesLocal",
  "New login should create a device lists.changed entry",
  async (server) => {
    const [alice, bob] = await Promise.all([
      server.user("alice"),
      server.user("bob"),
    ]);
    const uploadIdentity = (user: User) =>
      upload(user, { device_keys: newDeviceIdentity(user).deviceKeys });
    await uploadIdentity(bob);
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    const from = await alice.syncToken();

    const second = await server.login(bob);
    await uploadIdentity(second);
    const sync = await alice.syncUntil(
      (seen) => {
        const changed = at(seen, "device_lists", "changed");
        return Array.isArray(changed) && changed.includes(bob.userId);
      },
      { since: from },
    );
    const to = String(sync["next_batch"]);
    const changes = await alice.mustGet("/keys/changes", { from, to });
    expect(strings(changes, "changed")).to.deep.equal([bob.userId]);

    const found = await query(alice, bob.userId, []);
    const devices = at(found, "device_keys", bob.userId) ?? {};
    expect(Object.keys(devices)).to.have.members([
      bob.deviceId,
      second.deviceId,
    ]);
  },
);
