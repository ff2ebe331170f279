import { expect } from "chai";
import type { JsonObject } from "../../../src/core/json.ts";
import {
  newCrossSigning,
  newDevice,
  newKey,
} from "../../support/device-identity.ts";
import { whileUserIsHeld } from "../../support/held-row.ts";
import { must } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

type Shown = Record<string, Record<string, Record<string, unknown>>>;

describe("device keys", () => {
  const server = useServer();

  async function queried(asker: TestUser, userId: string) {
    const { body, status } = await asker.post("/keys/query", {
      device_keys: { [userId]: [] },
    });
    expect(status).to.equal(200);
    return body as Record<string, Shown>;
  }

  const claim = async (asker: TestUser, { userId, deviceId }: TestUser) => {
    const { body } = await asker.post("/keys/claim", {
      one_time_keys: { [userId]: { [deviceId]: "signed_curve25519" } },
    });
    const { one_time_keys: keys } = body as { one_time_keys: Shown };
    return Object.keys(keys[userId]?.[deviceId] ?? {});
  };

  describe("POST /keys/upload", () => {
    it("refuses keys of another user or another device", async () => {
      const alice = await server.user("names");
      for (const owner of [
        { userId: "@other:test", deviceId: alice.deviceId },
        { userId: alice.userId, deviceId: "OTHER" },
      ]) {
        const { deviceKeys } = newDevice(owner);
        const { status, body } = await alice.post("/keys/upload", {
          device_keys: deviceKeys,
        });
        expect([status, body["errcode"]]).to.deep.equal([
          400,
          "M_INVALID_PARAM",
        ]);
      }
      const shown = await queried(alice, alice.userId);
      expect(shown["device_keys"]).to.deep.equal({ [alice.userId]: {} });
    });

    it("refuses keys that the device itself has not signed", async () => {
      const alice = await server.user("forged");
      const { deviceKeys } = newDevice(alice);
      const algorithms = ["another"];
      const { status, body } = await alice.post("/keys/upload", {
        device_keys: { ...deviceKeys, algorithms },
      });
      expect([status, body["errcode"]]).to.deep.equal([
        400,
        "M_INVALID_SIGNATURE",
      ]);
    });

    it("refuses every key of another form and stores nothing", async () => {
      const alice = await server.user("forms");
      const { deviceKeys } = newDevice(alice);
      const odd = [null, 1, "x", [], { a: 1 }];
      const bodies = [
        ...odd.map((device_keys) => ({ device_keys })),
        ...odd.map((value) => ({
          device_keys: { ...deviceKeys, keys: value },
        })),
        ...odd.map((signatures) => ({
          device_keys: { ...deviceKeys, signatures },
        })),
        { device_keys: { ...deviceKeys, algorithms: "all" } },
        { one_time_keys: [] },
        { one_time_keys: { "signed_curve25519:A": "plain" } },
        { one_time_keys: { "signed_curve25519:A": { key: "k" } } },
        { one_time_keys: { "signed_curve25519:A": { signatures: {} } } },
        { one_time_keys: { signed_curve25519: { key: "k", signatures: {} } } },
        { one_time_keys: { "curve25519:A": 7 } },
        { one_time_keys: { "curve25519:\0": "key" } },
        {
          fallback_keys: { "signed_curve25519:A": { key: 1, signatures: {} } },
        },
      ];
      for (const body of bodies) {
        const { status } = await alice.post("/keys/upload", body);
        expect(status, JSON.stringify(body)).to.equal(400);
      }
      const { body } = await alice.post("/keys/upload", {});
      expect(body["one_time_key_counts"]).to.deep.equal({
        signed_curve25519: 0,
      });
    });

    it("takes the same upload again, and tells nobody of it", async () => {
      const alice = await server.user("again");
      const { deviceKeys, oneTimeKey } = newDevice(alice);
      const upload = {
        device_keys: deviceKeys,
        one_time_keys: oneTimeKey("A"),
        fallback_keys: oneTimeKey("F"),
      };
      const changes = () => server.database.sql`
        select position from device_list_changes where user_id = ${alice.userId}`;
      const first = await alice.post("/keys/upload", upload);
      const before = await changes();
      const head = await server.edges.notifier.refresh();
      const again = await alice.post("/keys/upload", upload);
      expect(again.body).to.deep.equal(first.body);
      expect(await changes()).to.deep.equal(before);
      expect(await server.edges.notifier.refresh()).to.equal(head);
    });

    it("row 61: holds no more than 10,000 keys for a device", async () => {
      const alice = await server.user("many");
      const { userId, deviceId } = alice;
      await server.database.sql`
        insert into one_time_keys (user_id, device_id, algorithm, key_id, position, json)
        select ${userId}, ${deviceId}, 'signed_curve25519', 'old' || n, 0, '{}' from generate_series(1, 9999) n`;
      const { oneTimeKey } = newDevice(alice);
      const one_time_keys = { ...oneTimeKey("A"), ...oneTimeKey("B") };
      const over = await alice.post("/keys/upload", { one_time_keys });
      expect([over.status, over.body["errcode"]]).to.deep.equal([
        413,
        "M_TOO_LARGE",
      ]);
      const upload = { one_time_keys: oneTimeKey("A") };
      const { body } = await alice.post("/keys/upload", upload);
      expect(body["one_time_key_counts"]).to.deep.equal({
        signed_curve25519: 10_000,
      });
    });

    it("answers at the path with one's own device, not with another", async () => {
      const alice = await server.user("legacy");
      const own = await alice.post(
        `/_matrix/client/r0/keys/upload/${alice.deviceId}`,
      );
      expect(own.status).to.equal(200);
      const other = await alice.post("/_matrix/client/r0/keys/upload/OTHER");
      expect(other.status).to.equal(400);
    });
  });

  describe("POST /keys/query", () => {
    it("shows what was uploaded, with the name of the device", async () => {
      const alice = await server.user("named");
      const { deviceKeys } = newDevice(alice, { "org.example.more": true });
      await alice.post("/keys/upload", {
        device_keys: { ...deviceKeys, unsigned: { not: "kept" } },
      });
      const path = `/devices/${alice.deviceId}`;
      await alice.put(path, { display_name: "Alice's phone" });
      const shown = await queried(alice, alice.userId);
      expect(shown["device_keys"]?.[alice.userId]).to.deep.equal({
        [alice.deviceId]: {
          ...deviceKeys,
          unsigned: { device_display_name: "Alice's phone" },
        },
      });
    });

    it("names the servers that it cannot ask", async () => {
      const alice = await server.user("remote");
      const { body } = await alice.post("/keys/query", {
        device_keys: { "@bob:far.example": [], "no user id": [] },
      });
      expect(body["device_keys"]).to.deep.equal({});
      expect(body["failures"]).to.have.all.keys("far.example");
    });
  });

  describe("POST /keys/claim", () => {
    it("gives a fallback key again and again where there is nothing else", async () => {
      const alice = await server.user("fallback");
      const bob = await server.user("claims");
      const { oneTimeKey } = newDevice(alice);
      await alice.post("/keys/upload", {
        one_time_keys: oneTimeKey("A"),
        fallback_keys: oneTimeKey("F"),
      });
      expect(await claim(bob, alice)).to.deep.equal(["signed_curve25519:A"]);
      expect(await claim(bob, alice)).to.deep.equal(["signed_curve25519:F"]);
      expect(await claim(bob, alice)).to.deep.equal(["signed_curve25519:F"]);
    });

    it("gives those of another process's upload in their order too", async () => {
      const second = await server.startProcess();
      const alice = await server.user("processes");
      const { oneTimeKey } = newDevice(alice);
      const ids = ["D", "A", "C", "B"];
      for (const [i, id] of ids.entries()) {
        const client = i % 2 === 0 ? alice : second.as(alice);
        await client.post("/keys/upload", { one_time_keys: oneTimeKey(id) });
      }
      const given: string[] = [];
      while (given.length < ids.length) {
        const [key = "none"] = await claim(alice, alice);
        given.push(key);
      }
      expect(given).to.deep.equal(ids.map((id) => `signed_curve25519:${id}`));
    });

    it("gives nothing for what is not there", async () => {
      const alice = await server.user("nothing");
      const { body } = await alice.post("/keys/claim", {
        one_time_keys: {
          [alice.userId]: { UNKNOWN: "signed_curve25519", "\0": "a" },
          "@nobody:test": { X: "\0" },
          "@bob:far.example": { X: "signed_curve25519" },
        },
      });
      expect(body["one_time_keys"]).to.deep.equal({});
      expect(body["failures"]).to.have.all.keys("far.example");
    });
  });

  describe("GET /keys/changes", () => {
    it("tells what happened between the tokens and nothing else", async () => {
      const alice = await server.user("watcher");
      const bob = await server.user("watched");
      const carol = await server.user("stranger");
      const { body: room } = await alice.post("/createRoom", {
        preset: "public_chat",
      });
      await bob.post(`/rooms/${String(room["room_id"])}/join`);
      const token = async () =>
        String((await alice.get("/sync")).body["next_batch"]);
      const upload = (user: TestUser) =>
        user.post("/keys/upload", {
          device_keys: newDevice(user).deviceKeys,
        });
      const changes = async (from: string, to: string) =>
        (await alice.get(`/keys/changes?from=${from}&to=${to}`)).body;
      const first = await token();
      await upload(bob);
      await upload(carol);
      const second = await token();
      await upload(bob);
      expect(await changes(first, second)).to.deep.equal({
        changed: [bob.userId],
        left: [],
      });
      expect(await changes(second, second)).to.deep.equal({
        changed: [],
        left: [],
      });
      const missing = await alice.get(`/keys/changes?from=${first}`);
      expect(missing.status).to.equal(400);
      const odd = await alice.get(`/keys/changes?from=${first}&to=never`);
      expect(odd.status).to.equal(400);
    });
  });

  describe("POST /keys/device_signing/upload", () => {
    const path = "/keys/device_signing/upload";

    it("refuses keys that are not bound to their owner and their master", async () => {
      const alice = await server.user("binding");
      const { body } = newCrossSigning(alice.userId);
      const other = newCrossSigning("@other:test").body;
      const withoutMaster = { self_signing_key: body.self_signing_key };
      const foreign = {
        ...body,
        self_signing_key: newCrossSigning(alice.userId).body.self_signing_key,
      };
      const wrongUsage = { ...body, master_key: body.user_signing_key };
      const cases: [object, string][] = [
        [{ master_key: other.master_key }, "M_INVALID_PARAM"],
        [withoutMaster, "M_MISSING_PARAM"],
        [foreign, "M_INVALID_SIGNATURE"],
        [wrongUsage, "M_INVALID_PARAM"],
        [
          { master_key: { ...body.master_key, keys: { "ed25519:a": "b" } } },
          "M_INVALID_PARAM",
        ],
      ];
      for (const [upload, errcode] of cases) {
        const answer = await alice.post(path, upload);
        expect([answer.status, answer.body["errcode"]]).to.deep.equal([
          400,
          errcode,
        ]);
      }
      const shown = await queried(alice, alice.userId);
      expect(shown["master_keys"]).to.deep.equal({});
    });

    it("refuses a key that is named like a device", async () => {
      const alice = await server.user("device-name");
      const { master, body } = newCrossSigning(alice.userId);
      await server.database.sql`
        insert into devices (user_id, device_id, key_id, sealed, created_ts)
        values (${alice.userId}, ${master.publicKey}, 0, '', 0)`;
      const answer = await alice.post(path, body);
      expect([answer.status, answer.body["errcode"]]).to.deep.equal([
        403,
        "M_FORBIDDEN",
      ]);
    });

    it("asks for the password of the user to replace keys, and for no other", async () => {
      const alice = await server.user("replaces");
      const bob = await server.user("helps");
      expect(
        (await alice.post(path, newCrossSigning(alice.userId).body)).status,
      ).to.equal(200);
      const { master, body } = newCrossSigning(alice.userId);
      const asked = await alice.post(path, body);
      expect(asked.status).to.equal(401);
      const auth = ({ userId: user, password }: TestUser) => ({
        type: "m.login.password",
        identifier: { type: "m.id.user", user },
        password,
        session: asked.body["session"],
      });
      const refused = await alice.post(path, { ...body, auth: auth(bob) });
      expect([refused.status, refused.body["errcode"]]).to.deep.equal([
        401,
        "M_FORBIDDEN",
      ]);
      const other = newCrossSigning(alice.userId).body;
      const swapped = await alice.post(path, { ...other, auth: auth(alice) });
      expect(swapped.status, "a session is for one set of keys").to.equal(401);
      const done = await alice.post(path, { ...body, auth: auth(alice) });
      expect(done.status).to.equal(200);
      const shown = await queried(bob, alice.userId);
      expect(shown["master_keys"]?.[alice.userId]?.["keys"]).to.deep.equal({
        [`ed25519:${master.publicKey}`]: master.publicKey,
      });
    });

    it("lets one of two first uploads at once go without the password", async () => {
      const alice = await server.user("first");
      const second = (await server.startProcess()).as(alice);
      const { userId } = alice;
      const bodies = [newCrossSigning(userId), newCrossSigning(userId)];
      const answers = await whileUserIsHeld(
        server.database,
        userId,
        async (waiting) => {
          const path = "/keys/device_signing/upload";
          const uploads = [
            alice.post(path, bodies[0]!.body),
            second.post(path, bodies[1]!.body),
          ];
          await waiting(2);
          return () => Promise.all(uploads);
        },
      );
      const statuses = answers.map(({ status }) => status);
      expect(statuses.sort()).to.deep.equal([200, 401]);
      const winner = answers.findIndex(({ status }) => status === 200);
      const shown = await queried(alice, userId);
      expect(shown["master_keys"]?.[userId]?.["keys"]).to.deep.equal(
        bodies[winner]!.body.master_key["keys"],
      );
    });

    it("hides keys of a master key that was replaced", async () => {
      const alice = await server.user("orphans");
      await alice.post(path, newCrossSigning(alice.userId).body);
      const { master_key } = newCrossSigning(alice.userId).body;
      const { body } = await alice.post(path, { master_key });
      const auth = {
        type: "m.login.password",
        user: alice.userId,
        password: alice.password,
        session: body["session"],
      };
      const done = await alice.post(path, { master_key, auth });
      expect(done.status).to.equal(200);
      const shown = await queried(alice, alice.userId);
      expect(shown["self_signing_keys"]).to.deep.equal({});
      expect(shown["user_signing_keys"]).to.deep.equal({});
    });
  });

  describe("POST /keys/signatures/upload", () => {
    const path = "/keys/signatures/upload";

    async function crossSigned(name: string) {
      const user = await server.user(name);
      const device = newDevice(user);
      const keys = newCrossSigning(user.userId);
      await user.post("/keys/upload", { device_keys: device.deviceKeys });
      await user.post("/keys/device_signing/upload", keys.body);
      return { user, device, keys };
    }
    const rows = () =>
      server.database.sql<{ count: number }[]>`
        select count(*) as count from key_signatures`;

    it("stores the three signatures that mean something", async () => {
      const alice = await crossSigned("signer");
      const bob = await crossSigned("signed");
      const { userId, deviceId } = alice.user;
      const bobMaster = bob.keys.body.master_key;
      const { body } = await alice.user.post(path, {
        [userId]: {
          [deviceId]: alice.keys.selfSigning.sign(
            alice.device.deviceKeys,
            userId,
          ),
          [alice.keys.master.publicKey]: alice.device.key.sign(
            alice.keys.body.master_key,
            userId,
            deviceId,
          ),
        },
        [bob.user.userId]: {
          [bob.keys.master.publicKey]: alice.keys.userSigning.sign(
            bobMaster,
            userId,
          ),
        },
      });
      expect(body).to.deep.equal({ failures: {} });
      const own = await queried(bob.user, userId);
      const device = own["device_keys"]?.[userId]?.[deviceId] as Shown;
      expect(device["signatures"]?.[userId]).to.have.all.keys(
        `ed25519:${deviceId}`,
        `ed25519:${alice.keys.selfSigning.publicKey}`,
      );
      const master = own["master_keys"]?.[userId]?.["signatures"];
      expect(master?.[userId]).to.have.all.keys(`ed25519:${deviceId}`);
      const signaturesOf = async (asker: TestUser) => {
        const shown = await queried(asker, bob.user.userId);
        return shown["master_keys"]?.[bob.user.userId]?.["signatures"];
      };
      expect(await signaturesOf(alice.user)).to.have.all.keys(userId);
      expect(await signaturesOf(bob.user)).to.deep.equal({});
    });

    it("go with the device that made them, uploaded apart or with the key, of whichever device", async () => {
      const alice = await server.user("leaver");
      const { userId } = alice;
      const keys = newCrossSigning(userId);
      const { publicKey } = keys.master;
      const login = async (device_id: string) => {
        const { access_token: accessToken } = must<{ access_token: string }>(
          await alice.post("/login", {
            type: "m.login.password",
            identifier: { type: "m.id.user", user: userId },
            password: alice.password,
            device_id,
          }),
        );
        const device = newDevice({ userId, deviceId: device_id });
        const client = server.as({ accessToken });
        must(
          await client.post("/keys/upload", { device_keys: device.deviceKeys }),
        );
        const master = device.key.sign(keys.body.master_key, userId, device_id);
        return { client, master };
      };
      const signers = async () => {
        const shown = await queried(alice, userId);
        const master = shown["master_keys"]?.[userId]?.["signatures"];
        return Object.keys((master?.[userId] ?? {}) as object);
      };
      const [first, second, third] = [
        await login("FIRST"),
        await login("SECOND"),
        await login("THIRD"),
      ];
      await alice.post("/keys/device_signing/upload", {
        ...keys.body,
        master_key: first.master,
      });
      for (const { client, master } of [second, third])
        must(await client.post(path, { [userId]: { [publicKey]: master } }));
      expect(await signers()).to.have.members([
        ...["ed25519:FIRST", "ed25519:SECOND", "ed25519:THIRD"],
      ]);
      must(await first.client.post("/logout"));
      must(await second.client.post("/logout"));
      expect(await signers()).to.deep.equal(["ed25519:THIRD"]);
      // Another device of that name has not signed.
      await login("FIRST");
      expect(await signers()).to.deep.equal(["ed25519:THIRD"]);
    });

    it("stores nothing that is forged or means nothing", async () => {
      const alice = await crossSigned("forger");
      const bob = await crossSigned("victim");
      const { userId, deviceId } = alice.user;
      const bobId = bob.user.userId;
      const bobKey = bob.keys.master.publicKey;
      const bobMaster = bob.keys.body.master_key;
      const { userSigning, selfSigning, master } = alice.keys;
      const stranger = newKey();
      const cases: [owner: string, target: string, object: object][] = [
        [
          userId,
          deviceId,
          stranger.sign(alice.device.deviceKeys, userId, selfSigning.publicKey),
        ],
        [userId, deviceId, stranger.sign(alice.device.deviceKeys, userId)],
        [userId, deviceId, master.sign(alice.device.deviceKeys, userId)],
        [userId, deviceId, alice.device.deviceKeys],
        [
          userId,
          deviceId,
          selfSigning.sign(
            { ...alice.device.deviceKeys, algorithms: [] },
            userId,
          ),
        ],
        [bobId, bobKey, selfSigning.sign(bobMaster, userId)],
        [bobId, bobKey, userSigning.sign(bobMaster, bobId)],
        [
          bobId,
          bob.user.deviceId,
          userSigning.sign(bob.device.deviceKeys, userId),
        ],
        [
          bobId,
          bob.keys.selfSigning.publicKey,
          userSigning.sign(bob.keys.body.self_signing_key, userId),
        ],
        [userId, "UNKNOWN", selfSigning.sign({ a: 1 }, userId)],
        ["@nobody:test", "X", userSigning.sign({ a: 1 }, userId)],
      ];
      const before = await rows();
      for (const [owner, target, object] of cases) {
        const { status, body } = await alice.user.post(path, {
          [owner]: { [target]: object },
        });
        expect(status).to.equal(200);
        const { failures } = body as { failures: Shown };
        expect(failures[owner]?.[target]?.["errcode"]).to.be.a("string");
      }
      expect(await rows()).to.deep.equal(before);
    });

    it("keeps the good ones beside the bad ones", async () => {
      const alice = await crossSigned("mixed");
      const { userId, deviceId } = alice.user;
      const good = alice.keys.selfSigning.sign(alice.device.deviceKeys, userId);
      const { body } = await alice.user.post(path, {
        [userId]: { [deviceId]: good, UNKNOWN: good },
      });
      const { failures } = body as { failures: Shown };
      expect(failures[userId]).to.have.all.keys("UNKNOWN");
      const shown = await queried(alice.user, userId);
      const keys = shown["device_keys"]?.[userId]?.[deviceId];
      expect(keys?.["signatures"]).to.deep.equal(good["signatures"]);
    });

    it("takes a new one beside those of keys that were replaced", async () => {
      const alice = await crossSigned("resetter");
      const { user, device } = alice;
      const { userId, deviceId } = user;
      const signBy = async ({ selfSigning }: typeof alice.keys, keys: Shown) =>
        user.post(path, {
          [userId]: {
            [deviceId]: selfSigning.sign(keys as JsonObject, userId),
          },
        });
      await signBy(alice.keys, device.deviceKeys as Shown);
      const next = newCrossSigning(userId);
      await withPassword(
        user,
        "POST",
        "/keys/device_signing/upload",
        next.body,
      );
      const shown = await queried(user, userId);
      const known = shown["device_keys"]?.[userId]?.[deviceId] as Shown;
      const { body } = await signBy(next, known);
      expect(body).to.deep.equal({ failures: {} });
      const again = await queried(user, userId);
      const signed = again["device_keys"]?.[userId]?.[deviceId] as Shown;
      expect(signed["signatures"]?.[userId]).to.include.keys(
        `ed25519:${next.selfSigning.publicKey}`,
      );
    });

    describe("and then other keys of the same device", () => {
      const replaced = async (name: string) => {
        const alice = await crossSigned(name);
        const { userId, deviceId } = alice.user;
        const { deviceKeys } = newDevice(alice.user);
        const sign = (keys: JsonObject) =>
          alice.user.post(path, {
            [userId]: { [deviceId]: alice.keys.selfSigning.sign(keys, userId) },
          });
        const upload = (keys: JsonObject) =>
          alice.user.post("/keys/upload", { device_keys: keys });
        const signers = async () => {
          const shown = await queried(alice.user, userId);
          const device = shown["device_keys"]?.[userId]?.[deviceId];
          const signatures = device?.["signatures"] as Shown;
          return Object.keys(signatures[userId] ?? {});
        };
        const before = alice.device.deviceKeys;
        const own = `ed25519:${deviceId}`;
        const selfSigned = `ed25519:${alice.keys.selfSigning.publicKey}`;
        return { before, deviceKeys, sign, upload, signers, own, selfSigned };
      };

      it("shows no signature that the keys before them had", async () => {
        const test = await replaced("changer");
        await test.sign(test.before);
        expect(await test.signers()).to.have.members([
          test.own,
          test.selfSigned,
        ]);
        await test.upload(test.deviceKeys);
        expect(await test.signers()).to.deep.equal([test.own]);
        await test.sign(test.deviceKeys);
        expect(await test.signers()).to.have.members([
          test.own,
          test.selfSigned,
        ]);
      });

      it("keeps the signature where only what is not signed changed", async () => {
        const test = await replaced("decorator");
        await test.sign(test.before);
        await test.upload({
          ...test.before,
          signatures: { ...(test.before["signatures"] as JsonObject), x: {} },
        });
        expect(await test.signers()).to.include(test.selfSigned);
      });
    });

    it("takes again what was signed at the upload of the key", async () => {
      const alice = await server.user("resigner");
      const { userId, deviceId } = alice;
      const { deviceKeys, key } = newDevice(alice);
      await alice.post("/keys/upload", { device_keys: deviceKeys });
      const { body: keys, master } = newCrossSigning(userId);
      const master_key = key.sign(keys.master_key, userId, deviceId);
      await alice.post("/keys/device_signing/upload", { ...keys, master_key });
      const answer = await alice.post(path, {
        [userId]: { [master.publicKey]: master_key },
      });
      expect(answer.body).to.deep.equal({ failures: {} });
    });

    it("tells only the signer's own devices of a signature over another", async () => {
      const alice = await crossSigned("verifier");
      const bob = await crossSigned("verified");
      const { body: room } = await alice.user.post("/createRoom", {
        preset: "public_chat",
      });
      await bob.user.post(`/rooms/${String(room["room_id"])}/join`);
      const sync = async (user: TestUser, since = "") =>
        (await user.get(`/sync${since && `?since=${since}`}`)).body;
      const sinceA = String((await sync(alice.user))["next_batch"]);
      const sinceB = String((await sync(bob.user))["next_batch"]);
      const signed = alice.keys.userSigning.sign(
        bob.keys.body.master_key,
        alice.user.userId,
      );
      await alice.user.post(path, {
        [bob.user.userId]: { [bob.keys.master.publicKey]: signed },
      });
      const lists = (await sync(alice.user, sinceA))["device_lists"];
      expect(lists).to.deep.include({ changed: [bob.user.userId] });
      expect(await sync(bob.user, sinceB)).to.not.have.property("device_lists");
    });
  });
});
