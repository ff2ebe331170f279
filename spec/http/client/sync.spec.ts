import { expect } from "chai";
import {
  type TestProcess,
  type TestUser,
  useServer,
} from "../../support/server.ts";
import {
  idsOf,
  type SyncAnswer,
  type SyncEvent,
  SyncReader,
} from "../../support/sync-reader.ts";
import { newDeviceIdentity } from "../../../test/conformance/harness/keys.ts";

const LAZY = { room: { state: { lazy_load_members: true } } };

describe("GET /sync", () => {
  const server = useServer();
  let other: TestProcess;
  let count = 0;
  before(async () => {
    other = await server.startProcess();
  });

  const newUser = (name: string) => server.user(`${name}${(count += 1)}`);

  async function createRoom(user: TestUser, body: object = {}) {
    const answer = await user.post("/createRoom", {
      preset: "public_chat",
      ...body,
    });
    expect(answer.status, answer.text).to.equal(200);
    return String(answer.body["room_id"]);
  }

  const act = async (user: TestUser, path: string, body: object = {}) => {
    const answer = await user.post(path, body);
    expect(answer.status, answer.text).to.equal(200);
  };

  async function say(user: TestUser, roomId: string, body = "hello") {
    const answer = await user.put(
      `/rooms/${roomId}/send/m.room.message/${(count += 1)}`,
      { msgtype: "m.text", body },
    );
    expect(answer.status, answer.text).to.equal(200);
    return String(answer.body["event_id"]);
  }

  async function send(
    user: TestUser,
    messages: object,
    type = "org.test.ping",
  ) {
    const path = `/sendToDevice/${type}/${(count += 1)}`;
    const answer = await user.put(path, { messages });
    expect(answer.status, answer.text).to.equal(200);
  }

  describe("timelines", () => {
    it("are limited where more is new than the filter takes, and prev_batch leads on", async () => {
      const alice = await newUser("alice");
      const roomId = await createRoom(alice);
      const filter = { room: { timeline: { limit: 3 } } };
      const reader = new SyncReader(alice, { filter });
      await reader.next();
      const ids: string[] = [];
      for (let i = 0; i < 5; i += 1) ids.push(await say(alice, roomId));
      const room = (await reader.next()).rooms.join[roomId]!;
      expect(room.timeline.limited).to.be.true;
      expect(idsOf(room.timeline.events)).to.deep.equal(ids.slice(2));
      expect(room.timeline.prev_batch).to.be.a("string").not.empty;
      const last = await say(alice, roomId);
      const { timeline } = (await reader.next()).rooms.join[roomId]!;
      expect(timeline.limited).to.be.false;
      expect(idsOf(timeline.events)).to.deep.equal([last]);
    });

    it("leave a gap that /messages fills exactly, though forks have left depths behind", async () => {
      const alice = await newUser("alice");
      const roomId = await createRoom(alice);
      const filter = { room: { timeline: { limit: 1 } } };
      const reader = new SyncReader(other.as(alice), { filter });
      const ids = [await say(alice, roomId), await say(alice, roomId)];
      await reader.next();
      const since = reader.since!;
      for (let i = 0; i < 4; i += 1) ids.push(await say(alice, roomId));
      // As if these had been sent by a process that had not heard of the last ones.
      await server.database.sql`
        update events set depth = depth - 4 where event_id = any(${[ids[2]!, ids[5]!]}::text[])`;
      const { timeline } = (await reader.next()).rooms.join[roomId]!;
      expect(idsOf(timeline.events)).to.deep.equal([ids[5]]);
      const messages = async (query: Record<string, string>) => {
        const search = new URLSearchParams({ limit: "50", ...query });
        const { body } = await reader.client.get(
          `/rooms/${roomId}/messages?${search}`,
        );
        return idsOf(body["chunk"] as SyncEvent[]);
      };
      const gap = [timeline.prev_batch, since] as const;
      const hole = ids.slice(2, 5);
      expect(
        await messages({ dir: "b", from: gap[0], to: gap[1] }),
      ).to.have.members(hole);
      expect(
        await messages({ dir: "f", from: gap[1], to: gap[0] }),
      ).to.have.members(hole);
      expect(await messages({ dir: "f", from: gap[1] })).to.have.members(
        ids.slice(2),
      );
    });

    it("begin before one's own join, as history visibility lets them", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const reader = new SyncReader(bob);
      await reader.next();
      const open = await createRoom(alice);
      const shut = await createRoom(alice, {
        initial_state: [
          {
            type: "m.room.history_visibility",
            state_key: "",
            content: { history_visibility: "joined" },
          },
        ],
      });
      const ids = [await say(alice, open), await say(alice, shut)];
      for (const roomId of [open, shut]) await act(bob, `/join/${roomId}`);
      const { join } = (await reader.next()).rooms;
      expect(idsOf(join[open]!.timeline.events)).to.include(ids[0]);
      expect(idsOf(join[shut]!.timeline.events)).not.to.include(ids[1]);
      for (const roomId of [open, shut]) {
        expect(join[roomId]!.timeline.limited).to.be.true;
        const { state, timeline } = join[roomId]!;
        const types = [...state!.events, ...timeline.events].map(
          ({ type }) => type,
        );
        expect(types).to.include.members([
          "m.room.create",
          "m.room.power_levels",
          "m.room.history_visibility",
        ]);
      }
    });

    it("are told of no room that is not one's own", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const reader = new SyncReader(bob);
      await reader.next();
      const roomId = await createRoom(alice);
      await say(alice, roomId);
      const { rooms } = await reader.next();
      expect(rooms).to.deep.equal({
        join: {},
        leave: {},
        invite: {},
        knock: {},
      });
    });

    it("carry the transaction id to the device that sent, and to no other", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const readers = [new SyncReader(alice), new SyncReader(bob)];
      for (const reader of readers) await reader.next();
      await alice.put(`/rooms/${roomId}/send/m.room.message/mine`, {
        msgtype: "m.text",
        body: "hello",
      });
      const found = [];
      for (const reader of readers) {
        const { rooms } = await reader.next();
        const [event] = rooms.join[roomId]!.timeline.events;
        found.push(
          (event as { unsigned?: { transaction_id?: string } }).unsigned
            ?.transaction_id,
        );
      }
      expect(found).to.deep.equal(["mine", undefined]);
    });
  });

  describe("rooms that one is invited to, knocks on or leaves", () => {
    it("shows an invite once with the room's stripped state, then the joined room", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const reader = new SyncReader(bob);
      await reader.next();
      const roomId = await createRoom(alice, {
        name: "Come in",
        preset: "private_chat",
        invite: [bob.userId],
      });
      const { invite } = (await reader.next()).rooms;
      const { events } = invite[roomId]!.invite_state;
      const types = events.map(({ type }) => type);
      expect(types).to.include.members([
        "m.room.create",
        "m.room.join_rules",
        "m.room.name",
        "m.room.member",
      ]);
      const own = events.find(({ state_key }) => state_key === bob.userId);
      expect(own?.content["membership"]).to.equal("invite");
      expect((await reader.next()).rooms.invite).to.deep.equal({});
      await act(bob, `/join/${roomId}`);
      const { rooms } = await reader.next();
      expect(rooms.invite).to.deep.equal({});
      const { state, timeline } = rooms.join[roomId]!;
      const all = [...state!.events, ...timeline.events];
      expect(all[0]!.type).to.equal("m.room.create");
    });

    it("shows all invites to a new client", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice, { invite: [bob.userId] });
      const { rooms } = await new SyncReader(bob).next();
      expect(Object.keys(rooms.invite)).to.deep.equal([roomId]);
    });

    it("shows a refused invite as a left room", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const reader = new SyncReader(bob);
      const roomId = await createRoom(alice, { invite: [bob.userId] });
      await reader.next();
      await act(bob, `/rooms/${roomId}/leave`);
      const { rooms } = await reader.next();
      expect(rooms.leave).to.have.property(roomId);
      expect(rooms.join).to.deep.equal({});
    });

    it("shows one's knock with the room's stripped state", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const reader = new SyncReader(bob);
      await reader.next();
      const roomId = await createRoom(alice, {
        name: "Knock",
        initial_state: [
          {
            type: "m.room.join_rules",
            state_key: "",
            content: { join_rule: "knock" },
          },
        ],
      });
      await act(bob, `/knock/${roomId}`);
      const { knock } = (await reader.next()).rooms;
      const types = knock[roomId]!.knock_state.events.map(({ type }) => type);
      expect(types).to.include("m.room.name");
    });

    it("shows a left room up to the leave and nothing of what follows", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const reader = new SyncReader(bob);
      await reader.next();
      const seen = await say(alice, roomId);
      await act(bob, `/rooms/${roomId}/leave`);
      const hidden = await say(alice, roomId);
      const { rooms } = await reader.next();
      expect(rooms.join).to.deep.equal({});
      const { events } = rooms.leave[roomId]!.timeline;
      expect(idsOf(events)).to.include(seen).and.not.include(hidden);
      expect(events.at(-1)!.content["membership"]).to.equal("leave");
      expect((await reader.next()).rooms.leave).to.deep.equal({});
    });

    it("shows a kick and a ban, and the room anew after one has come back", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const reader = new SyncReader(bob);
      await reader.next();
      const whom = { user_id: bob.userId };
      await act(alice, `/rooms/${roomId}/kick`, whom);
      const kicked = (await reader.next()).rooms.leave[roomId]!;
      expect(kicked.timeline.events.at(-1)!.sender).to.equal(alice.userId);
      await act(alice, `/rooms/${roomId}/ban`, whom);
      const { rooms } = await reader.next();
      expect(rooms.leave).to.have.property(roomId);
      await act(alice, `/rooms/${roomId}/unban`, whom);
      await reader.next();
      await act(bob, `/join/${roomId}`);
      const room = (await reader.next()).rooms.join[roomId]!;
      const { state, timeline } = room;
      expect(timeline.limited).to.be.true;
      const types = [...state!.events, ...timeline.events].map(
        ({ type }) => type,
      );
      expect(types).to.include("m.room.create");
    });

    it("shows left rooms to a new client that asks for them, and no forgotten ones", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const seen = await say(alice, roomId);
      await act(bob, `/rooms/${roomId}/leave`);
      await alice.put(`/rooms/${roomId}/state/m.room.topic/`, { topic: "x" });
      const filter = { room: { include_leave: true } };
      expect((await new SyncReader(bob).next()).rooms.leave).to.deep.equal({});
      const { leave } = (await new SyncReader(bob, { filter }).next()).rooms;
      const { timeline, state } = leave[roomId]!;
      expect(idsOf(timeline.events)).to.include(seen);
      const all = [...timeline.events, ...state!.events];
      expect(all.map(({ type }) => type)).not.to.include("m.room.topic");
    });
  });

  describe("lazily loaded members", () => {
    it("are those who speak, oneself and the heroes, each sent once", async () => {
      const alice = await newUser("alice");
      const roomId = await createRoom(alice);
      const members: TestUser[] = [];
      for (let i = 0; i < 8; i += 1) {
        const member = await newUser("member");
        await act(member, `/join/${roomId}`);
        members.push(member);
      }
      const filter = {
        room: { timeline: { limit: 1 }, state: { lazy_load_members: true } },
      };
      const last = members.at(-1)!;
      await say(last, roomId);
      const reader = new SyncReader(alice, { filter });
      const { state, summary } = (await reader.next()).rooms.join[roomId]!;
      const told = state!.events
        .filter(({ type }) => type === "m.room.member")
        .map(({ state_key }) => state_key);
      const heroes = summary!["m.heroes"] as string[];
      expect(heroes).to.deep.equal(
        members.slice(0, 5).map(({ userId }) => userId),
      );
      expect(told).to.have.members([alice.userId, last.userId, ...heroes]);
      expect(summary!["m.joined_member_count"]).to.equal(9);

      const next = async (speaker: TestUser) => {
        await say(speaker, roomId);
        const { state: news } = (await reader.next()).rooms.join[roomId]!;
        return news!.events.map(({ state_key }) => state_key);
      };
      expect(await next(members[6]!)).to.deep.equal([members[6]!.userId]);
      expect(await next(members[6]!)).to.deep.equal([]);
      expect(await next(last)).to.deep.equal([]);
    });

    it("are told again with include_redundant_members", async () => {
      const alice = await newUser("alice");
      const roomId = await createRoom(alice);
      const filter = {
        room: {
          state: { lazy_load_members: true, include_redundant_members: true },
        },
      };
      const reader = new SyncReader(alice, { filter });
      await reader.next();
      await say(alice, roomId);
      const { state } = (await reader.next()).rooms.join[roomId]!;
      expect(state!.events.map(({ state_key }) => state_key)).to.deep.equal([
        alice.userId,
      ]);
    });

    it("are told again where the answer was lost, where one began anew or came back by another process", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const filter = { room: { ...LAZY.room, timeline: { limit: 1 } } };
      const reader = new SyncReader(alice, { filter });
      const tellsBob = ({ rooms }: SyncAnswer) =>
        rooms.join[roomId]!.state!.events.some(
          ({ state_key }) => state_key === bob.userId,
        );
      const bobSpeaks = async (read: () => Promise<SyncAnswer>) => {
        await say(bob, roomId);
        return tellsBob(await read());
      };
      for (let i = 0; i < 9; i += 1) {
        await act(await newUser("member"), `/join/${roomId}`);
      }
      await act(bob, `/rooms/${roomId}/leave`);
      await act(bob, `/join/${roomId}`);
      await say(alice, roomId);
      expect(tellsBob(await reader.next())).to.be.false;
      expect(await bobSpeaks(() => reader.again())).to.be.true;
      expect(await bobSpeaks(() => reader.next())).to.be.true;
      expect(await bobSpeaks(() => reader.next())).to.be.false;

      const elsewhere = new SyncReader(other.as(alice), { filter });
      await say(alice, roomId);
      expect(tellsBob(await elsewhere.next())).to.be.false;
      reader.since = elsewhere.since;
      expect(await bobSpeaks(() => reader.next())).to.be.true;

      elsewhere.since = reader.since;
      await act(alice, `/rooms/${roomId}/leave`);
      await act(alice, `/join/${roomId}`);
      await elsewhere.next();
      reader.since = elsewhere.since;
      expect(await bobSpeaks(() => reader.next())).to.be.true;
      expect(await bobSpeaks(() => reader.next())).to.be.false;
    });

    it("who came, spoke and left before the timeline are told as they were", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const reader = new SyncReader(alice, { filter: LAZY });
      await say(bob, roomId);
      await act(bob, `/rooms/${roomId}/leave`);
      const { state, timeline } = (await reader.next()).rooms.join[roomId]!;
      const all = [...state!.events, ...timeline.events].filter(
        ({ state_key }) => state_key === bob.userId,
      );
      expect(all.map(({ content }) => content["membership"])).to.deep.equal([
        "join",
        "leave",
      ]);
    });
  });

  describe("tokens", () => {
    it("refuses what is no token of this server", async () => {
      const alice = await newUser("alice");
      for (const since of [
        "s12",
        "x",
        "s1_1_2_3_4_5",
        "s1_1_-2_3_4_5_6",
        "s1_1_2_3_9999999999999999_5_6",
      ]) {
        const { status, body } = await alice.get(`/sync?since=${since}`);
        expect([status, body["errcode"]]).to.deep.equal([
          400,
          "M_INVALID_PARAM",
        ]);
      }
    });

    it("gives a token of another epoch everything, to-device messages again", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await send(bob, { [alice.userId]: { [alice.deviceId]: { n: 1 } } });
      const reader = new SyncReader(alice);
      const first = await reader.next();
      expect(first.to_device.events).to.have.length(1);
      reader.since = reader.since!.replace(/^s1_\d+/, "s1_99");
      const again = await reader.next();
      expect(again.rooms.join[roomId]!.state).to.deep.equal(
        first.rooms.join[roomId]!.state,
      );
      expect(again.to_device.events).to.have.length(1);
      expect((await reader.next()).to_device.events).to.be.empty;
    });

    it("answers a repeated request alike", async () => {
      const alice = await newUser("alice");
      const roomId = await createRoom(alice);
      const reader = new SyncReader(alice);
      await reader.next();
      const id = await say(alice, roomId);
      for (let i = 0; i < 2; i += 1) {
        const { rooms } = await reader.again();
        expect(idsOf(rooms.join[roomId]!.timeline.events)).to.deep.equal([id]);
      }
    });
  });

  describe("to-device messages", () => {
    it("come until the token that had them comes back, to one device alone", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const login = await server.post("/login", {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: alice.userId },
        password: alice.password,
      });
      const second = new SyncReader(
        server.as({ accessToken: String(login.body["access_token"]) }),
      );
      const reader = new SyncReader(alice);
      for (const each of [reader, second]) await each.next();
      await send(bob, { [alice.userId]: { [alice.deviceId]: { n: 1 } } });
      for (let i = 0; i < 2; i += 1) {
        const { to_device } = await reader.again();
        expect(to_device.events).to.deep.equal([
          { type: "org.test.ping", sender: bob.userId, content: { n: 1 } },
        ]);
      }
      await reader.next();
      expect((await reader.next()).to_device.events).to.be.empty;
      expect((await second.next()).to_device.events).to.be.empty;
    });

    it("row 60: come 100 at a time, all of them, in order", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const reader = new SyncReader(alice);
      await reader.next();
      for (let n = 0; n < 230; n += 1)
        await send(bob, { [alice.userId]: { [alice.deviceId]: { n } } });
      const seen: unknown[] = [];
      for (const length of [100, 100, 30, 0]) {
        const { to_device } = await reader.next();
        expect(to_device.events).to.have.length(length);
        seen.push(...to_device.events.map(({ content }) => content["n"]));
      }
      expect(seen).to.deep.equal(Array.from({ length: 230 }, (_, n) => n));
    });
  });

  describe("device_lists", () => {
    it("names who shares a room and changed keys, and nobody else", async () => {
      const [alice, bob, eve] = [
        await newUser("alice"),
        await newUser("bob"),
        await newUser("eve"),
      ];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const reader = new SyncReader(alice);
      await reader.next();
      for (const user of [bob, eve]) {
        const { deviceKeys } = newDeviceIdentity(user);
        await act(user, "/keys/upload", { device_keys: deviceKeys });
      }
      expect((await reader.next()).device_lists).to.deep.equal({
        changed: [bob.userId],
        left: [],
      });
      expect(await reader.next()).not.to.have.property("device_lists");
    });

    it("names who came into sight by either's join, and who went out of it", async () => {
      const [alice, bob, cat] = [
        await newUser("alice"),
        await newUser("bob"),
        await newUser("cat"),
      ];
      const roomId = await createRoom(alice);
      const reader = new SyncReader(alice);
      await reader.next();
      await act(bob, `/join/${roomId}`);
      expect((await reader.next()).device_lists?.changed).to.deep.equal([
        bob.userId,
      ]);
      const theirs = await createRoom(cat);
      await act(alice, `/join/${theirs}`);
      expect((await reader.next()).device_lists?.changed).to.deep.equal([
        cat.userId,
      ]);
      await act(bob, `/rooms/${roomId}/leave`);
      expect((await reader.next()).device_lists).to.deep.equal({
        changed: [],
        left: [bob.userId],
      });
      await act(alice, `/rooms/${theirs}/leave`);
      expect((await reader.next()).device_lists).to.deep.equal({
        changed: [],
        left: [cat.userId],
      });
    });

    it("names as left who is out of sight, though one was invited again", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const reader = new SyncReader(bob);
      await reader.next();
      const whom = { user_id: bob.userId };
      await act(alice, `/rooms/${roomId}/kick`, whom);
      await act(alice, `/rooms/${roomId}/invite`, whom);
      const { rooms, device_lists: lists } = await reader.next();
      expect(rooms.invite).to.have.property(roomId);
      expect(lists).to.deep.equal({ changed: [], left: [alice.userId] });
    });

    it("names nobody for a new name, nor as left whom another room still shows or who was long gone", async () => {
      const [alice, bob, cat] = [
        await newUser("alice"),
        await newUser("bob"),
        await newUser("cat"),
      ];
      const roomIds = [await createRoom(alice), await createRoom(alice)];
      for (const roomId of roomIds) await act(bob, `/join/${roomId}`);
      await act(cat, `/join/${roomIds[1]}`);
      await act(cat, `/rooms/${roomIds[1]}/leave`);
      const reader = new SyncReader(alice);
      await reader.next();
      await bob.put(`/rooms/${roomIds[0]}/state/m.room.member/${bob.userId}`, {
        membership: "join",
        displayname: "Bobby",
      });
      expect(await reader.next()).not.to.have.property("device_lists");
      await act(bob, `/rooms/${roomIds[0]}/leave`);
      expect(await reader.next()).not.to.have.property("device_lists");
      await act(alice, `/rooms/${roomIds[1]}/leave`);
      expect((await reader.next()).device_lists).to.deep.equal({
        changed: [],
        left: [bob.userId],
      });
    });
  });

  describe("long polls", () => {
    /** Starts to wait in the other process, does something in this one, and answers what came. */
    async function wake(user: TestUser, doing: () => Promise<unknown>) {
      const reader = new SyncReader(other.as(user));
      await reader.next();
      const answer = reader.next({ timeout: 20_000 });
      await doing();
      return answer;
    }

    it("end for who shares a room with someone whose device is logged out", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      await act(bob, `/join/${roomId}`);
      const answer = await wake(alice, () => act(bob, "/logout"));
      expect(answer.device_lists?.changed).to.deep.equal([bob.userId]);
    });

    it("end with a message, an invite, a to-device message or account data from another process", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      const id = { said: "" };
      const message = await wake(alice, async () => {
        id.said = await say(alice, roomId);
      });
      expect(idsOf(message.rooms.join[roomId]!.timeline.events)).to.deep.equal([
        id.said,
      ]);
      const invite = await wake(bob, () =>
        act(alice, `/rooms/${roomId}/invite`, { user_id: bob.userId }),
      );
      expect(invite.rooms.invite).to.have.property(roomId);
      const toDevice = await wake(bob, () =>
        send(alice, { [bob.userId]: { "*": { n: 1 } } }),
      );
      expect(toDevice.to_device.events).to.have.length(1);
      const data = await wake(bob, () =>
        bob.put(`/user/${bob.userId}/account_data/org.test.data`, { n: 1 }),
      );
      expect(data.account_data.events).to.deep.include({
        type: "org.test.data",
        content: { n: 1 },
      });
    });

    it("end with a room that one joins while waiting", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      const answer = await wake(bob, () => act(bob, `/join/${roomId}`));
      expect(answer.rooms.join).to.have.property(roomId);
    });

    it("are not ended by what is none of one's business", async () => {
      const [alice, bob] = [await newUser("alice"), await newUser("bob")];
      const roomId = await createRoom(alice);
      const answer = await wake(bob, async () => {
        await say(alice, roomId);
        await act(alice, `/rooms/${roomId}/invite`, { user_id: bob.userId });
      });
      expect(answer.rooms.invite).to.have.property(roomId);
    });

    it("end empty when the time is over", async () => {
      const alice = await newUser("alice");
      const reader = new SyncReader(alice);
      await reader.next();
      const answer = await reader.next({ timeout: 1 });
      expect(answer.rooms).to.deep.equal({
        join: {},
        leave: {},
        invite: {},
        knock: {},
      });
    });
  });

  it("answers full_state at once with the whole state and only new events", async () => {
    const alice = await newUser("alice");
    const roomId = await createRoom(alice);
    const reader = new SyncReader(alice);
    const first = await reader.next();
    const id = await say(alice, roomId);
    await reader.next();
    const answer = await reader.next({ full_state: true, timeout: 20_000 });
    const { state, timeline } = answer.rooms.join[roomId]!;
    expect(timeline.events).to.be.empty;
    expect(idsOf(first.rooms.join[roomId]!.timeline.events)).not.include(id);
    expect(state!.events.map(({ type }) => type)).to.include.members([
      "m.room.create",
      "m.room.member",
      "m.room.join_rules",
    ]);
  });
});
