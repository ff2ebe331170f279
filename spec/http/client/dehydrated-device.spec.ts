import { expect } from "chai";
import { newCrossSigning, newDevice } from "../../support/device-identity.ts";
import { makeRoom, act, must, path } from "../../support/rooms.ts";
import {
  type Json,
  type TestClient,
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import { SyncReader } from "../../support/sync-reader.ts";
import { withPassword } from "../../support/with-password.ts";

const PATH = "/_matrix/client/unstable/org.matrix.msc3814.v1/dehydrated_device";

describe("dehydrated devices (MSC3814)", () => {
  const server = useServer();
  let other: TestProcess;

  before(async () => {
    other = await server.startProcess();
  });

  const data = { algorithm: "org.matrix.msc3814.v2", device_pickle: "pickle" };

  const bodyOf = (user: TestUser, deviceId: string, more: Json = {}): Json => {
    const { deviceKeys, oneTimeKey } = newDevice(
      { userId: user.userId, deviceId },
      { dehydrated: true },
    );
    return {
      device_id: deviceId,
      device_data: data,
      initial_device_display_name: "Asleep",
      device_keys: deviceKeys,
      one_time_keys: { ...oneTimeKey("A"), ...oneTimeKey("B") },
      fallback_keys: oneTimeKey("F"),
      ...more,
    };
  };

  const devicesOf = async (user: TestUser): Promise<string[]> => {
    const rows = await server.database.sql<{ deviceId: string }[]>`
      select device_id from devices where user_id = ${user.userId} order by device_id`;
    return rows.map(({ deviceId }) => deviceId);
  };

  const send = (from: TestUser, to: TestUser, deviceId: string, n: number) =>
    from.put(`/sendToDevice/m.x/${from.deviceId}-${to.userId}-${n}`, {
      messages: { [to.userId]: { [deviceId]: { n } } },
    });

  const events = async (
    user: TestClient,
    deviceId: string,
    next_batch?: string,
  ) =>
    must<{ events: { content: Json }[]; next_batch: string }>(
      await user.post(
        `${PATH}/${encodeURIComponent(deviceId)}/events`,
        next_batch === undefined ? {} : { next_batch },
      ),
    );

  it("are kept, given back, and told to others like any device", async () => {
    const [alice, bob] = [await server.user("alice"), await server.user("bob")];
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, roomId, "join");
    const reader = new SyncReader(bob);
    await reader.next();
    const none = await alice.get(PATH);
    expect([none.status, none.body["errcode"]]).to.deep.equal([
      404,
      "M_NOT_FOUND",
    ]);
    const body = bodyOf(alice, "SLEEPER");
    expect(must(await alice.put(PATH, body))).to.deep.equal({
      device_id: "SLEEPER",
    });
    expect(must(await other.as(alice).get(PATH))).to.deep.equal({
      device_id: "SLEEPER",
      device_data: data,
    });
    const told = await reader.next({ timeout: 30_000 });
    expect(told.device_lists?.changed).to.deep.equal([alice.userId]);
    const { device_keys } = must<{ device_keys: Record<string, Json> }>(
      await bob.post("/keys/query", { device_keys: { [alice.userId]: [] } }),
    );
    expect(device_keys[alice.userId]).to.deep.equal({
      SLEEPER: {
        ...(body["device_keys"] as Json),
        unsigned: { device_display_name: "Asleep" },
      },
    });
    const claim = async () => {
      const { one_time_keys } = must<{
        one_time_keys: Record<string, Record<string, Json>>;
      }>(
        await bob.post("/keys/claim", {
          one_time_keys: { [alice.userId]: { SLEEPER: "signed_curve25519" } },
        }),
      );
      return Object.keys(one_time_keys[alice.userId]?.["SLEEPER"] ?? {});
    };
    for (const id of ["A", "B", "F", "F"])
      expect(await claim()).to.deep.equal([`signed_curve25519:${id}`]);
    expect((await bob.get(PATH)).status).to.equal(404);
  });

  it("get messages, which stay however often they are read, in pages", async () => {
    const [alice, bob] = [
      await server.user("reads"),
      await server.user("says"),
    ];
    must(await alice.put(PATH, bodyOf(alice, "SLEEPER")));
    for (let n = 0; n < 130; n += 1) must(await send(bob, alice, "SLEEPER", n));
    for (let round = 0; round < 2; round += 1) {
      const got: unknown[] = [];
      let from: string | undefined;
      for (;;) {
        const page = await events(alice, "SLEEPER", from);
        if (page.events.length === 0) break;
        expect(page.events.length).to.be.at.most(100);
        got.push(...page.events.map(({ content }) => content["n"]));
        from = page.next_batch;
      }
      expect(got).to.deep.equal(Array.from({ length: 130 }, (_, n) => n));
      const get = must<{ events: object[] }>(
        await alice.get(`${PATH}/SLEEPER/events?from=${String(from)}`),
      );
      expect(get.events).to.deep.equal([]);
    }
    const whole = must<{ events: object[] }>(
      await other.as(alice).get(`${PATH}/SLEEPER/events`),
    );
    expect(whole.events).to.have.length(100);
    for (const [client, deviceId] of [
      [alice, alice.deviceId],
      [alice, "UNKNOWN"],
      [bob, "SLEEPER"],
    ] as const) {
      const answer = await client.post(`${PATH}/${deviceId}/events`, {});
      expect([answer.status, answer.body["errcode"]]).to.deep.equal([
        403,
        "M_FORBIDDEN",
      ]);
    }
    const odd = await alice.post(`${PATH}/SLEEPER/events`, { next_batch: "x" });
    expect(odd.status).to.equal(400);
  });

  /** All that is kept of a device besides the user's own. */
  const tracesOf = async (user: TestUser, deviceId: string) => {
    const [row] = await server.database.sql<{ count: number }[]>`
      select (select count(*) from devices where user_id = ${user.userId} and device_id = ${deviceId})
        + (select count(*) from device_keys where user_id = ${user.userId} and device_id = ${deviceId})
        + (select count(*) from one_time_keys where user_id = ${user.userId} and device_id = ${deviceId})
        + (select count(*) from fallback_keys where user_id = ${user.userId} and device_id = ${deviceId})
        + (select count(*) from to_device where user_id = ${user.userId} and device_id = ${deviceId})
        + (select count(*) from dehydrated_devices where user_id = ${user.userId} and device_id = ${deviceId})
        as count`;
    return row!.count;
  };

  it("go with all that is theirs when another one is put in their place, or one with the same id", async () => {
    const alice = await server.user("replaces");
    must(await alice.put(PATH, bodyOf(alice, "FIRST")));
    must(await send(alice, alice, "FIRST", 1));
    expect(await tracesOf(alice, "FIRST")).to.equal(7);
    must(await alice.put(PATH, bodyOf(alice, "SECOND")));
    expect(await tracesOf(alice, "FIRST")).to.equal(0);
    must(await send(alice, alice, "SECOND", 2));
    must(await alice.put(PATH, bodyOf(alice, "SECOND", { one_time_keys: {} })));
    expect(await tracesOf(alice, "SECOND")).to.equal(4);
    expect((await events(alice, "SECOND")).events).to.deep.equal([]);
    expect(await devicesOf(alice)).to.have.members([alice.deviceId, "SECOND"]);
  });

  it("go when they are deleted, by this way or as a device, and can be put again", async () => {
    const alice = await server.user("deletes");
    const ways: Record<string, () => Promise<unknown>> = {
      "as what they are": async () =>
        expect(must(await alice.delete(PATH))).to.deep.equal({
          device_id: "SLEEPER",
        }),
      "as a device": async () =>
        expect(
          (await withPassword(alice, "DELETE", "/devices/SLEEPER")).status,
        ).to.equal(200),
      "with others": async () =>
        expect(
          (
            await withPassword(alice, "POST", "/delete_devices", {
              devices: ["SLEEPER"],
            })
          ).status,
        ).to.equal(200),
    };
    for (const [way, remove] of Object.entries(ways)) {
      must(await alice.put(PATH, bodyOf(alice, "SLEEPER")));
      must(await send(alice, alice, "SLEEPER", way.length));
      await remove();
      expect(await tracesOf(alice, "SLEEPER"), way).to.equal(0);
      expect((await alice.get(PATH)).status, way).to.equal(404);
      expect((await alice.delete(PATH)).status, way).to.equal(404);
    }
    must(await alice.put(PATH, bodyOf(alice, "SLEEPER")));
    const done = await withPassword(alice, "POST", "/account/deactivate");
    expect(done.status).to.equal(200);
    const rows = await server.database.sql`
      select from dehydrated_devices where user_id = ${alice.userId}`;
    expect(rows).to.have.length(0);
  });

  it("are not logged in to: they keep their messages and their keys", async () => {
    const alice = await server.user("sleeper");
    must(await alice.put(PATH, bodyOf(alice, "SLEEPER")));
    must(await send(alice, alice, "SLEEPER", 1));
    const logIn = (device_id: string) =>
      alice.post("/login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: alice.userId },
        password: alice.password,
        device_id,
      });
    const refused = await logIn("SLEEPER");
    expect([refused.status, refused.body["errcode"]]).to.deep.equal([
      ...[403, "M_FORBIDDEN"],
    ]);
    expect(await tracesOf(alice, "SLEEPER")).to.equal(7);
    expect((await events(alice, "SLEEPER")).events).to.have.length(1);
    must(await logIn(alice.deviceId));
    const again = must<{ access_token: string }>(await logIn("SECOND"));
    expect(again.access_token).to.be.a("string");
    const { access_token: accessToken } = again;
    const second = server.as({ accessToken });
    must(await second.delete(PATH));
    must(await logIn("SLEEPER"));
  });

  it("are one for a user, however many are put at once", async () => {
    const alice = await server.user("racing");
    const twin = other.as(alice);
    const names = Array.from({ length: 10 }, (_, i) => `SLEEPER${i}`);
    await Promise.all(
      names.map(async (name, i) =>
        must(await (i % 2 ? alice : twin).put(PATH, bodyOf(alice, name))),
      ),
    );
    const { device_id } = must<{ device_id: string }>(await alice.get(PATH));
    expect(await devicesOf(alice)).to.have.members([alice.deviceId, device_id]);
  });

  it("speak for themselves alone, with keys of their own", async () => {
    const [alice, bob] = [await server.user("owns"), await server.user("else")];
    const good = bodyOf(alice, "SLEEPER");
    const foreign = newDevice({ userId: bob.userId, deviceId: "SLEEPER" });
    const master = newCrossSigning(alice.userId);
    must(await alice.post("/keys/device_signing/upload", master.body));
    const named = master.master.publicKey;
    const cases: [Json, number][] = [
      [bodyOf(alice, alice.deviceId), 400],
      [{ ...good, device_id: "OTHER" }, 400],
      [{ ...good, device_keys: foreign.deviceKeys }, 400],
      [
        {
          ...good,
          device_keys: { ...(good["device_keys"] as Json), algorithms: ["x"] },
        },
        400,
      ],
      [{ ...good, device_data: "x" }, 400],
      [{ ...good, device_data: {} }, 400],
      [{ ...good, device_data: { ...data, pickle: "x".repeat(70_000) } }, 413],
      [bodyOf(alice, named), 403],
      [bodyOf(alice, ""), 400],
    ];
    for (const [body, status] of cases) {
      const answer = await alice.put(PATH, body);
      expect(answer.status, answer.text).to.equal(status);
    }
    for (const name of ["device_id", "device_data", "device_keys"]) {
      const rest = Object.fromEntries(
        Object.entries(good).filter(([key]) => key !== name),
      );
      expect((await alice.put(PATH, rest)).status, name).to.equal(400);
    }
    expect((await alice.get(PATH)).status).to.equal(404);
    expect(await devicesOf(alice)).to.deep.equal([alice.deviceId]);
    expect((await alice.get(path`/devices/${"SLEEPER"}`)).status).to.equal(404);
  });
});
