import { expect } from "chai";
import fc from "fast-check";
import { assertResponse } from "../http/response-schema.ts";
import { newCrossSigning, newDevice } from "../support/device-identity.ts";
import { act, makeRoom, must } from "../support/rooms.ts";
import { useServer } from "../support/server.ts";
import type { Json, TestUser } from "../support/server.ts";
import { withPassword } from "../support/with-password.ts";

const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    "\0",
    "__proto__",
    -0,
    1.5,
    2 ** 53,
    true,
    [],
    [null],
    {},
    { "": "" },
    "x".repeat(20_000),
    "@other:test",
    "OTHER",
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 })),
  fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }),
);

/** A member of the device keys, and what stands there instead. */
const mutation = fc.record({
  member: fc.constantFrom(
    "user_id",
    "device_id",
    "algorithms",
    "keys",
    "signatures",
    "unsigned",
    "odd",
    "__proto__",
  ),
  value: strange,
  isSignedAgain: fc.boolean(),
});

const replaced = (object: object, name: string, value: unknown): Json =>
  Object.fromEntries([
    ...Object.entries(object).filter(([key]) => key !== name),
    [name, value],
  ]);

describe("abuse of device keys", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, roomId, "join");
  });

  const query = () =>
    bob.post("/keys/query", { device_keys: { [alice.userId]: [] } });

  it("CVE-2025-61672: whatever is uploaded, what others are told of it has its form", async () => {
    const device = newDevice(alice);
    const upload = (body: unknown) =>
      alice.post("/keys/upload", JSON.stringify(body));
    must(await upload({ device_keys: device.deviceKeys }));
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(mutation, async ({ member, value, isSignedAgain }) => {
        const changed = replaced(device.deviceKeys, member, value);
        const { userId, deviceId } = alice;
        const device_keys =
          isSignedAgain && member !== "signatures"
            ? signed(changed, userId, deviceId)
            : changed;
        const answer = await upload({ device_keys });
        expect(answer.status, answer.text).to.be.oneOf([200, 400, 413]);
        if (answer.status !== 200) refused += 1;
        expectFit((await query()).body);
      }),
      { numRuns: 150 },
    );
    expect(refused).to.be.above(50);

    function signed(object: Json, userId: string, deviceId: string): Json {
      try {
        return device.key.sign(object as never, userId, deviceId);
      } catch {
        return object;
      }
    }
  });

  it("CVE-2025-61672: nor does a dehydrated device bring others what has not its form", async () => {
    const owner = { userId: alice.userId, deviceId: "SLEEPER" };
    const device = newDevice(owner);
    const asleep = (device_keys: unknown, more: Json = {}) =>
      alice.put(
        "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device",
        JSON.stringify({
          device_id: "SLEEPER",
          device_data: { algorithm: "a" },
          device_keys,
          ...more,
        }),
      );
    must(await asleep(device.deviceKeys));
    await fc.assert(
      fc.asyncProperty(mutation, async ({ member, value }) => {
        const changed = replaced(device.deviceKeys, member, value);
        for (const answer of [
          await asleep(changed),
          await asleep(device.deviceKeys, { one_time_keys: value }),
          await asleep(device.deviceKeys, { device_data: value }),
          await asleep(device.deviceKeys, { device_id: value }),
        ])
          expect(answer.status, answer.text).to.be.oneOf([200, 400, 413]);
        expectFit((await query()).body);
        must(
          await bob.post("/keys/claim", {
            one_time_keys: {
              [alice.userId]: { SLEEPER: "signed_curve25519" },
            },
          }),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("CVE-2025-61672: one-time and fallback keys of any kind leave every claim in its form", async () => {
    const device = newDevice(alice);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("one_time_keys", "fallback_keys"),
        fc.oneof(
          fc.constantFrom(
            "signed_curve25519:A",
            "curve25519:B",
            ":",
            "a:",
            ":b",
            "signed_x:\0",
            "__proto__:x",
          ),
          fc.string({ maxLength: 10 }),
        ),
        strange,
        async (kind, id, value) => {
          const key =
            fc.stringify(value).length % 2
              ? value
              : { key: value, signatures: {} };
          const text = JSON.stringify({
            [kind]: Object.fromEntries([[id, key]]),
          });
          const answer = await alice.post("/keys/upload", text);
          expect(answer.status, answer.text).to.be.oneOf([200, 400, 413]);
          const algorithm = id.split(":")[0] ?? "";
          const claim = await bob.post("/keys/claim", {
            one_time_keys: { [alice.userId]: { [alice.deviceId]: algorithm } },
          });
          must(claim);
          must(await alice.get("/sync"));
        },
      ),
      { numRuns: 100 },
    );
    const good = device.oneTimeKey("GOOD");
    must(await alice.post("/keys/upload", { one_time_keys: good }));
    const claim = await bob.post("/keys/claim", {
      one_time_keys: {
        [alice.userId]: { [alice.deviceId]: "signed_curve25519" },
      },
    });
    expect(JSON.stringify(must(claim)["one_time_keys"])).to.include(
      alice.deviceId,
    );
  });

  it("C3 Tuwunel 1.9.0: no upload puts a key or a signature at another user's", async () => {
    const mallory = await server.user("mallory");
    must(
      await alice.post("/keys/upload", {
        device_keys: newDevice(alice).deviceKeys,
      }),
    );
    const before = (await query()).text;
    const { userId, deviceId } = alice;
    const forged = newDevice(alice);
    const ofAlice = newCrossSigning(userId);
    const uploads = [
      await mallory.post("/keys/upload", { device_keys: forged.deviceKeys }),
      await mallory.post(`/keys/upload/${deviceId}`, {
        device_keys: forged.deviceKeys,
      }),
      await withPassword(
        mallory,
        "POST",
        "/keys/device_signing/upload",
        ofAlice.body,
      ),
    ];
    for (const { status, text } of uploads)
      expect(status, text).to.be.oneOf([400, 403]);
    const own = newCrossSigning(mallory.userId);
    await withPassword(
      mallory,
      "POST",
      "/keys/device_signing/upload",
      own.body,
    );
    const target = forged.deviceKeys;
    for (const object of [
      own.userSigning.sign(target, mallory.userId),
      own.selfSigning.sign(target, userId),
      own.master.sign(target, mallory.userId),
    ]) {
      const answer = await mallory.post("/keys/signatures/upload", {
        [userId]: { [deviceId]: object },
      });
      const failures = must(answer)["failures"] as Json;
      expect(failures).to.have.property(userId);
    }
    expect((await query()).text).to.equal(before);
    const rows = await server.database
      .sql`select from key_signatures where user_id = ${userId}`;
    expect(rows).to.have.length(0);
  });

  /** The answer that a server would pass on holds keys of the specification's form alone. */
  function expectFit(body: Json): void {
    assertResponse("POST", "/_matrix/client/v3/keys/query", 200, body);
    const devices = (body["device_keys"] as Record<string, Json>)[
      alice.userId
    ]!;
    for (const [deviceId, keys] of Object.entries(devices)) {
      const {
        user_id,
        device_id,
        algorithms,
        keys: named,
        signatures,
      } = keys as Json;
      expect([user_id, device_id]).to.deep.equal([alice.userId, deviceId]);
      expect(algorithms).to.satisfy(areTexts);
      expect(Object.values(named as Json)).to.satisfy(areTexts);
      for (const bySigner of Object.values(signatures as Json))
        expect(Object.values(bySigner as Json)).to.satisfy(areTexts);
    }
  }

  const areTexts = (list: unknown) =>
    Array.isArray(list) && list.every((text) => typeof text === "string");
});
