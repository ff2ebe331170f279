import { expect } from "chai";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
  send,
  setState,
} from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";
import {
  askSliding,
  oneList,
  type SlidingRoom,
  SlidingReader,
} from "../../support/sliding-reader.ts";
import { idsOf } from "../../support/sync-reader.ts";

const bodiesOf = (room: SlidingRoom | undefined): unknown[] =>
  (room?.timeline ?? [])
    .filter(({ type }) => type === "m.room.message")
    .map(({ content }) => content["body"]);

const placesOf = (room: SlidingRoom | undefined): string[] =>
  (room?.required_state ?? [])
    .map(({ type, state_key: key }) => `${type}|${key ?? ""}`)
    .sort();

describe("POST /sync of MSC4186", () => {
  const server = useServer();
  let made = 0;
  const person = (name: string): Promise<TestUser> =>
    server.user(`${name}${(made += 1)}`);

  describe("lists", () => {
    it("answer the window's rooms, newest activity first, and how many there are", async () => {
      const alice = await person("alice");
      const rooms: string[] = [];
      for (const name of ["a", "b", "c"])
        rooms.push(await makeRoom(alice, { name }));
      await say(alice, rooms[0]!, "news");
      const reader = new SlidingReader(alice, oneList({}, [0, 1]));
      const first = await reader.next();
      expect(first.lists["all"]).to.deep.equal({ count: 3 });
      expect(Object.keys(first.rooms)).to.deep.equal([rooms[0], rooms[2]]);
      for (const room of Object.values(first.rooms))
        expect(room.initial).to.equal(true);
      expect(first.rooms[rooms[0]!]!.name).to.equal("a");
      const stamps = Object.values(first.rooms).map((r) => r.bump_stamp);
      expect(stamps[0]).to.be.above(stamps[1]!);
    });

    it("send rooms as their range grows, and no room twice", async () => {
      const alice = await person("alice");
      for (const name of ["a", "b", "c", "d"]) await makeRoom(alice, { name });
      const reader = new SlidingReader(alice);
      const first = await reader.next(oneList({}, [0, 1]));
      const second = await reader.next(oneList({}, [0, 9]));
      expect(Object.keys(first.rooms)).to.have.length(2);
      expect(Object.keys(second.rooms)).to.have.length(2);
      expect(second.rooms).not.to.have.any.keys(...Object.keys(first.rooms));
      const third = await reader.next(oneList({}, [0, 9]));
      expect(third.rooms).to.deep.equal({});
    });

    it("send what changed, and mark what is live", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice);
      await act(bob, roomId, "join");
      const reader = new SlidingReader(alice, oneList());
      const first = await reader.next();
      expect(first.rooms[roomId]).to.include({
        initial: true,
        num_live: 0,
        joined_count: 2,
        invited_count: 0,
        limited: false,
      });
      await say(bob, roomId, "one");
      await say(bob, roomId, "two");
      const { rooms } = await reader.next();
      const room = rooms[roomId]!;
      expect(bodiesOf(room)).to.deep.equal(["one", "two"]);
      expect(room).to.include({
        num_live: 2,
        limited: false,
        notification_count: 2,
        highlight_count: 0,
      });
      expect(room).not.to.have.any.keys("initial", "joined_count", "name");
      expect(room.bump_stamp).to.be.above(first.rooms[roomId]!.bump_stamp);
    });

    it("tell a gap, which is in /messages", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      const reader = new SlidingReader(alice, oneList({ timeline_limit: 2 }));
      await reader.next();
      const sent: string[] = [];
      for (const body of ["1", "2", "3", "4"])
        sent.push(await say(alice, roomId, body));
      const { rooms } = await reader.next();
      const room = rooms[roomId]!;
      expect(room.limited).to.equal(true);
      expect(idsOf(room.timeline)).to.deep.equal(sent.slice(2));
      const query = `dir=b&limit=2&from=${room.prev_batch}`;
      const page = must<{ chunk: { event_id: string }[] }>(
        await alice.get(`${path`/rooms/${roomId}/messages`}?${query}`),
      );
      expect(page.chunk.map((e) => e.event_id)).to.deep.equal([
        sent[1],
        sent[0],
      ]);
    });

    it("send a room that was out of sight from where it was left", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const old = await makePublicRoom(alice);
      await act(bob, old, "join");
      const top = await makeRoom(alice);
      const reader = new SlidingReader(alice);
      await reader.next(oneList({}, [0, 9]));
      // No activity: the room stays where it is, and out of the window.
      const topic = await setState(alice, old, "m.room.topic", { topic: "t" });
      const hidden = await reader.next(oneList({}, [0, 0]));
      expect(hidden.rooms).to.deep.equal({});
      await say(alice, top, "news");
      await reader.next(oneList({}, [0, 0]));
      const seen = await reader.next(oneList({}, [0, 9]));
      expect(Object.keys(seen.rooms)).to.deep.equal([old]);
      expect(seen.rooms[old]).not.to.have.property("initial");
      expect(idsOf(seen.rooms[old]!.timeline)).to.deep.equal([topic]);
    });

    it("show with an event what relates to it", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      const first = await say(alice, roomId, "first");
      const edit = await send(alice, roomId, "m.room.message", {
        msgtype: "m.text",
        body: "* better",
        "m.new_content": { msgtype: "m.text", body: "better" },
        "m.relates_to": { rel_type: "m.replace", event_id: first },
      });
      const { rooms } = await new SlidingReader(alice, oneList()).next();
      const shown = rooms[roomId]!.timeline!.find((e) => e.event_id === first);
      const relations = shown?.unsigned?.["m.relations"] as {
        "m.replace": { event_id: string };
      };
      expect(relations["m.replace"].event_id).to.equal(edit);
    });

    it("come in order of activity, which a topic is not", async () => {
      const alice = await person("alice");
      const [a, b] = [await makeRoom(alice), await makeRoom(alice)];
      await setState(alice, a, "m.room.topic", { topic: "no activity" });
      const order = async (): Promise<string[]> =>
        Object.keys((await new SlidingReader(alice, oneList()).next()).rooms);
      expect(await order()).to.deep.equal([b, a]);
      await say(alice, a, "activity");
      expect(await order()).to.deep.equal([a, b]);
    });
  });

  describe("filters", () => {
    const roomsFor = async (user: TestUser, filters: object) => {
      const reader = new SlidingReader(user, oneList({ filters }));
      const { rooms, lists } = await reader.next();
      expect(lists["all"]!.count).to.equal(Object.keys(rooms).length);
      return Object.keys(rooms).sort();
    };

    it("choose rooms by what they are", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const plain = await makeRoom(alice);
      const space = await makeRoom(alice, {
        creation_content: { type: "m.space" },
      });
      const sealed = await makeRoom(alice, {
        initial_state: [
          {
            type: "m.room.encryption",
            content: { algorithm: "m.megolm.v1.aes-sha2" },
          },
        ],
      });
      const invited = await makeRoom(bob, {
        invite: [alice.userId],
        creation_content: { type: "m.space" },
      });
      const all = [plain, space, sealed, invited].sort();
      const only = (...rooms: string[]) => rooms.sort();
      expect(await roomsFor(alice, {})).to.deep.equal(all);
      expect(await roomsFor(alice, { is_invite: true })).to.deep.equal(
        only(invited),
      );
      expect(await roomsFor(alice, { is_invite: false })).to.deep.equal(
        only(plain, space, sealed),
      );
      expect(await roomsFor(alice, { is_encrypted: true })).to.deep.equal(
        only(sealed),
      );
      expect(await roomsFor(alice, { is_encrypted: false })).to.deep.equal(
        only(plain, space, invited),
      );
      expect(await roomsFor(alice, { room_types: ["m.space"] })).to.deep.equal(
        only(space, invited),
      );
      expect(await roomsFor(alice, { room_types: [null] })).to.deep.equal(
        only(plain, sealed),
      );
      expect(
        await roomsFor(alice, { not_room_types: ["m.space"] }),
      ).to.deep.equal(only(plain, sealed));
      expect(
        await roomsFor(alice, {
          room_types: ["m.space", null],
          not_room_types: [null],
        }),
      ).to.deep.equal(only(space, invited));
    });

    it("choose direct rooms, and tell when one becomes direct", async () => {
      const alice = await person("alice");
      const direct = await makeRoom(alice);
      const other = await makeRoom(alice);
      const reader = new SlidingReader(alice, oneList());
      await reader.next();
      const mark = (content: object) =>
        alice.put(path`/user/${alice.userId}/account_data/m.direct`, content);
      await mark({ "@bob:test": [direct] });
      expect(await roomsFor(alice, { is_dm: true })).to.deep.equal([direct]);
      expect(await roomsFor(alice, { is_dm: false })).to.deep.equal([other]);
      const marked = await reader.next();
      expect(Object.keys(marked.rooms)).to.deep.equal([direct]);
      expect(marked.rooms[direct]!.is_dm).to.equal(true);
      await mark({});
      const unmarked = await reader.next();
      expect(unmarked.rooms[direct]!.is_dm).to.equal(false);
    });

    it("choose rooms by tags and by the spaces that they are in", async () => {
      const alice = await person("alice");
      const [one, two] = [await makeRoom(alice), await makeRoom(alice)];
      const space = await makeRoom(alice, {
        creation_content: { type: "m.space" },
      });
      const foreign = await makeRoom(await person("bob"));
      const tag = (roomId: string, name: string) =>
        alice.put(path`/user/${alice.userId}/rooms/${roomId}/tags/${name}`, {});
      await tag(one, "u.a");
      await tag(two, "u.a");
      await tag(two, "u.b");
      const via = { via: ["test"] };
      await setState(alice, space, "m.space.child", via, two);
      await setState(alice, space, "m.space.child", {}, one);
      expect(await roomsFor(alice, { tags: ["u.a"] })).to.deep.equal(
        [one, two].sort(),
      );
      expect(
        await roomsFor(alice, { tags: ["u.a"], not_tags: ["u.b"] }),
      ).to.deep.equal([one]);
      expect(await roomsFor(alice, { spaces: [space] })).to.deep.equal([two]);
      expect(await roomsFor(alice, { spaces: [foreign] })).to.deep.equal([]);
      await setState(alice, space, "m.space.child", {}, two);
      expect(await roomsFor(alice, { spaces: [space] })).to.deep.equal([]);
    });

    it("see a room that is encrypted later", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      const filters = { is_encrypted: true };
      const reader = new SlidingReader(alice, oneList({ filters }));
      expect((await reader.next()).lists["all"]!.count).to.equal(0);
      await setState(alice, roomId, "m.room.encryption", {
        algorithm: "m.megolm.v1.aes-sha2",
      });
      const { rooms } = await reader.next();
      expect(rooms[roomId]!.initial).to.equal(true);
    });
  });

  describe("required_state", () => {
    const stateOf = async (
      user: TestUser,
      roomId: string,
      required_state: string[][],
    ) => {
      const body = oneList({ required_state, timeline_limit: 1 });
      const { rooms } = await new SlidingReader(user, body).next();
      return placesOf(rooms[roomId]);
    };

    it("is what is asked for, by type and state key, any of them, and one's own", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice);
      await act(bob, roomId, "join");
      await setState(alice, roomId, "x.y", {}, "a");
      await setState(alice, roomId, "x.y", {}, "b");
      const own = `m.room.member|${alice.userId}`;
      const other = `m.room.member|${bob.userId}`;
      expect(await stateOf(alice, roomId, [])).to.deep.equal([]);
      expect(
        await stateOf(alice, roomId, [
          ["x.y", "a"],
          ["m.room.create", ""],
          ["m.room.absent", ""],
        ]),
      ).to.deep.equal(["m.room.create|", "x.y|a"]);
      expect(await stateOf(alice, roomId, [["x.y", "*"]])).to.deep.equal([
        "x.y|a",
        "x.y|b",
      ]);
      expect(
        await stateOf(alice, roomId, [["m.room.member", "$ME"]]),
      ).to.deep.equal([own]);
      expect(await stateOf(alice, roomId, [["*", bob.userId]])).to.deep.equal([
        other,
      ]);
      const all = await stateOf(alice, roomId, [["*", "*"]]);
      expect(all).to.include.members([
        own,
        other,
        "x.y|a",
        "m.room.create|",
        "m.room.power_levels|",
      ]);
    });

    it("holds members of the timeline, each once, and again when they change", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const carol = await person("carol");
      const roomId = await makePublicRoom(alice);
      for (const user of [bob, carol]) await act(user, roomId, "join");
      await say(bob, roomId, "hello");
      const required_state = [["m.room.member", "$LAZY"]];
      const body = oneList({ required_state, timeline_limit: 1 });
      const reader = new SlidingReader(alice, body);
      const memberOf = ({ userId }: TestUser) => [`m.room.member|${userId}`];
      const ask = async () => placesOf((await reader.next()).rooms[roomId]);
      expect(await ask()).to.deep.equal(memberOf(bob));
      await say(bob, roomId, "again");
      expect(await ask()).to.deep.equal([]);
      await say(carol, roomId, "me too");
      expect(await ask()).to.deep.equal(memberOf(carol));
      await bob.put(path`/profile/${bob.userId}/displayname`, {
        displayname: "Bob",
      });
      expect(await ask()).to.deep.equal(memberOf(bob));
      await say(bob, roomId, "by another name");
      expect(await ask()).to.deep.equal([]);
    });

    it("sends a member anew whose change a gap hid", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice);
      await act(bob, roomId, "join");
      await say(bob, roomId, "hello");
      const required_state = [["m.room.member", "$LAZY"]];
      const reader = new SlidingReader(
        alice,
        oneList({ required_state, timeline_limit: 1 }),
      );
      await reader.next();
      await bob.put(path`/profile/${bob.userId}/displayname`, {
        displayname: "Bob",
      });
      await say(alice, roomId, "one");
      await say(alice, roomId, "two");
      const gap = (await reader.next()).rooms[roomId];
      expect(gap?.limited).to.equal(true);
      expect(placesOf(gap)).to.deep.equal([`m.room.member|${alice.userId}`]);
      await say(bob, roomId, "here");
      const [member] = (await reader.next()).rooms[roomId]!.required_state!;
      expect(member?.content["displayname"]).to.equal("Bob");
    });

    it("sends what is asked for in addition at once, and only that", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice, { name: "n", topic: "t" });
      const ask = (...types: string[]) =>
        oneList({ required_state: types.map((type) => [type, ""]) });
      const reader = new SlidingReader(alice);
      await reader.next(ask("m.room.name"));
      const more = await reader.next(ask("m.room.name", "m.room.topic"));
      expect(placesOf(more.rooms[roomId])).to.deep.equal(["m.room.topic|"]);
      expect(more.rooms[roomId]).not.to.have.property("initial");
      // Asked for less, then for the same again: the client has it still.
      expect((await reader.next(ask())).rooms).to.deep.equal({});
      const same = ask("m.room.name", "m.room.topic");
      expect((await reader.next(same)).rooms).to.deep.equal({});
      // What changed while it was not asked for is told.
      await reader.next(ask("m.room.name"));
      await setState(alice, roomId, "m.room.topic", { topic: "u" });
      const less = await reader.next(ask("m.room.name"));
      expect(placesOf(less.rooms[roomId])).to.deep.equal([]);
      const again = await reader.next(same);
      expect(placesOf(again.rooms[roomId])).to.deep.equal(["m.room.topic|"]);
    });

    it("tells changes of name, avatar and members", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice);
      const reader = new SlidingReader(alice, oneList());
      const ask = async () => (await reader.next()).rooms[roomId]!;
      expect(await ask()).to.deep.include({ heroes: [], joined_count: 1 });
      await act(bob, roomId, "join");
      const joined = await ask();
      expect(joined).to.include({ joined_count: 2 });
      expect(joined.heroes).to.deep.equal([
        { user_id: bob.userId, displayname: bob.userId.slice(1, -5) },
      ]);
      await setState(alice, roomId, "m.room.name", { name: "Here" });
      const named = await ask();
      expect(named.name).to.equal("Here");
      expect(named).not.to.have.any.keys("heroes", "avatar", "joined_count");
      const url = "mxc://test/a";
      await setState(alice, roomId, "m.room.avatar", { url });
      expect((await ask()).avatar).to.equal(url);
      await setState(alice, roomId, "m.room.avatar", {});
      expect((await ask()).avatar).to.equal(null);
      await setState(alice, roomId, "m.room.name", {});
      const nameless = await ask();
      expect(nameless.name).to.equal(null);
      expect(nameless.heroes).to.have.length(1);
    });
  });

  describe("timeline_limit", () => {
    it("of none tells of new messages by the counts and the place in the order", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice);
      await act(bob, roomId, "join");
      const body = oneList({ timeline_limit: 0 });
      const reader = new SlidingReader(bob, body);
      const before = (await reader.next()).rooms[roomId]!;
      await say(alice, roomId, "hello");
      const { bump_stamp: bump, ...told } = (await reader.next()).rooms[
        roomId
      ]!;
      expect(bump).to.be.above(before.bump_stamp);
      expect(told).to.deep.include({ notification_count: 1, timeline: [] });
      expect((await reader.next()).rooms).to.deep.equal({});
    });

    it("that grows sends more of the history at once", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      const sent: string[] = [];
      for (const body of ["1", "2", "3", "4", "5"])
        sent.push(await say(alice, roomId, body));
      const reader = new SlidingReader(alice);
      const ask = async (timeline_limit: number) =>
        (await reader.next(oneList({ timeline_limit }))).rooms[roomId];
      expect(idsOf((await ask(1))?.timeline)).to.deep.equal(sent.slice(4));
      const more = await ask(3);
      expect(idsOf(more?.timeline)).to.deep.equal(sent.slice(2));
      expect(more).to.include({
        unstable_expanded_timeline: true,
        limited: true,
        num_live: 0,
      });
      expect(more).not.to.have.property("initial");
      expect(await ask(3)).to.equal(undefined);
      // Less, then as much again, without a gap: the client has it still.
      expect(await ask(1)).to.equal(undefined);
      expect(await ask(3)).to.equal(undefined);
      // With a gap it has not.
      for (const body of ["6", "7"]) sent.push(await say(alice, roomId, body));
      expect(idsOf((await ask(1))?.timeline)).to.deep.equal(sent.slice(6));
      expect(idsOf((await ask(3))?.timeline)).to.deep.equal(sent.slice(4));
    });

    it("of a subscription adds to that of the list", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice, { name: "n" });
      const sent: string[] = [];
      for (const body of ["1", "2", "3"])
        sent.push(await say(alice, roomId, body));
      const reader = new SlidingReader(alice, {
        ...oneList({ timeline_limit: 1 }),
      });
      await reader.next();
      const { rooms } = await reader.next({
        room_subscriptions: {
          [roomId]: {
            timeline_limit: 3,
            required_state: [["m.room.name", ""]],
          },
        },
      });
      expect(idsOf(rooms[roomId]?.timeline)).to.deep.equal(sent);
      expect(placesOf(rooms[roomId])).to.deep.equal(["m.room.name|"]);
    });
  });

  describe("subscriptions", () => {
    it("send a room that no list shows", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      await makeRoom(alice);
      const body = {
        ...oneList({}, [0, 0]),
        room_subscriptions: { [roomId]: { timeline_limit: 2 } },
      };
      const reader = new SlidingReader(alice, body);
      const { rooms } = await reader.next();
      expect(rooms[roomId]?.timeline).to.have.length(2);
    });

    it("CVE-2024-53867 Continuwuity SEC20: to rooms that one is not in, and to none, are ignored", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const closed = await makeRoom(alice);
      const open = await makePublicRoom(alice, "world_readable");
      const config = { timeline_limit: 9, required_state: [["*", "*"]] };
      const reader = new SlidingReader(bob, {
        room_subscriptions: {
          [closed]: config,
          [open]: config,
          "!absent:test": config,
          nonsense: config,
        },
      });
      expect((await reader.next()).rooms).to.deep.equal({});
      await say(alice, closed, "secret");
      expect((await reader.next()).rooms).to.deep.equal({});
    });
  });

  describe("membership", () => {
    const everything = oneList({ required_state: [["*", "*"]] });

    it("shows invites and knocks by their stripped state, then the room anew", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makeRoom(alice, { name: "inner", invite: [] });
      const reader = new SlidingReader(bob, everything);
      await reader.next();
      await act(alice, roomId, "invite", { user_id: bob.userId });
      const invited = (await reader.next()).rooms[roomId]!;
      expect(invited).to.include({ initial: true, membership: "invite" });
      expect(invited.invite_state!.map(({ type }) => type)).to.include.members([
        "m.room.create",
        "m.room.name",
        "m.room.member",
      ]);
      expect(invited).not.to.have.any.keys("timeline", "required_state");
      expect((await reader.next()).rooms).to.deep.equal({});
      await act(bob, roomId, "join");
      const joined = (await reader.next()).rooms[roomId]!;
      expect(joined).to.include({ initial: true, membership: "join" });
      expect(placesOf(joined)).to.include("m.room.name|");

      const knockable = await makeRoom(alice, {
        room_version: "11",
        initial_state: [
          { type: "m.room.join_rules", content: { join_rule: "knock" } },
        ],
      });
      must(await bob.post(path`/knock/${knockable}`, {}));
      const knocking = (await reader.next()).rooms[knockable]!;
      expect(knocking).to.include({ initial: true, membership: "knock" });
      expect(knocking.invite_state).not.to.be.empty;
    });

    it("tells that an invite was rejected or taken back", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const rejected = await makeRoom(alice, { invite: [bob.userId] });
      const takenBack = await makeRoom(alice, { invite: [bob.userId] });
      const reader = new SlidingReader(bob, everything);
      await reader.next();
      await act(bob, rejected, "leave");
      await act(alice, takenBack, "kick", { user_id: bob.userId });
      await setState(alice, rejected, "m.room.topic", { topic: "secret" });
      const { rooms } = await reader.next();
      for (const roomId of [rejected, takenBack]) {
        expect(rooms[roomId]!.membership).to.equal("leave");
        const own = rooms[roomId]!.required_state!;
        expect(own).to.have.length(1);
        expect(own[0]!.content["membership"]).to.equal("leave");
      }
      const anew = await new SlidingReader(bob, everything).next();
      expect(anew.rooms).to.deep.equal({});
    });

    it("neither counts a room once it has told of the leaving, nor shows it in a window", async () => {
      const alice = await person("alice");
      const kept = await makePublicRoom(alice);
      const roomId = await makePublicRoom(alice);
      const first = oneList({}, [0, 0]);
      const reader = new SlidingReader(alice, first);
      expect((await reader.next()).lists["all"]!.count).to.equal(2);
      await act(alice, roomId, "leave");
      const left = await reader.again();
      expect(left.rooms[roomId]!.membership).to.equal("leave");
      // Whoever did not get that answer is told again.
      const again = await reader.next();
      expect(again.rooms[roomId]!.membership).to.equal("leave");
      const { lists, rooms } = await reader.next();
      expect(lists["all"]!.count).to.equal(1);
      expect(rooms[kept]!.initial).to.equal(true);
    });

    it("tells of a kick up to it, and nothing after it", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice);
      await act(bob, roomId, "join");
      const reader = new SlidingReader(bob, everything);
      await reader.next();
      await say(alice, roomId, "before");
      await setState(alice, roomId, "m.room.topic", { topic: "before" });
      await act(alice, roomId, "kick", { user_id: bob.userId });
      await say(alice, roomId, "after");
      await setState(alice, roomId, "m.room.topic", { topic: "after" });
      const check = (room: SlidingRoom | undefined) => {
        expect(room?.membership).to.equal("leave");
        expect(bodiesOf(room)).to.deep.equal(["before"]);
        expect(JSON.stringify(room)).not.to.include("after");
        expect(room?.timeline?.at(-1)?.content["membership"]).to.equal("leave");
        const topic = room?.required_state?.find(
          ({ type }) => type === "m.room.topic",
        );
        expect(topic?.content["topic"]).to.equal("before");
      };
      const told = (await reader.next()).rooms[roomId]!;
      expect(told).not.to.have.any.keys("initial", "notification_count");
      check(told);
      expect((await reader.next()).rooms).to.deep.equal({});
      await say(alice, roomId, "after that");
      expect((await reader.next()).rooms).to.deep.equal({});
      // Who was not told yet is told too.
      const anew = await new SlidingReader(bob, everything).next();
      expect(anew.rooms[roomId]!.initial).to.equal(true);
      check(anew.rooms[roomId]);
    });

    it("tells of one's own leaving only where the room was sent, and of coming back anew", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice);
      await act(bob, roomId, "join");
      const reader = new SlidingReader(bob, everything);
      await reader.next();
      await act(bob, roomId, "leave");
      const left = (await reader.next()).rooms[roomId]!;
      expect(left.membership).to.equal("leave");
      const anew = await new SlidingReader(bob, everything).next();
      expect(anew.rooms).to.deep.equal({});
      await act(bob, roomId, "join");
      expect((await reader.next()).rooms[roomId]!.initial).to.equal(true);
      await act(bob, roomId, "leave");
      await act(bob, roomId, "join");
      expect((await reader.next()).rooms[roomId]!.initial).to.equal(true);
    });

    it("tells that a room was left that is forgotten, and nothing more of it however much is asked for", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice);
      await setState(alice, roomId, "m.room.topic", { topic: "old" });
      await say(alice, roomId, "old");
      await act(bob, roomId, "join");
      const ask = (timeline_limit: number, type: string) =>
        oneList({ timeline_limit, required_state: [[type, "*"]] });
      const lazy = new SlidingReader(bob);
      const reader = new SlidingReader(bob, { conn_id: "another" });
      await lazy.next(ask(1, "m.room.member"));
      await reader.next(ask(1, "m.room.member"));
      await act(bob, roomId, "leave");
      const left = await reader.next(ask(1, "m.room.member"));
      expect(left.rooms[roomId]?.membership).to.equal("leave");
      await act(bob, roomId, "forget");
      const grown = await reader.next(ask(9, "m.room.topic"));
      expect(grown.rooms).to.deep.equal({});
      const told = (await lazy.next(ask(9, "*"))).rooms[roomId];
      expect(told?.membership).to.equal("leave");
      expect(JSON.stringify(told)).not.to.include("old");
      expect(told?.timeline).to.have.length(1);
    });

    it("does not show invites by users who are ignored", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      await bob.put(
        path`/user/${bob.userId}/account_data/m.ignored_user_list`,
        {
          ignored_users: { [alice.userId]: {} },
        },
      );
      await makeRoom(alice, { invite: [bob.userId] });
      const { rooms, lists } = await new SlidingReader(bob, everything).next();
      expect(rooms).to.deep.equal({});
      expect(lists["all"]!.count).to.equal(0);
    });

    it("shows nothing that ignored users say, nor of the time before one came", async () => {
      const alice = await person("alice");
      const bob = await person("bob");
      const roomId = await makePublicRoom(alice, "joined");
      await say(alice, roomId, "before");
      await act(bob, roomId, "join");
      const reader = new SlidingReader(bob, oneList());
      const first = (await reader.next()).rooms[roomId];
      expect(bodiesOf(first)).to.deep.equal([]);
      await bob.put(
        path`/user/${bob.userId}/account_data/m.ignored_user_list`,
        {
          ignored_users: { [alice.userId]: {} },
        },
      );
      await say(alice, roomId, "unheard");
      expect((await reader.next()).rooms).to.deep.equal({});
    });
  });

  describe("a connection", () => {
    it("waits for news, and for its time", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      const reader = new SlidingReader(alice, oneList());
      await reader.next();
      const waiting = reader.next({}, 30_000);
      await say(alice, roomId, "news");
      expect(bodiesOf((await waiting).rooms[roomId])).to.deep.equal(["news"]);
      const before = reader.pos;
      const empty = await reader.next({}, 1);
      expect(empty.rooms).to.deep.equal({});
      expect(empty.pos).to.be.a("string");
      expect(before).to.be.a("string");
    });

    it("repeats an answer that was lost, and what came since", async () => {
      const alice = await person("alice");
      const rooms = [await makeRoom(alice), await makeRoom(alice)];
      const reader = new SlidingReader(alice, oneList());
      await reader.next(oneList({}, [0, 0]));
      await say(alice, rooms[1]!, "one");
      const lost = await reader.again();
      expect(Object.keys(lost.rooms)).to.have.members(rooms);
      await say(alice, rooms[1]!, "two");
      const again = await reader.next();
      expect(Object.keys(again.rooms)).to.have.members(rooms);
      expect(bodiesOf(again.rooms[rooms[1]!])).to.deep.equal(["one", "two"]);
      expect((await reader.next()).rooms).to.deep.equal({});
    });

    it("takes either answer of a request that came twice", async () => {
      const alice = await person("alice");
      await makeRoom(alice);
      await makeRoom(alice);
      const reader = new SlidingReader(alice, oneList());
      await reader.next(oneList({}, [0, 0]));
      const answers = await Promise.all([reader.again(), reader.again()]);
      for (const { pos, rooms } of answers) {
        expect(Object.keys(rooms)).to.have.length(1);
        reader.pos = pos;
        expect((await reader.again()).rooms).to.deep.equal({});
      }
    });

    it("goes on in another process, and after a restart", async () => {
      const alice = await person("alice");
      const other = await server.startProcess();
      const rooms = [await makeRoom(alice), await makeRoom(alice)];
      const required_state = [["m.room.member", "$LAZY"]];
      const reader = new SlidingReader(alice, oneList({ required_state }));
      await reader.next();
      for (const [i, process] of [other, server, other].entries()) {
        await say(alice, rooms[i % 2]!, "news");
        reader.client = process.as(alice);
        const answer = await reader.next();
        expect(Object.keys(answer.rooms)).to.deep.equal([rooms[i % 2]]);
        const room = answer.rooms[rooms[i % 2]!]!;
        expect(room).not.to.have.property("initial");
        expect(room.required_state).to.deep.equal([]);
      }
    });

    it("says M_UNKNOWN_POS to a position that it does not know", async () => {
      const alice = await person("alice");
      await makeRoom(alice);
      const reader = new SlidingReader(alice, oneList());
      const { pos } = await reader.next();
      const unknown = [
        "nonsense",
        "",
        pos.replace(/\d+$/, "1"),
        pos.replace(/^w1_\d+/, "w1_77"),
        pos.replace(/^(w1_\d+)_\d+/, "$1_999999999"),
      ];
      for (const text of unknown) {
        const answer = await askSliding(alice, oneList(), { pos: text });
        expect(answer.status, text).to.equal(400);
        expect(answer.body["errcode"], text).to.equal("M_UNKNOWN_POS");
      }
      const foreign = await askSliding(await person("bob"), oneList(), { pos });
      expect(foreign.body["errcode"]).to.equal("M_UNKNOWN_POS");
      const elsewhere = { ...oneList(), conn_id: "another" };
      const answer = await askSliding(alice, elsewhere, { pos });
      expect(answer.body["errcode"]).to.equal("M_UNKNOWN_POS");
    });

    it("is apart from others of the device", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      const one = new SlidingReader(alice, { ...oneList(), conn_id: "one" });
      const two = new SlidingReader(alice, { ...oneList(), conn_id: "two" });
      await one.next();
      await two.next();
      await say(alice, roomId, "news");
      for (const reader of [one, two])
        expect(bodiesOf((await reader.next()).rooms[roomId])).to.deep.equal([
          "news",
        ]);
    });

    it("stores nothing anew while its rooms are in sight", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      const reader = new SlidingReader(alice, oneList());
      await reader.next();
      const count = async () =>
        (
          await server.edges.db`
            select from sliding_sync_states where user_id = ${alice.userId}`
        ).count;
      expect(await count()).to.equal(1);
      for (const body of ["1", "2", "3"]) {
        await say(alice, roomId, body);
        expect(bodiesOf((await reader.next()).rooms[roomId])).to.deep.equal([
          body,
        ]);
      }
      expect(await count()).to.equal(1);
    });

    it("keeps few states however long it goes on, and is gone with its device", async () => {
      const alice = await person("alice");
      const rooms = [];
      for (let i = 0; i < 45; i += 1) rooms.push(await makeRoom(alice));
      const reader = new SlidingReader(alice);
      for (let i = 0; i < rooms.length; i += 1) {
        const { rooms: told } = await reader.next(oneList({}, [0, i]));
        expect(Object.keys(told), `range of ${i}`).to.have.length(1);
      }
      const count = async () =>
        (
          await server.edges.db`
            select from sliding_sync_states where user_id = ${alice.userId}`
        ).count;
      expect(await count()).to.be.within(2, 33);
      expect((await reader.next(oneList())).rooms).to.deep.equal({});
      must(await alice.post("/logout"));
      expect(await count()).to.equal(0);
    });
  });
});
