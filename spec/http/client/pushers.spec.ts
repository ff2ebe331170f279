import { expect } from "chai";
import { must, path } from "../../support/rooms.ts";
import { pusherOf, pushersOf, setPusher } from "../../support/pushing.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";
import { withPassword } from "../../support/with-password.ts";

const URL = "https://push.example.org/_matrix/push/v1/notify";
const ENABLED = "org.matrix.msc3881.enabled";
const DEVICE = "org.matrix.msc3881.device_id";

describe("pushers", () => {
  const server = useServer();

  async function logIn(user: TestUser): Promise<TestUser> {
    const body = must(
      await server.post("/login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: user.userId },
        password: user.password,
      }),
    );
    const accessToken = String(body["access_token"]);
    const deviceId = String(body["device_id"]);
    return { ...user, ...server.as({ accessToken }), accessToken, deviceId };
  }

  it("are listed as they were set, the oldest first", async () => {
    const alice = await server.user("alice");
    expect(await pushersOf(alice)).to.deep.equal([]);
    const first = pusherOf(URL, {
      profile_tag: "work",
      data: { format: "event_id_only", brand: "x" },
    });
    const second = pusherOf(URL, { pushkey: "other", lang: "zh-CN" });
    for (const pusher of [first, second])
      must(await alice.post("/pushers/set", pusher));
    const shown = (pusher: Json) => ({
      ...pusher,
      [ENABLED]: true,
      [DEVICE]: alice.deviceId,
    });
    expect(await pushersOf(alice)).to.deep.equal([shown(first), shown(second)]);
  });

  it("are one and the same by app id and pushkey", async () => {
    const alice = await server.user("same");
    await setPusher(alice, URL);
    await setPusher(alice, URL, { device_display_name: "Tablet" });
    await setPusher(alice, URL, { app_id: "another" });
    const pushers = await pushersOf(alice);
    expect(pushers).to.have.length(2);
    expect(pushers[0]).to.include({
      app_id: "app",
      device_display_name: "Tablet",
    });
  });

  it("are taken away by a kind of null, which needs nothing else", async () => {
    const alice = await server.user("null");
    await setPusher(alice, URL);
    const gone = { kind: null, app_id: "app", pushkey: "key" };
    must(await alice.post("/pushers/set", { ...gone, app_id: "unknown" }));
    expect(await pushersOf(alice)).to.have.length(1);
    must(await alice.post("/pushers/set", gone));
    must(await alice.post("/pushers/set", gone));
    expect(await pushersOf(alice)).to.deep.equal([]);
  });

  it("of another user with the same key go, unless they are to stay", async () => {
    const alice = await server.user("first");
    const bob = await server.user("second");
    await setPusher(alice, URL, { pushkey: "shared" });
    await setPusher(bob, URL, { pushkey: "shared", append: true });
    expect(await pushersOf(alice)).to.have.length(1);
    expect(await pushersOf(bob)).to.have.length(1);
    await setPusher(bob, URL, { pushkey: "shared" });
    expect(await pushersOf(alice)).to.deep.equal([]);
    expect(await pushersOf(bob)).to.have.length(1);
  });

  it("are the last one's where two users want the same key at once", async () => {
    const users = await Promise.all(
      ["r0", "r1", "r2", "r3"].map((name) => server.user(name)),
    );
    const other = await server.startProcess();
    await Promise.all(
      users.map((user, i) =>
        setPusher(i % 2 === 0 ? user : other.as(user), URL, {
          pushkey: "wanted",
        }),
      ),
    );
    const left = await Promise.all(users.map((user) => pushersOf(user)));
    expect(left.flat()).to.have.length(1);
  });

  it("are refused where they lack something or hold it in another form", async () => {
    const alice = await server.user("forms");
    const data = (more: Json) => ({ ...pusherOf(URL), data: more });
    const without = (name: string) => {
      const pusher = pusherOf(URL);
      delete pusher[name];
      return pusher;
    };
    const cases: [Json, string][] = [
      [without("kind"), "M_MISSING_PARAM"],
      [without("app_id"), "M_MISSING_PARAM"],
      [without("pushkey"), "M_MISSING_PARAM"],
      [without("lang"), "M_MISSING_PARAM"],
      [without("data"), "M_MISSING_PARAM"],
      [without("app_display_name"), "M_MISSING_PARAM"],
      [without("device_display_name"), "M_MISSING_PARAM"],
      [data({}), "M_MISSING_PARAM"],
      [pusherOf(URL, { kind: "carrier pigeon" }), "M_INVALID_PARAM"],
      [pusherOf(URL, { app_id: "x".repeat(65) }), "M_INVALID_PARAM"],
      [pusherOf(URL, { pushkey: "ü".repeat(257) }), "M_INVALID_PARAM"],
      [data({ url: 7 }), "M_INVALID_PARAM"],
      [data({ url: "push" }), "M_INVALID_PARAM"],
      [data({ url: "https://push.example.org/notify" }), "M_INVALID_PARAM"],
      [data({ url: URL.replace("https", "http") }), "M_INVALID_PARAM"],
      [data({ url: URL.replace("https", "ftp") }), "M_INVALID_PARAM"],
      [data({ url: URL.replace("push.", "me:pw@push.") }), "M_INVALID_PARAM"],
    ];
    for (const [body, errcode] of cases) {
      const answer = await alice.post("/pushers/set", body);
      expect(answer.status, JSON.stringify(body)).to.equal(400);
      expect(answer.body["errcode"], JSON.stringify(body)).to.equal(errcode);
    }
    expect(await pushersOf(alice)).to.deep.equal([]);
    await setPusher(alice, URL, {
      app_id: "x".repeat(64),
      pushkey: "ü".repeat(256),
    });
  });

  it("are switched off and on by another device, and stay their own device's (MSC3881)", async () => {
    const alice = await server.user("remote");
    const laptop = await logIn(alice);
    await setPusher(alice, URL);
    await setPusher(laptop, URL, { [ENABLED]: false });
    expect((await pushersOf(alice))[0]).to.include({
      [ENABLED]: false,
      [DEVICE]: alice.deviceId,
    });
    must(
      await withPassword(alice, "DELETE", path`/devices/${laptop.deviceId}`),
    );
    expect(await pushersOf(alice)).to.have.length(1);
    await setPusher(alice, URL, { [ENABLED]: true });
    expect((await pushersOf(alice))[0]).to.include({ [ENABLED]: true });
  });

  it("go with the device that set them, and with its session", async () => {
    const alice = await server.user("devices");
    const [deleted, loggedOut, replaced] = [
      await logIn(alice),
      await logIn(alice),
      await logIn(alice),
    ];
    await setPusher(alice, URL, { pushkey: "own" });
    await setPusher(deleted, URL, { pushkey: "deleted" });
    await setPusher(loggedOut, URL, { pushkey: "logged out" });
    await setPusher(replaced, URL, { pushkey: "replaced" });
    const keys = async () =>
      (await pushersOf(alice)).map((pusher) => pusher["pushkey"]);
    expect(await keys()).to.have.length(4);
    must(
      await withPassword(alice, "DELETE", path`/devices/${deleted.deviceId}`),
    );
    expect(await keys()).to.have.members(["own", "logged out", "replaced"]);
    must(await loggedOut.post("/logout"));
    expect(await keys()).to.have.members(["own", "replaced"]);
    must(
      await server.post("/login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: alice.userId },
        password: alice.password,
        device_id: replaced.deviceId,
      }),
    );
    expect(await keys()).to.deep.equal(["own"]);
  });

  it("of other devices go with a changed password, one's own stay", async () => {
    const alice = await server.user("changes");
    const other = await logIn(alice);
    await setPusher(alice, URL, { pushkey: "own" });
    await setPusher(other, URL, { pushkey: "other" });
    const change = { new_password: "a new password of mine" };
    must(await withPassword(alice, "POST", "/account/password", change));
    const [pusher, ...more] = await pushersOf(alice);
    expect(pusher).to.include({ pushkey: "own" });
    expect(more).to.deep.equal([]);
  });

  it("cannot be set by a session that ends meanwhile", async () => {
    const alice = await server.user("ending");
    const other = await logIn(alice);
    const [set] = await Promise.all([
      other.post("/pushers/set", pusherOf(URL)),
      other.post("/logout"),
    ]);
    expect(set.status).to.be.oneOf([200, 401]);
    expect(await pushersOf(alice)).to.deep.equal([]);
  });

  it("are a user's own", async () => {
    const alice = await server.user("owner");
    const bob = await server.user("stranger");
    await setPusher(alice, URL, { pushkey: "private" });
    expect(await pushersOf(bob)).to.deep.equal([]);
    const gone = { kind: null, app_id: "app", pushkey: "private" };
    must(await bob.post("/pushers/set", gone));
    expect(await pushersOf(alice)).to.have.length(1);
  });

  it("write nothing where they stand already", async () => {
    const alice = await server.user("again");
    await setPusher(alice, URL);
    const head = async () => {
      const [row] = await server.database.sql<{ head: number }[]>`
        select max(last_position) as head from batches`;
      return row!.head;
    };
    const before = await head();
    await setPusher(alice, URL);
    expect(await head()).to.equal(before);
    await setPusher(alice, URL, { lang: "de" });
    expect(await head()).to.be.above(before);
  });
});
