import { expect } from "chai";
import {
  type Bundled,
  edit,
  react,
  redact,
  refer,
  relatesTo,
  type Relations,
  relationsPath,
  reply,
  threadsPath,
} from "../../support/relations.ts";
import {
  act,
  getMessages,
  makePublicRoom,
  must,
  path,
  say,
  send,
  setState,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";
import { SyncReader } from "../../support/sync-reader.ts";

describe("what relates to an event is told with it", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let carol: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
    carol = await server.user("carol");
  });

  const roomOfThree = async (): Promise<string> => {
    const roomId = await makePublicRoom(alice);
    await act(bob, roomId, "join");
    await act(carol, roomId, "join");
    return roomId;
  };

  const eventOf = async (
    user: TestUser,
    roomId: string,
    eventId: string,
  ): Promise<Bundled> =>
    must<Bundled>(await user.get(path`/rooms/${roomId}/event/${eventId}`));

  const relationsOf = async (
    user: TestUser,
    roomId: string,
    eventId: string,
  ): Promise<Relations> =>
    (await eventOf(user, roomId, eventId)).unsigned["m.relations"] ?? {};

  const bodyOf = (event: Bundled | undefined): unknown =>
    (event?.content["m.new_content"] as Json | undefined)?.["body"];

  async function ignore(user: TestUser, userIds: string[]): Promise<void> {
    const ignored_users = Object.fromEntries(userIds.map((id) => [id, {}]));
    const type = "m.ignored_user_list";
    const target = path`/user/${user.userId}/account_data/${type}`;
    must(await user.put(target, { ignored_users }));
  }

  it("on /event, /messages, /context, /relations, /threads and both kinds of /sync alike", async () => {
    const roomId = await roomOfThree();
    const waiting = new SyncReader(carol);
    await waiting.next();
    const origin = await say(alice, roomId, "origin");
    const root = await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: "root",
      ...relatesTo("m.reference", origin),
    });
    const plain = await say(alice, roomId, "plain");
    await edit(alice, roomId, plain, "edited");
    const threaded = await reply(bob, roomId, plain);
    await edit(bob, roomId, threaded, "edited reply");
    const reference = await refer(bob, roomId, plain);
    await react(bob, roomId, plain);

    const ids = [origin, root, plain, threaded];
    const expected = await Promise.all(
      ids.map((eventId) => relationsOf(carol, roomId, eventId)),
    );
    const [, , relations] = expected;
    expect(bodyOf(relations?.["m.replace"])).to.equal("edited");
    const { latest_event: latest, ...thread } = relations!["m.thread"]!;
    expect(thread).to.deep.equal({
      count: 1,
      current_user_participated: false,
    });
    expect(latest.event_id).to.equal(threaded);
    const latestEdit = latest.unsigned["m.relations"]?.["m.replace"];
    expect(bodyOf(latestEdit)).to.equal("edited reply");
    expect(relations?.["m.reference"]).to.deep.equal({
      chunk: [{ event_id: reference }],
    });
    expect(relations).not.to.have.property("m.annotation");
    expect(expected[0]).to.deep.equal({
      "m.reference": { chunk: [{ event_id: root }] },
    });

    /** Without what differs by time, and by where the room is named. */
    const plainly = (value: unknown): unknown =>
      JSON.parse(
        JSON.stringify(value ?? {}, (key, item: unknown) =>
          key === "age" || key === "room_id" ? undefined : item,
        ),
      );
    const expectAll = (events: readonly unknown[], label: string) => {
      const byId = new Map(
        (events as Bundled[]).map((event) => [event.event_id, event]),
      );
      for (const [i, eventId] of ids.entries()) {
        const event = byId.get(eventId);
        if (!event) continue;
        const found = plainly(event.unsigned["m.relations"]);
        expect(found, `${label} ${i}`).to.deep.equal(plainly(expected[i]));
        byId.delete(eventId);
      }
    };
    const { chunk } = await getMessages(carol, roomId, { dir: "b", limit: 50 });
    expectAll(chunk, "/messages");
    const context = must<Record<string, Bundled[]>>(
      await carol.get(path`/rooms/${roomId}/context/${plain}`),
    );
    expectAll(
      [
        context["event"] as unknown,
        ...context["events_before"]!,
        ...context["events_after"]!,
      ],
      "/context",
    );
    for (const target of [
      relationsPath(roomId, origin),
      relationsPath(roomId, plain),
      threadsPath(roomId),
    ]) {
      const found = must<{ chunk: Bundled[] }>(await carol.get(target));
      expect(found.chunk).to.have.length.above(0);
      expectAll(found.chunk, target);
    }
    const timelineOf = (answer: Awaited<ReturnType<SyncReader["next"]>>) =>
      answer.rooms.join[roomId]!.timeline.events;
    const first = timelineOf(await new SyncReader(carol).next());
    expect(first.map((e) => e.event_id)).to.include.members(ids);
    expectAll(first, "the first sync");
    expectAll(timelineOf(await waiting.next()), "a later sync");
    const filter = { room: { timeline: { not_types: ["m.poll.response"] } } };
    const filtered = new SyncReader(carol, { filter });
    expectAll(timelineOf(await filtered.next()), "a filtered sync");
    const short = { room: { timeline: { limit: 7 } } };
    const limited = new SyncReader(carol, { filter: short });
    expectAll(timelineOf(await limited.next()), "a limited sync");
  });

  describe("edits", () => {
    it("stand beside the content that was there first", async () => {
      const roomId = await roomOfThree();
      const eventId = await say(alice, roomId, "first");
      await edit(alice, roomId, eventId, "second");
      await edit(alice, roomId, eventId, "third");
      const event = await eventOf(bob, roomId, eventId);
      expect(event.content["body"]).to.equal("first");
      const replacement = event.unsigned["m.relations"]?.["m.replace"];
      expect(bodyOf(replacement)).to.equal("third");
      expect(replacement).to.include.keys(
        "content",
        "event_id",
        "origin_server_ts",
        "sender",
        "type",
        "unsigned",
      );
    });

    it("are those by origin_server_ts, then by event id", async () => {
      const roomId = await roomOfThree();
      const eventId = await say(alice, roomId, "first");
      const edits = [
        await edit(alice, roomId, eventId, "a"),
        await edit(alice, roomId, eventId, "b"),
        await edit(alice, roomId, eventId, "c"),
      ];
      const { sql } = server.database;
      const latest = async () =>
        (await relationsOf(bob, roomId, eventId))["m.replace"]?.event_id;
      await sql`update events set origin_server_ts = 1000 where event_id = any(${edits})`;
      expect(await latest()).to.equal([...edits].sort().at(-1));
      await sql`update events set origin_server_ts = 1001 where event_id = ${edits[0]!}`;
      expect(await latest()).to.equal(edits[0]);
    });

    it("are none by others, of another type, of state, of edits, or without new content", async () => {
      const roomId = await roomOfThree();
      const eventId = await say(alice, roomId, "first");
      const target = relatesTo("m.replace", eventId);
      const content = { "m.new_content": { body: "wrong" }, body: "wrong" };
      await edit(bob, roomId, eventId, "by another");
      await send(alice, roomId, "m.other", { ...content, ...target });
      await setState(alice, roomId, "m.room.message", {
        ...content,
        ...target,
      });
      await send(alice, roomId, "m.room.message", { body: "bare", ...target });
      await send(alice, roomId, "m.room.message", {
        body: "odd",
        "m.new_content": "odd",
        ...target,
      });
      expect(await relationsOf(bob, roomId, eventId)).to.deep.equal({});
      const valid = await edit(alice, roomId, eventId, "valid");
      await edit(alice, roomId, valid, "an edit of an edit");
      for (let i = 0; i < 3; i += 1)
        await send(alice, roomId, "m.room.message", { body: "x", ...target });
      const found = await relationsOf(bob, roomId, eventId);
      expect(found["m.replace"]?.event_id).to.equal(valid);
      expect(await relationsOf(bob, roomId, valid)).to.deep.equal({});
      const state = await setState(alice, roomId, "m.x", { body: "state" });
      await send(alice, roomId, "m.x", {
        ...content,
        ...relatesTo("m.replace", state),
      });
      expect(await relationsOf(bob, roomId, state)).to.deep.equal({});
    });

    it("are taken as they are where they are encrypted", async () => {
      const roomId = await roomOfThree();
      const type = "m.room.encrypted";
      const eventId = await send(alice, roomId, type, { ciphertext: "x" });
      const edited = await send(alice, roomId, type, {
        ciphertext: "y",
        ...relatesTo("m.replace", eventId),
      });
      const found = await relationsOf(bob, roomId, eventId);
      expect(found["m.replace"]?.event_id).to.equal(edited);
    });

    it("give way to the one before when they are redacted, and are not shown with what was redacted", async () => {
      const roomId = await roomOfThree();
      const eventId = await say(alice, roomId, "first");
      const second = await edit(alice, roomId, eventId, "second");
      const third = await edit(alice, roomId, eventId, "third");
      must(await redact(alice, roomId, third));
      const found = await relationsOf(bob, roomId, eventId);
      expect(found["m.replace"]?.event_id).to.equal(second);
      must(await redact(alice, roomId, eventId));
      expect(await relationsOf(bob, roomId, eventId)).to.deep.equal({});
    });

    it("Tuwunel 1.9.0: give their transaction id to the device that sent them, and to no other", async () => {
      const roomId = await roomOfThree();
      const eventId = await say(alice, roomId, "first");
      await edit(alice, roomId, eventId, "second");
      const own = await relationsOf(alice, roomId, eventId);
      expect(own["m.replace"]?.unsigned.transaction_id).to.be.a("string");
      const others = await relationsOf(bob, roomId, eventId);
      expect(others["m.replace"]?.unsigned).not.to.have.property(
        "transaction_id",
      );
    });

    it("are not shown to who may not see them", async () => {
      const roomId = await makePublicRoom(alice, "joined");
      await act(bob, roomId, "join");
      const eventId = await say(alice, roomId, "first");
      const seen = await edit(alice, roomId, eventId, "second");
      await act(bob, roomId, "leave");
      const unseen = await edit(alice, roomId, eventId, "third");
      const left = await relationsOf(bob, roomId, eventId);
      expect(left["m.replace"]?.event_id).to.equal(seen);
      const found = await relationsOf(alice, roomId, eventId);
      expect(found["m.replace"]?.event_id).to.equal(unseen);
    });
  });

  describe("threads", () => {
    it("tell how many replies there are, the last of them, and who took part", async () => {
      const roomId = await roomOfThree();
      const root = await say(alice, roomId, "root");
      await reply(bob, roomId, root, "one");
      const last = await reply(bob, roomId, root, "two");
      const thread = async (user: TestUser) =>
        (await relationsOf(user, roomId, root))["m.thread"]!;
      for (const user of [alice, bob, carol]) {
        const { latest_event, count, current_user_participated } =
          await thread(user);
        expect(count).to.equal(2);
        expect(latest_event.event_id).to.equal(last);
        expect(current_user_participated).to.equal(user !== carol);
      }
    });

    it("do not count what was redacted, nor what the ignored said, nor what may not be seen", async () => {
      const roomId = await makePublicRoom(alice, "joined");
      await act(bob, roomId, "join");
      await act(carol, roomId, "join");
      const root = await say(alice, roomId, "root");
      const first = await reply(carol, roomId, root, "by carol");
      const second = await reply(alice, roomId, root, "by alice");
      const third = await reply(carol, roomId, root, "by carol again");
      const seen = async (user: TestUser) => {
        const found = (await relationsOf(user, roomId, root))["m.thread"];
        return found && [found.count, found.latest_event.event_id];
      };
      expect(await seen(bob)).to.deep.equal([3, third]);
      await ignore(bob, [carol.userId]);
      expect(await seen(bob)).to.deep.equal([1, second]);
      expect(await seen(alice)).to.deep.equal([3, third]);
      await ignore(bob, []);
      must(await redact(carol, roomId, third));
      expect(await seen(bob)).to.deep.equal([2, second]);
      must(await redact(alice, roomId, second));
      must(await redact(alice, roomId, second));
      expect(await seen(bob)).to.deep.equal([1, first]);
      await act(bob, roomId, "leave");
      await reply(carol, roomId, root, "unseen");
      expect(await seen(bob)).to.deep.equal([1, first]);
      must(await redact(carol, roomId, first));
      expect(await seen(bob)).to.equal(undefined);
      expect((await seen(alice))?.[0]).to.equal(1);
    });

    it("stay with a root that was redacted, and are not of events that relate to others", async () => {
      const roomId = await roomOfThree();
      const root = await say(alice, roomId, "root");
      const answer = await reply(bob, roomId, root);
      must(await redact(alice, roomId, root));
      const found = await relationsOf(carol, roomId, root);
      expect(found["m.thread"]?.count).to.equal(1);
      expect(await relationsOf(carol, roomId, answer)).to.deep.equal({});
    });
  });

  it("CVE-2024-6300: nothing of what was redacted is left in relations", async () => {
    const roomId = await roomOfThree();
    const root = await say(alice, roomId, "root");
    const replied = await reply(alice, roomId, root, "regretted");
    const edited = await edit(alice, roomId, root, "regretted");
    const referred = await refer(alice, roomId, root);
    for (const eventId of [replied, edited, referred])
      must(await redact(alice, roomId, eventId));
    const event = await bob.get(path`/rooms/${roomId}/event/${root}`);
    expect(event.body["unsigned"]).not.to.have.property("m.relations");
    const related = await bob.get(relationsPath(roomId, root));
    const threads = await bob.get(threadsPath(roomId));
    for (const { text } of [event, related, threads])
      expect(text).not.to.include("regretted");
  });
});
