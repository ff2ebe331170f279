import { expect } from "chai";
import { setAccountData } from "../../../src/domain/accounts/update-account-data.ts";
import { reply } from "../../support/relations.ts";
import { setPusher, pushersOf, usePushing } from "../../support/pushing.ts";
import {
  act,
  makeRoom,
  must,
  path,
  say,
  send,
  setState,
} from "../../support/rooms.ts";
import type { Json, TestUser } from "../../support/server.ts";

const SOUND = "default";

describe("pushing to a gateway", () => {
  const { server, openGateway } = usePushing();
  let people = 0;

  /** A room of three, the second of whom has a pusher; two are told apart by it. */
  async function roomWith(data: Json = {}) {
    const n = (people += 1);
    const alice = await server.user(`alice${n}`);
    const bob = await server.user(`bob${n}`);
    const carol = await server.user(`carol${n}`);
    const roomId = await makeRoom(alice, {
      preset: "public_chat",
      name: `Room ${n}`,
      room_alias_name: `room${n}`,
    });
    for (const user of [bob, carol]) await act(user, roomId, "join");
    const gateway = openGateway();
    const pushkey = `key ${n}`;
    await setPusher(bob, gateway.url, { pushkey, data });
    return { n, alice, bob, carol, roomId, gateway, pushkey };
  }

  const read = (user: TestUser, roomId: string, eventId: string) =>
    user.post(path`/rooms/${roomId}/receipt/m.read/${eventId}`, {});

  it("tells of an event with all that the specification names", async () => {
    const { gateway, n, alice, bob, roomId, pushkey } = await roomWith({
      "com.example.x": 1,
    });
    must(
      await alice.put(path`/profile/${alice.userId}/displayname`, {
        displayname: "Alice",
      }),
    );
    const content = { msgtype: "m.text", body: "hello" };
    const eventId = await send(alice, roomId, "m.room.message", content);
    const told = await gateway.next();
    const [device] = told["devices"] as Json[];
    expect(device!["pushkey_ts"]).to.be.above(1_600_000_000);
    delete device!["pushkey_ts"];
    expect(told).to.deep.equal({
      event_id: eventId,
      room_id: roomId,
      type: "m.room.message",
      sender: alice.userId,
      sender_display_name: "Alice",
      room_name: `Room ${n}`,
      room_alias: `#room${n}:test`,
      prio: "low",
      content,
      counts: { unread: 1 },
      devices: [
        { app_id: "app", pushkey, data: { "com.example.x": 1 }, tweaks: {} },
      ],
    });
    const { method, path: asked } = gateway.told.at(-1)!;
    expect(`${method} ${asked}`).to.match(
      /^POST \/_matrix\/push\/v1\/notify\b/,
    );
    must(await read(bob, roomId, eventId));
    expect((await gateway.next())["counts"]).to.deep.equal({ unread: 0 });
  });

  it("tells no more than ids and counts where the pusher wants that", async () => {
    const { gateway, alice, roomId, pushkey } = await roomWith({
      format: "event_id_only",
    });
    const eventId = await say(alice, roomId, "a secret");
    const told = await gateway.next();
    expect(told).to.have.all.keys(
      ...["event_id", "room_id", "prio", "counts", "devices"],
    );
    expect(told["event_id"]).to.equal(eventId);
    expect(told["devices"]).to.have.length(1);
    expect((told["devices"] as Json[])[0]).to.deep.include({
      pushkey,
      data: { format: "event_id_only" },
    });
  });

  it("says what the rules say: a mention, a direct chat, a keyword, a call", async () => {
    const { gateway, alice, bob, carol, roomId } = await roomWith();
    const tweaksOf = async () => {
      const { devices, prio } = await gateway.next();
      return { tweaks: (devices as Json[])[0]!["tweaks"], prio };
    };
    await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: "you",
      "m.mentions": { user_ids: [bob.userId] },
    });
    expect(await tweaksOf()).to.deep.equal({
      tweaks: { sound: SOUND, highlight: true },
      prio: "high",
    });
    await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: "all of you",
      "m.mentions": { room: true },
    });
    expect(await tweaksOf()).to.deep.include({ tweaks: { highlight: true } });
    must(
      await bob.put("/pushrules/global/content/cake", {
        pattern: "cake",
        actions: ["notify", { set_tweak: "sound", value: "bell" }],
      }),
    );
    await say(alice, roomId, "There is cake.");
    expect(await tweaksOf()).to.deep.include({ tweaks: { sound: "bell" } });
    await send(alice, roomId, "m.call.invite", {});
    expect(await tweaksOf()).to.deep.include({ tweaks: { sound: "ring" } });
    await act(carol, roomId, "leave");
    await say(alice, roomId, "only us");
    expect(await tweaksOf()).to.deep.include({ tweaks: { sound: SOUND } });
  });

  it("tells nobody of what rules silence, of what they said, or of whom they ignore", async () => {
    const { gateway, alice, bob, carol, roomId } = await roomWith();
    await say(bob, roomId, "my own");
    await send(alice, roomId, "m.room.message", {
      msgtype: "m.notice",
      body: "a notice",
    });
    await send(alice, roomId, "m.reaction", {
      "m.relates_to": { rel_type: "m.annotation", event_id: "$x", key: "x" },
    });
    await setState(alice, roomId, "m.room.topic", { topic: "quiet" });
    must(
      await bob.put(
        path`/user/${bob.userId}/account_data/m.ignored_user_list`,
        {
          ignored_users: { [carol.userId]: {} },
        },
      ),
    );
    await say(carol, roomId, "not heard");
    const heard = await say(alice, roomId, "heard");
    expect((await gateway.next())["event_id"]).to.equal(heard);
    must(
      await bob.put(path`/pushrules/global/room/${roomId}`, { actions: [] }),
    );
    const witness = openGateway();
    await setPusher(carol, witness.url, { pushkey: `witness ${roomId}` });
    await say(alice, roomId, "muted");
    await witness.next();
    must(await bob.delete(path`/pushrules/global/room/${roomId}`));
    const again = await say(alice, roomId, "heard again");
    expect((await gateway.next())["event_id"]).to.equal(again);
  });

  it("tells of an invite, and not of one by whom the user ignores, or the user's filter (MSC4155)", async () => {
    const { gateway, alice, bob, carol, n } = await roomWith();
    const dave = await server.user(`dave${n}`);
    must(
      await bob.put(
        path`/user/${bob.userId}/account_data/org.matrix.msc4155.invite_permission_config`,
        { ignored_users: [dave.userId] },
      ),
    );
    must(
      await bob.put(
        path`/user/${bob.userId}/account_data/m.ignored_user_list`,
        {
          ignored_users: { [carol.userId]: {} },
        },
      ),
    );
    for (const user of [carol, dave])
      await makeRoom(user, { invite: [bob.userId] });
    const roomId = await makeRoom(alice, {
      invite: [bob.userId],
      name: "Invited",
    });
    const told = await gateway.next();
    expect(told).to.deep.include({
      room_id: roomId,
      room_name: "Invited",
      type: "m.room.member",
      sender: alice.userId,
      user_is_target: true,
      counts: { unread: 1 },
    });
    expect((told["devices"] as Json[])[0]!["tweaks"]).to.deep.equal({
      sound: SOUND,
    });
  });

  it("counts rooms, and says when the count falls, to nothing too", async () => {
    const { gateway, alice, bob, roomId } = await roomWith();
    const other = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, other, "join");
    const counts = async () => (await gateway.next())["counts"];
    await say(alice, roomId, "one");
    expect(await counts()).to.deep.equal({ unread: 1 });
    const second = await say(alice, roomId, "two");
    expect(await counts()).to.deep.equal({ unread: 1 });
    const third = await say(alice, other, "three");
    expect(await counts()).to.deep.equal({ unread: 2 });
    must(await read(bob, roomId, second));
    const fallen = await gateway.next();
    expect(fallen["counts"]).to.deep.equal({ unread: 1 });
    expect(fallen).to.not.have.any.keys("event_id", "room_id", "content");
    must(await read(bob, other, third));
    expect(await counts()).to.deep.equal({ unread: 0 });
  });

  it("counts nothing for an app that counts itself (MSC4076)", async () => {
    const { gateway, alice, bob, roomId } = await roomWith({
      "org.matrix.msc4076.disable_badge_count": true,
    });
    const first = await say(alice, roomId, "one");
    expect(await gateway.next()).to.not.have.property("counts");
    must(await read(bob, roomId, first));
    const second = await say(alice, roomId, "two");
    expect((await gateway.next())["event_id"]).to.equal(second);
  });

  it("pushes encrypted events that are pushed for the client to judge (MSC4028)", async () => {
    const { gateway, alice, bob, roomId } = await roomWith();
    const rule =
      "/pushrules/global/override/.org.matrix.msc4028.encrypted_event";
    const edit = () =>
      send(alice, roomId, "m.room.encrypted", {
        algorithm: "m.megolm.v1.aes-sha2",
        "m.relates_to": { rel_type: "m.replace", event_id: "$x" },
      });
    expect(must(await bob.get(rule))).to.include({ enabled: false });
    await edit();
    const plain = await say(alice, roomId, "plain");
    expect(await gateway.next()).to.include({ event_id: plain });
    must(await bob.put(`${rule}/enabled`, { enabled: true }));
    const eventId = await edit();
    expect(await gateway.next()).to.include({
      event_id: eventId,
      prio: "high",
    });
    const modes = await server.database.sql`
      select from push_modes where user_id = ${bob.userId}`;
    expect(modes.length).to.equal(0);
  });

  it("tells of the threads that its user follows, in a muted room too, and of no others (MSC4306)", async () => {
    const { gateway, alice, bob, roomId } = await roomWith();
    const next = async () => (await gateway.next())["event_id"];
    const roots = [];
    for (const body of ["followed", "other", "third"]) {
      roots.push(await say(alice, roomId, body));
      expect(await next()).to.equal(roots.at(-1));
    }
    const before = await reply(alice, roomId, roots[1]!);
    expect(await next()).to.equal(before);
    const subscription = (root: string) =>
      `/_matrix/client/unstable/io.element.msc4306${path`/rooms/${roomId}/thread/${root}/subscription`}`;
    must(await bob.put(subscription(roots[0]!), {}));
    await reply(alice, roomId, roots[1]!);
    const followed = await reply(alice, roomId, roots[0]!);
    expect(await next()).to.equal(followed);
    must(
      await bob.put(path`/pushrules/global/room/${roomId}`, { actions: [] }),
    );
    await say(alice, roomId, "muted");
    const again = await reply(alice, roomId, roots[0]!);
    expect(await next()).to.equal(again);
    must(await bob.delete(subscription(roots[0]!)));
    must(await bob.put(subscription(roots[2]!), {}));
    await reply(alice, roomId, roots[0]!);
    const third = await reply(alice, roomId, roots[2]!);
    expect(await next()).to.equal(third);
  });

  it("tells a switched-off pusher nothing, nor of what came meanwhile", async () => {
    const { gateway, alice, bob, roomId, pushkey } = await roomWith();
    const enabled = "org.matrix.msc3881.enabled";
    await setPusher(bob, gateway.url, { pushkey, [enabled]: false });
    await say(alice, roomId, "unheard");
    await setPusher(bob, gateway.url, { pushkey, [enabled]: true });
    const eventId = await say(alice, roomId, "heard");
    expect((await gateway.next())["event_id"]).to.equal(eventId);
  });

  it("tells nothing of before a pusher was set or its user came", async () => {
    const { gateway, alice, carol, roomId } = await roomWith();
    await say(alice, roomId, "before");
    expect(await gateway.next()).to.include({ room_id: roomId });
    await act(carol, roomId, "leave");
    await setPusher(carol, gateway.url, { pushkey: `carol's ${roomId}` });
    await say(alice, roomId, "while away");
    await gateway.next();
    await act(carol, roomId, "join");
    const eventId = await say(alice, roomId, "back");
    const told = [await gateway.next(), await gateway.next()];
    expect(told.map(({ event_id: id }) => id)).to.deep.equal([
      eventId,
      eventId,
    ]);
  });

  it("tells each of a user's pushers, in the order of the stream", async () => {
    const { gateway, alice, bob, roomId, pushkey } = await roomWith();
    const second = `second ${pushkey}`;
    await setPusher(bob, gateway.url, { pushkey: second });
    const sent: string[] = [];
    for (let i = 0; i < 10; i += 1)
      sent.push(await say(alice, roomId, `message ${i}`));
    const told: Record<string, unknown[]> = { [pushkey]: [], [second]: [] };
    for (let i = 0; i < 20; i += 1) {
      const { devices, event_id: id } = await gateway.next();
      told[String((devices as Json[])[0]!["pushkey"])]!.push(id);
    }
    expect(told).to.deep.equal({ [pushkey]: sent, [second]: sent });
  });

  it("takes a pusher away that the gateway rejects, and no other", async () => {
    const { gateway, alice, bob, roomId, pushkey } = await roomWith();
    const good = `good ${pushkey}`;
    await setPusher(bob, gateway.url, { pushkey: good });
    gateway.answer(() => ({
      body: JSON.stringify({ rejected: [pushkey, "another's"] }),
    }));
    await say(alice, roomId, "one");
    await gateway.next();
    await gateway.next();
    gateway.answer(() => ({}));
    const second = await say(alice, roomId, "two");
    const told = await gateway.next();
    expect(told["event_id"]).to.equal(second);
    expect((told["devices"] as Json[])[0]!["pushkey"]).to.equal(good);
    const keys = (await pushersOf(bob)).map((pusher) => pusher["pushkey"]);
    expect(keys).to.deep.equal([good]);
  });

  it("tells again what a gateway failed to take, with what came meanwhile and was not read", async () => {
    const { gateway, alice, bob, roomId } = await roomWith();
    let isBroken = true;
    const asked: unknown[] = [];
    gateway.answer(({ notification }) => {
      asked.push(notification["event_id"]);
      return isBroken ? { status: 502, body: "broken" } : {};
    });
    const first = await say(alice, roomId, "one");
    await gateway.next();
    isBroken = false;
    const second = await say(alice, roomId, "two");
    expect((await gateway.next())["event_id"]).to.equal(first);
    expect((await gateway.next())["event_id"]).to.equal(second);
    expect(asked).to.deep.equal([first, first, second]);
    must(await read(bob, roomId, second));
    expect((await gateway.next())["counts"]).to.deep.equal({ unread: 0 });
  });

  it("tells nobody of what was read or redacted before it could be told", async () => {
    const { gateway, alice, bob, roomId } = await roomWith();
    gateway.answer(() => ({ status: 500 }));
    const first = await say(alice, roomId, "one");
    await gateway.next();
    const second = await say(alice, roomId, "two");
    const third = await say(alice, roomId, "three");
    must(await read(bob, roomId, second));
    must(await alice.put(path`/rooms/${roomId}/redact/${third}/t`, {}));
    const fourth = await say(alice, roomId, "four");
    gateway.answer(() => ({}));
    expect((await gateway.next())["event_id"]).to.equal(fourth);
    expect(first).to.not.equal(fourth);
  });

  it("row 76: keeps nobody waiting for a gateway that hangs, nor for a user's other pushers", async () => {
    const { gateway, alice, bob, roomId, pushkey } = await roomWith();
    const hanging = `hanging ${pushkey}`;
    await setPusher(bob, gateway.url, { pushkey: hanging });
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (letGo = resolve));
    gateway.answer(async ({ notification }) => {
      const [device] = notification["devices"] as Json[];
      if (device!["pushkey"] === hanging) await held;
      return {};
    });
    const sent: string[] = [];
    for (let i = 0; i < 3; i += 1) sent.push(await say(alice, roomId, "more"));
    const told: unknown[] = [];
    while (told.length < 3) {
      const { devices, event_id: id } = await gateway.next();
      if ((devices as Json[])[0]!["pushkey"] === pushkey) told.push(id);
    }
    expect(told).to.deep.equal(sent);
    letGo();
    gateway.answer(() => ({}));
  });

  it("follows rules that were set by the thousand", async () => {
    const { gateway, alice, bob, roomId } = await roomWith();
    const content = Array.from({ length: 1000 }, (_, i) => ({
      rule_id: `word${i}`,
      default: false,
      enabled: true,
      pattern: `word${i}`,
      actions: ["notify", { set_tweak: "sound", value: `sound${i}` }],
    }));
    await setAccountData(
      server.edges,
      { userId: bob.userId, roomNid: 0, type: "m.push_rules" },
      { global: { content } },
    );
    // Every process hears of a rule that is set.
    const rule = { pattern: "pie", actions: ["notify"] };
    must(await bob.put("/pushrules/global/content/pie", rule));
    await say(alice, roomId, "the word999 it is");
    const told = await gateway.next();
    expect((told["devices"] as Json[])[0]!["tweaks"]).to.deep.equal({
      sound: "sound999",
    });
  });
});
