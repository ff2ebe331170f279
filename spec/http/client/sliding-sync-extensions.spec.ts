import { expect } from "chai";
import { newDevice } from "../../support/device-identity.ts";
import {
  act,
  makePublicRoom,
  makeRoom,
  must,
  path,
  say,
} from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";
import { oneList, SlidingReader } from "../../support/sliding-reader.ts";

describe("extensions of sliding sync", () => {
  const server = useServer();
  let made = 0;
  const person = (name: string): Promise<TestUser> =>
    server.user(`${name}${(made += 1)}`);
  const asking = (extensions: Json, body: Json = {}): Json => ({
    ...body,
    extensions,
  });
  const enabled = { enabled: true };

  /** A room of two. */
  async function talk(): Promise<{
    alice: TestUser;
    bob: TestUser;
    roomId: string;
  }> {
    const alice = await person("alice");
    const bob = await person("bob");
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    return { alice, bob, roomId };
  }

  it("are answered only where they are enabled", async () => {
    const alice = await person("alice");
    const { extensions } = await new SlidingReader(
      alice,
      asking({
        to_device: {},
        e2ee: { enabled: false },
        typing: enabled,
        "x.unknown": enabled,
      }),
    ).next();
    expect(extensions).to.deep.equal({ typing: { rooms: {} } });
  });

  describe("to_device", () => {
    let sent = 0;
    const tell = async (from: TestUser, to: TestUser, body: string) =>
      must(
        await from.put(`/sendToDevice/x.note/${(sent += 1)}`, {
          messages: { [to.userId]: { [to.deviceId]: { body } } },
        }),
      );
    const ask = async (
      reader: SlidingReader,
      since?: string,
      more: Json = {},
      timeout = 0,
    ) => {
      const to_device = { ...enabled, ...(since && { since }), ...more };
      const answer = await reader.next(asking({ to_device }), timeout);
      const { next_batch, events } = answer.extensions.to_device!;
      return { next_batch, bodies: events.map((e) => e.content["body"]) };
    };

    it("hands out messages until their token comes back, whatever pos does", async () => {
      const [alice, bob] = [await person("alice"), await person("bob")];
      const reader = new SlidingReader(bob);
      const first = await ask(reader);
      await tell(alice, bob, "one");
      await tell(alice, bob, "two");
      const got = await ask(reader, first.next_batch);
      expect(got.bodies).to.deep.equal(["one", "two"]);
      // The answer came, but its messages were lost.
      const again = await ask(reader, first.next_batch);
      expect(again.bodies).to.deep.equal(["one", "two"]);
      // Another connection, from its beginning.
      const other = new SlidingReader(bob, { conn_id: "other" });
      expect((await ask(other)).bodies).to.deep.equal(["one", "two"]);
      expect((await ask(other, again.next_batch)).bodies).to.deep.equal([]);
      const rows = await server.edges.db`
        select from to_device where user_id = ${bob.userId}`;
      expect(rows.count).to.equal(0);
      expect((await ask(reader)).bodies).to.deep.equal([]);
    });

    it("hands out as many as are asked for, and the rest at once", async () => {
      const [alice, bob] = [await person("alice"), await person("bob")];
      for (const body of ["1", "2", "3"]) await tell(alice, bob, body);
      const reader = new SlidingReader(bob);
      const one = await ask(reader, undefined, { limit: 2 });
      expect(one.bodies).to.deep.equal(["1", "2"]);
      const rest = await ask(reader, one.next_batch, { limit: 2 }, 30_000);
      expect(rest.bodies).to.deep.equal(["3"]);
    });

    it("wakes who waits, and takes no token of strangers", async () => {
      const [alice, bob] = [await person("alice"), await person("bob")];
      const reader = new SlidingReader(bob);
      const { next_batch } = await ask(reader);
      const waiting = ask(reader, next_batch, {}, 30_000);
      await tell(alice, bob, "wake");
      expect((await waiting).bodies).to.deep.equal(["wake"]);
      for (const since of ["17", "d1_0_x", "s1_0_0"]) {
        const to_device = { ...enabled, since };
        const answer = await bob.post(
          "/_matrix/client/unstable/org.matrix.simplified_msc3575/sync",
          asking({ to_device }),
        );
        expect(answer.status, since).to.equal(400);
        expect(answer.body["errcode"]).to.equal("M_INVALID_PARAM");
      }
    });

    it("deletes nothing by a token from before a restore", async () => {
      const [alice, bob] = [await person("alice"), await person("bob")];
      await tell(alice, bob, "kept");
      const reader = new SlidingReader(bob);
      for (const since of ["d1_99_999999", "d1_0_99999999"]) {
        expect((await ask(reader, since)).bodies).to.deep.equal(["kept"]);
      }
    });
  });

  describe("e2ee", () => {
    const ask = async (reader: SlidingReader, timeout = 0) =>
      (await reader.next(asking({ e2ee: enabled }), timeout)).extensions.e2ee!;
    it("tells counts of keys always, and changes of them at once", async () => {
      const alice = await person("alice");
      const reader = new SlidingReader(alice);
      expect(await ask(reader)).to.deep.equal({
        device_lists: { changed: [], left: [] },
        device_one_time_keys_count: { signed_curve25519: 0 },
        device_unused_fallback_key_types: [],
      });
      const waiting = ask(reader, 30_000);
      must(
        await alice.post("/keys/upload", {
          one_time_keys: { "curve25519:a": "key" },
        }),
      );
      const { device_one_time_keys_count: counts } = await waiting;
      expect(counts["curve25519"]).to.equal(1);
    });

    it("tells whose keys changed, who came into sight and who left it", async () => {
      const { alice, bob, roomId } = await talk();
      const reader = new SlidingReader(alice);
      await ask(reader);
      const waiting = ask(reader, 30_000);
      must(
        await bob.post("/keys/upload", {
          device_keys: newDevice(bob).deviceKeys,
        }),
      );
      expect((await waiting).device_lists.changed).to.deep.equal([bob.userId]);
      expect((await ask(reader)).device_lists.changed).to.deep.equal([]);
      await say(bob, roomId, "nothing of keys");
      expect((await ask(reader)).device_lists).to.deep.equal({
        changed: [],
        left: [],
      });
      const carol = await person("carol");
      await act(carol, roomId, "join");
      expect((await ask(reader)).device_lists.changed).to.include(carol.userId);
      await act(carol, roomId, "leave");
      expect((await ask(reader)).device_lists.left).to.deep.equal([
        carol.userId,
      ]);
    });

    it("needs no stored state where no rooms are asked for", async () => {
      const alice = await person("alice");
      const reader = new SlidingReader(alice);
      await ask(reader);
      await ask(reader);
      const rows = await server.edges.db`
        select from sliding_sync_states where user_id = ${alice.userId}`;
      expect(rows.count).to.equal(0);
    });
  });

  describe("account_data", () => {
    const put = async (user: TestUser, name: string, roomId?: string) => {
      const place =
        roomId === undefined
          ? path`/user/${user.userId}/account_data/${name}`
          : path`/user/${user.userId}/rooms/${roomId}/account_data/${name}`;
      must(await user.put(place, { name }));
    };
    const typesOf = (events: readonly { type: string }[] = []) =>
      events.map(({ type }) => type).sort();

    it("tells global data and that of rooms in the answer, then what changes", async () => {
      const alice = await person("alice");
      const [low, top] = [await makeRoom(alice), await makeRoom(alice)];
      await put(alice, "x.global");
      await put(alice, "x.low", low);
      await put(alice, "x.top", top);
      const reader = new SlidingReader(alice);
      const ask = async (last: number) =>
        (
          await reader.next(
            asking({ account_data: enabled }, oneList({}, [0, last])),
          )
        ).extensions.account_data!;
      const first = await ask(0);
      expect(typesOf(first.global)).to.deep.equal(["m.push_rules", "x.global"]);
      expect(Object.keys(first.rooms)).to.deep.equal([top]);
      expect(typesOf(first.rooms[top])).to.deep.equal(["x.top"]);
      await put(alice, "x.later", low);
      await put(alice, "x.new", top);
      await put(alice, "x.other");
      const second = await ask(0);
      expect(typesOf(second.global)).to.deep.equal(["x.other"]);
      expect(Object.keys(second.rooms)).to.deep.equal([top]);
      expect(typesOf(second.rooms[top])).to.deep.equal(["x.new"]);
      const third = await ask(1);
      expect(third.global).to.deep.equal([]);
      expect(typesOf(third.rooms[low])).to.deep.equal(["x.later", "x.low"]);
      // Out of sight, and in sight again.
      await ask(0);
      await put(alice, "x.hidden", low);
      expect((await ask(0)).rooms).to.deep.equal({});
      expect(typesOf((await ask(1)).rooms[low])).to.include("x.hidden");
    });

    it("tells all of it where it is asked for later", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      await put(alice, "x.global");
      await put(alice, "x.room", roomId);
      const reader = new SlidingReader(alice, oneList());
      await reader.next();
      const { extensions } = await reader.next(
        asking({ account_data: enabled }),
      );
      const { global, rooms } = extensions.account_data!;
      expect(typesOf(global)).to.include("x.global");
      expect(typesOf(rooms[roomId])).to.deep.equal(["x.room"]);
    });

    it("keeps to the lists and subscriptions that it names", async () => {
      const alice = await person("alice");
      const [low, top] = [await makeRoom(alice), await makeRoom(alice)];
      await put(alice, "x.low", low);
      await put(alice, "x.top", top);
      const ask = async (scope: Json): Promise<string[]> => {
        const body = {
          ...oneList({}, [0, 0]),
          room_subscriptions: { [low]: { timeline_limit: 1 } },
          ...asking({ account_data: { ...enabled, ...scope } }),
        };
        const answer = await new SlidingReader(alice, body).next();
        return Object.keys(answer.extensions.account_data!.rooms).sort();
      };
      expect(await ask({})).to.deep.equal([low, top].sort());
      expect(await ask({ lists: [] })).to.deep.equal([low]);
      expect(await ask({ rooms: [] })).to.deep.equal([top]);
      expect(await ask({ lists: ["none"], rooms: [] })).to.deep.equal([]);
      expect(await ask({ lists: [], rooms: [low] })).to.deep.equal([low]);
      expect(await ask({ lists: ["all"], rooms: ["!x:test"] })).to.deep.equal([
        top,
      ]);
    });

    it("wakes who waits", async () => {
      const alice = await person("alice");
      const reader = new SlidingReader(alice);
      const body = asking({ account_data: enabled });
      await reader.next(body);
      const waiting = reader.next(body, 30_000);
      await put(alice, "x.news");
      const { global } = (await waiting).extensions.account_data!;
      expect(typesOf(global)).to.deep.equal(["x.news"]);
    });
  });

  describe("receipts", () => {
    const read = async (
      user: TestUser,
      roomId: string,
      eventId: string,
      type = "m.read",
    ) =>
      must(
        await user.post(path`/rooms/${roomId}/receipt/${type}/${eventId}`, {}),
      );
    const readersOf = (room: { content: Json } | undefined): string[] =>
      Object.entries(room?.content ?? {}).flatMap(([eventId, ofEvent]) =>
        Object.entries(ofEvent as Record<string, Json>).flatMap(
          ([type, ofType]) =>
            Object.keys(ofType).map((userId) => `${eventId} ${type} ${userId}`),
        ),
      );

    it("tells those of the timeline and one's own, then what changes; of private ones only the own", async () => {
      const { alice, bob, roomId } = await talk();
      const old = await say(alice, roomId, "old");
      const carol = await person("carol");
      await act(carol, roomId, "join");
      await read(carol, roomId, old);
      const last = await say(alice, roomId, "last");
      await read(bob, roomId, last);
      await read(alice, roomId, old, "m.read.private");
      await read(bob, roomId, last, "m.read.private");
      const body = asking(
        { receipts: enabled },
        oneList({ timeline_limit: 1 }),
      );
      const reader = new SlidingReader(alice, body);
      const ask = async () =>
        readersOf((await reader.next()).extensions.receipts!.rooms[roomId]);
      expect(await ask()).to.have.members([
        `${last} m.read ${bob.userId}`,
        `${old} m.read.private ${alice.userId}`,
      ]);
      expect(await ask()).to.deep.equal([]);
      await read(carol, roomId, last);
      expect(await ask()).to.deep.equal([`${last} m.read ${carol.userId}`]);
      await read(alice, roomId, last, "m.read.private");
      expect(await ask()).to.deep.equal([
        `${last} m.read.private ${alice.userId}`,
      ]);
      const next = await say(alice, roomId, "next");
      await ask();
      await read(bob, roomId, next, "m.read.private");
      expect(await ask()).to.deep.equal([]);
    });

    it("of one's own change the counts", async () => {
      const { alice, bob, roomId } = await talk();
      const reader = new SlidingReader(bob, oneList());
      await say(alice, roomId, "one");
      const last = await say(alice, roomId, "two");
      const { rooms } = await reader.next();
      expect(rooms[roomId]!.notification_count).to.equal(2);
      const waiting = reader.next({}, 30_000);
      await read(bob, roomId, last);
      const counted = (await waiting).rooms[roomId]!;
      expect(counted.notification_count).to.equal(0);
      expect(counted.timeline).to.deep.equal([]);
    });

    it("that came while the room was out of sight are told when it is back", async () => {
      const { alice, bob, roomId } = await talk();
      const event = await say(alice, roomId, "here");
      const top = await makeRoom(alice);
      const reader = new SlidingReader(alice, asking({ receipts: enabled }));
      await reader.next(oneList({}, [0, 1]));
      await read(bob, roomId, event);
      await say(alice, top, "news");
      await reader.next(oneList({}, [0, 0]));
      const { extensions } = await reader.next(oneList({}, [0, 1]));
      expect(readersOf(extensions.receipts!.rooms[roomId])).to.deep.equal([
        `${event} m.read ${bob.userId}`,
      ]);
    });
  });

  describe("typing", () => {
    it("tells who types, and who has ceased to", async () => {
      const { alice, bob, roomId } = await talk();
      const type = async (typing: boolean) =>
        must(
          await bob.put(path`/rooms/${roomId}/typing/${bob.userId}`, {
            typing,
            timeout: 30_000,
          }),
        );
      const body = asking({ typing: enabled }, oneList());
      const reader = new SlidingReader(alice, body);
      const ask = async (timeout = 0) =>
        (await reader.next({}, timeout)).extensions.typing!.rooms;
      expect(await ask()).to.deep.equal({});
      const waiting = ask(30_000);
      await type(true);
      const typed = {
        [roomId]: { type: "m.typing", content: { user_ids: [bob.userId] } },
      };
      expect(await waiting).to.deep.equal(typed);
      expect(await ask()).to.deep.equal({});
      const anew = new SlidingReader(alice, body);
      expect((await anew.next()).extensions.typing!.rooms).to.deep.equal(typed);
      const ceasing = ask(30_000);
      await type(false);
      expect(await ceasing).to.deep.equal({
        [roomId]: { type: "m.typing", content: { user_ids: [] } },
      });
    });
  });

  describe("io.element.msc4308.thread_subscriptions", () => {
    const NAME = "io.element.msc4308.thread_subscriptions";

    it("tells the newest changes, and where the others are", async () => {
      const alice = await person("alice");
      const roomId = await makeRoom(alice);
      const roots: string[] = [];
      for (const body of ["a", "b", "c"])
        roots.push(await say(alice, roomId, body));
      const [a, b, c] = roots as [string, string, string];
      const target = (root: string) =>
        `/_matrix/client/unstable/io.element.msc4306${path`/rooms/${roomId}/thread/${root}/subscription`}`;
      const reader = new SlidingReader(
        alice,
        asking({ [NAME]: { ...enabled, limit: 2 } }),
      );
      const ask = async (timeout = 0) =>
        (await reader.next({}, timeout)).extensions[NAME];
      const threadsOf = (rooms: Record<string, object> = {}) =>
        Object.keys(rooms[roomId] ?? {});
      for (const root of roots) must(await alice.put(target(root), {}));
      const first = await ask();
      expect(threadsOf(first?.subscribed)).to.have.members([b, c]);
      const more = must<{ subscribed: Record<string, object> }>(
        await alice.get(
          `/_matrix/client/unstable/io.element.msc4308/thread_subscriptions?dir=b&from=${first?.prev_batch}`,
        ),
      );
      expect(threadsOf(more.subscribed)).to.deep.equal([a]);
      expect(await ask()).to.equal(undefined);
      const waiting = ask(30_000);
      must(await alice.delete(target(b)));
      const second = await waiting;
      expect(threadsOf(second?.unsubscribed)).to.deep.equal([b]);
      expect(second).not.to.have.any.keys("subscribed", "prev_batch");
    });
  });
});
