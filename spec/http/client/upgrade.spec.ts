import { expect } from "chai";
import {
  act,
  makeRoom,
  must,
  path,
  say,
  setState,
} from "../../support/rooms.ts";
import { whileUserIsHeld } from "../../support/held-row.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

describe("POST /rooms/{roomId}/upgrade", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let carol: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
    carol = await server.user("carol");
  });

  const upgrade = async (user: TestUser, roomId: string, new_version: string) =>
    must<{ replacement_room: string }>(
      await user.post(path`/rooms/${roomId}/upgrade`, { new_version }),
    ).replacement_room;

  const stateOf = async (
    user: TestUser,
    roomId: string,
    type: string,
    key = "",
  ) => (await user.get(path`/rooms/${roomId}/state/${type}/${key}`)).body;

  it("goes from every kind of version to every other", async () => {
    for (const [from, to] of [
      ["1", "12"],
      ["5", "6"],
      ["10", "11"],
      ["11", "12"],
      ["12", "11"],
      ["12", "12"],
      ["12", "1"],
    ] as const) {
      const old = await makeRoom(alice, { room_version: from, name: from });
      const next = await upgrade(alice, old, to);
      const create = await stateOf(alice, next, "m.room.create");
      expect(create["room_version"]).to.equal(to);
      expect(create["predecessor"]).to.include({ room_id: old });
      expect(await stateOf(alice, next, "m.room.name")).to.deep.equal({
        name: from,
      });
      const tombstone = await stateOf(alice, old, "m.room.tombstone");
      expect(tombstone["replacement_room"]).to.equal(next);
      await say(alice, next, "still mine");
      await act(alice, next, "invite", { user_id: bob.userId });
    }
  });

  it("takes along bans, aliases and the place in the directory", async () => {
    const old = await makeRoom(alice, {
      room_version: "11",
      preset: "public_chat",
      visibility: "public",
      room_alias_name: "moving",
    });
    await act(alice, old, "ban", { user_id: bob.userId, reason: "spam" });
    const next = await upgrade(alice, old, "12");
    expect((await bob.post(path`/join/${next}`)).status).to.equal(403);
    expect(
      await stateOf(alice, next, "m.room.member", bob.userId),
    ).to.deep.equal({ membership: "ban", reason: "spam" });
    const alias = await alice.get(path`/directory/room/${"#moving:test"}`);
    expect(alias.body["room_id"]).to.equal(next);
    const canonical = { alias: "#moving:test" };
    expect(await stateOf(alice, next, "m.room.canonical_alias")).to.deep.equal(
      canonical,
    );
    expect(await stateOf(alice, old, "m.room.canonical_alias")).to.deep.equal(
      {},
    );
    for (const [roomId, visibility] of [
      [next, "public"],
      [old, "private"],
    ] as const) {
      const listed = await alice.get(path`/directory/list/room/${roomId}`);
      expect(listed.body).to.deep.equal({ visibility });
    }
  });

  it("is refused to who may not send the tombstone, and changes nothing then", async () => {
    const old = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, old, "join");
    const { sql } = server.database;
    const rooms = async () => (await sql`select from rooms`).length;
    const before = await rooms();
    const answer = await bob.post(path`/rooms/${old}/upgrade`, {
      new_version: "11",
    });
    expect([answer.status, answer.body["errcode"]]).to.deep.equal([
      403,
      "M_FORBIDDEN",
    ]);
    expect(await rooms()).to.equal(before);
    const tombstone = await alice.get(
      path`/rooms/${old}/state/m.room.tombstone/`,
    );
    expect(tombstone.status).to.equal(404);
  });

  it("lets a moderator upgrade who can, leaving undone what is above them", async () => {
    const old = await makeRoom(alice, {
      room_version: "11",
      preset: "public_chat",
      power_level_content_override: {
        users: { [alice.userId]: 100, [bob.userId]: 50 },
        events: { "m.room.tombstone": 50 },
      },
    });
    await act(bob, old, "join");
    const next = await upgrade(bob, old, "11");
    const levels = await stateOf(bob, next, "m.room.power_levels");
    expect(levels["users"]).to.deep.equal({
      [alice.userId]: 100,
      [bob.userId]: 50,
    });
    await say(bob, old, "the moderator still speaks");
    const tombstone = await stateOf(alice, old, "m.room.tombstone");
    expect(tombstone["replacement_room"]).to.equal(next);
  });

  it("makes levels that the new version takes of levels that it does not", async () => {
    const old = await makeRoom(alice, {
      room_version: "9",
      power_level_content_override: {
        users: { [alice.userId]: "100", [carol.userId]: "75" },
        ban: "60",
      },
    });
    const next = await upgrade(alice, old, "12");
    const levels = await stateOf(alice, next, "m.room.power_levels");
    expect(levels).to.deep.include({
      users: { [carol.userId]: 75 },
      ban: 60,
    });
    const events = levels["events"] as Json;
    expect(events["m.room.tombstone"]).to.equal(150);
  });

  it("refuses creators that are no users", async () => {
    const old = await makeRoom(alice);
    for (const additional_creators of [["bob"], "bob", [1]]) {
      const answer = await alice.post(path`/rooms/${old}/upgrade`, {
        new_version: "12",
        additional_creators,
      });
      expect(answer.status).to.equal(400);
    }
  });

  it("ignores creators where the new version has none besides its maker", async () => {
    const old = await makeRoom(alice);
    const answer = await alice.post(path`/rooms/${old}/upgrade`, {
      new_version: "11",
      additional_creators: ["bob"],
    });
    must(answer);
  });

  it("is not stopped by state that the new version does not take", async () => {
    const old = await makeRoom(alice, {
      room_version: "5",
      creation_content: { type: "m.space" },
      power_level_content_override: {
        users: { [alice.userId]: 100, [bob.userId]: 50 },
      },
      invite: [bob.userId],
    });
    await act(bob, old, "join");
    await setState(alice, old, "m.room.topic", { topic: "kept" });
    await setState(alice, old, "m.room.avatar", {
      url: "mxc://a/b",
      info: { w: 1.5 },
    });
    await setState(alice, old, "m.space.child", { via: ["a"] }, "!child:a");
    await setState(bob, old, "m.space.child", { via: ["a"] }, bob.userId);
    await setState(
      bob,
      old,
      "m.room.member",
      {
        membership: "ban",
        reason: "spam",
        join_authorised_via_users_server: "@x:far.example",
      },
      carol.userId,
    );
    const next = await upgrade(alice, old, "12");
    expect(await stateOf(alice, next, "m.room.topic")).to.deep.equal({
      topic: "kept",
    });
    expect(
      await stateOf(alice, next, "m.space.child", "!child:a"),
    ).to.deep.equal({ via: ["a"] });
    expect(
      await stateOf(alice, next, "m.room.member", carol.userId),
    ).to.deep.equal({ membership: "ban", reason: "spam" });
  });

  it("lifts the ban of who becomes a creator", async () => {
    const old = await makeRoom(alice);
    await act(alice, old, "ban", { user_id: bob.userId });
    const answer = await alice.post(path`/rooms/${old}/upgrade`, {
      new_version: "12",
      additional_creators: [bob.userId, bob.userId, alice.userId],
    });
    const next = must<{ replacement_room: string }>(answer).replacement_room;
    const create = await stateOf(alice, next, "m.room.create");
    expect(create["additional_creators"]).to.deep.equal([bob.userId]);
    await act(alice, next, "invite", { user_id: bob.userId });
  });

  it("leaves the old room whole where the upgrader loses the power for it meanwhile", async () => {
    const old = await makeRoom(alice, {
      room_version: "11",
      preset: "public_chat",
      visibility: "public",
      room_alias_name: "staying",
      power_level_content_override: {
        users: { [alice.userId]: 100, [bob.userId]: 99 },
      },
    });
    await act(bob, old, "join");
    const levels = await stateOf(alice, old, "m.room.power_levels");
    const other = await server.startProcess();
    await setState(alice, old, "m.room.power_levels", {
      ...levels,
      events: { "m.room.tombstone": 90 },
    });
    // The new room has bob come in, which waits for bob's row.
    const answer = await whileUserIsHeld(
      server.database,
      bob.userId,
      async (waiting) => {
        const upgrading = bob.post(path`/rooms/${old}/upgrade`, {
          new_version: "11",
        });
        await waiting(1);
        await setState(other.as(alice), old, "m.room.power_levels", {
          ...levels,
          users: { [alice.userId]: 100 },
        });
        return () => upgrading;
      },
    );
    expect(answer.status, answer.text).to.equal(403);
    const alias = await alice.get(path`/directory/room/${"#staying:test"}`);
    expect(alias.body["room_id"]).to.equal(old);
    const listed = await alice.get(path`/directory/list/room/${old}`);
    expect(listed.body).to.deep.equal({ visibility: "public" });
    const tombstone = path`/rooms/${old}/state/m.room.tombstone/`;
    expect((await alice.get(tombstone)).status).to.equal(404);
  });

  it("makes a room for each of many upgrades at once", async () => {
    const old = await makeRoom(alice);
    const rooms = await Promise.all(
      Array.from({ length: 6 }, () => upgrade(alice, old, "12")),
    );
    expect(new Set(rooms).size).to.equal(6);
    const tombstone = await stateOf(alice, old, "m.room.tombstone");
    expect(rooms).to.include(tombstone["replacement_room"]);
  });

  it("moves no alias for a room that only claims to follow (GHSA-cjh7-rcpx-xpf8)", async () => {
    const old = await makeRoom(alice, { room_alias_name: "claimed" });
    await makeRoom(bob, {
      creation_content: { predecessor: { room_id: old, event_id: "$x" } },
    });
    const alias = await bob.get(path`/directory/room/${"#claimed:test"}`);
    expect(alias.body["room_id"]).to.equal(old);
  });

  describe("and who joins the new room", () => {
    const dataOf = async (user: TestUser, where: string) =>
      (await user.get(path`/user/${user.userId}/` + where)).body;

    const tagsOf = async (user: TestUser, roomId: string) =>
      (await dataOf(user, path`rooms/${roomId}/tags`))["tags"];

    /** All that a user can keep about a room. */
    const furnish = async (user: TestUser, roomId: string) => {
      const own = path`/user/${user.userId}`;
      must(
        await user.put(own + path`/rooms/${roomId}/tags/m.favourite`, {
          order: 0.5,
        }),
      );
      must(
        await user.put(`${own}/account_data/m.direct`, {
          [carol.userId]: ["!other:test", roomId],
          "@nobody:test": ["!other:test"],
        }),
      );
      must(
        await user.put(path`/pushrules/global/room/${roomId}`, { actions: [] }),
      );
      must(
        await user.put(path`/pushrules/global/override/${roomId}`, {
          actions: [],
          conditions: [
            { kind: "event_match", key: "room_id", pattern: roomId },
            { kind: "event_match", key: "type", pattern: "m.x" },
          ],
        }),
      );
    };

    const expectInherited = async (
      user: TestUser,
      old: string,
      next: string,
    ) => {
      expect(await tagsOf(user, next)).to.deep.equal({
        "m.favourite": { order: 0.5 },
      });
      expect(await tagsOf(user, old)).to.deep.equal({
        "m.favourite": { order: 0.5 },
      });
      expect(await dataOf(user, "account_data/m.direct")).to.deep.equal({
        [carol.userId]: ["!other:test", old, next],
        "@nobody:test": ["!other:test"],
      });
      const room = must(await user.get(path`/pushrules/global/room/${next}`));
      expect(room).to.include({ rule_id: next, enabled: true });
      const override = must(
        await user.get(path`/pushrules/global/override/${next}`),
      );
      expect(override["conditions"]).to.deep.equal([
        { kind: "event_match", key: "room_id", pattern: next },
        { kind: "event_match", key: "type", pattern: "m.x" },
      ]);
    };

    const expectNothing = async (user: TestUser, next: string) => {
      expect(await tagsOf(user, next)).to.deep.equal({});
      const direct = await dataOf(user, "account_data/m.direct");
      expect(JSON.stringify(direct)).to.not.include(next);
      for (const kind of ["room", "override"]) {
        const rule = await user.get(path`/pushrules/global/${kind}/${next}`);
        expect(rule.status).to.equal(404);
      }
    };

    it("finds tags, direct chats and push rules as in the old one", async () => {
      const owner = await server.user("owner");
      const member = await server.user("member");
      const old = await makeRoom(owner, {
        room_version: "11",
        preset: "public_chat",
      });
      await act(member, old, "join");
      await furnish(owner, old);
      await furnish(member, old);
      const next = await upgrade(owner, old, "12");
      await expectInherited(owner, old, next);
      await act(member, next, "join");
      await expectInherited(member, old, next);
    });

    it("is told of them by the sync that brings the room, and is not counted what is muted", async () => {
      const member = await server.user("silent");
      const old = await makeRoom(alice, { preset: "public_chat" });
      await act(member, old, "join");
      await furnish(member, old);
      const next = await upgrade(alice, old, "12");
      const { next_batch: since } = must<{ next_batch: string }>(
        await member.get("/sync"),
      );
      await act(member, next, "join");
      await say(alice, next, "nobody hears it");
      type Sync = {
        account_data: { events: { type: string }[] };
        rooms: { join: Record<string, Json> };
      };
      const sync = must<Sync>(await member.get(`/sync?since=${since}`));
      expect(sync.account_data.events.map(({ type }) => type)).to.have.members([
        "m.direct",
        "m.push_rules",
      ]);
      const room = sync.rooms.join[next]!;
      expect(room["account_data"]).to.deep.equal({
        events: [
          {
            type: "m.tag",
            content: { tags: { "m.favourite": { order: 0.5 } } },
          },
        ],
      });
      expect(room["unread_notifications"]).to.deep.equal({
        notification_count: 0,
        highlight_count: 0,
      });
    });

    it("loses nothing that they change at the same time, and gets all of it once", async () => {
      const member = await server.user("busy");
      const other = await server.startProcess();
      const old = await makeRoom(alice, { preset: "public_chat" });
      await act(member, old, "join");
      await furnish(member, old);
      const next = await upgrade(alice, old, "12");
      const rules = Array.from({ length: 8 }, (_, i) => `r${i}`);
      const answers = await Promise.all([
        member.post(path`/join/${next}`, {}),
        other.as(member).post(path`/join/${next}`, { reason: "twice" }),
        ...rules.map((id, i) =>
          (i % 2 ? other.as(member) : member).put(
            path`/pushrules/global/content/${id}`,
            { actions: ["notify"], pattern: id },
          ),
        ),
      ]);
      for (const answer of answers) must(answer);
      await expectInherited(member, old, next);
      for (const id of rules)
        must(await member.get(path`/pushrules/global/content/${id}`));
    });

    it("gets nothing where the old room does not point to the new one", async () => {
      const member = await server.user("lured");
      const trusted = await makeRoom(alice, { preset: "public_chat" });
      await act(member, trusted, "join");
      await furnish(member, trusted);
      const trap = await makeRoom(bob, {
        preset: "public_chat",
        creation_content: { predecessor: { room_id: trusted } },
      });
      await act(member, trap, "join");
      await expectNothing(member, trap);
    });

    it("does so too after an upgrade made by hand, its maker as well", async () => {
      const owner = await server.user("handy");
      const member = await server.user("handed");
      const old = await makeRoom(owner, { preset: "public_chat" });
      await act(member, old, "join");
      await furnish(owner, old);
      await furnish(member, old);
      const next = await makeRoom(owner, {
        preset: "public_chat",
        creation_content: { predecessor: { room_id: old } },
      });
      await setState(owner, old, "m.room.tombstone", {
        body: "gone",
        replacement_room: next,
      });
      await act(member, next, "join");
      await expectInherited(owner, old, next);
      await expectInherited(member, old, next);
    });
  });
});
