import { expect } from "chai";
import { expectError, path } from "../harness/client.ts";
import { at, list, type JsonObject } from "../harness/json.ts";
import { ownRows } from "../harness/own-rows.ts";
import {
  bringIn,
  getEvent,
  getMessages,
  idsOf,
  publicRoom,
} from "../harness/rooms.ts";
import { timeline } from "../harness/sync.ts";
import type { User } from "../harness/user.ts";

const relations = ownRows("relations");

const V1 = "/_matrix/client/v1";

const textOf = (body: string): JsonObject => ({ msgtype: "m.text", body });

const related = (
  rel_type: string,
  event_id: string,
  more: JsonObject = {},
) => ({
  "m.relates_to": { rel_type, event_id, ...more },
});

const say = (user: User, roomId: string, body: string, more: JsonObject = {}) =>
  user.send(roomId, "m.room.message", { ...textOf(body), ...more });

const edit = (user: User, roomId: string, eventId: string, body: string) =>
  say(user, roomId, `* ${body}`, {
    "m.new_content": textOf(body),
    ...related("m.replace", eventId),
  });

const reply = (user: User, roomId: string, root: string, body: string) =>
  say(user, roomId, body, related("m.thread", root));

const redact = (user: User, roomId: string, eventId: string) =>
  user.mustPut(path`/rooms/${roomId}/redact/${eventId}/${user.nextTxn()}`);

const bundled = (event: unknown, relType: string): unknown =>
  at(event, "unsigned", "m.relations", relType);

const bundleOf = async (
  user: User,
  roomId: string,
  eventId: string,
  relType: string,
): Promise<unknown> =>
  bundled((await getEvent(user, roomId, eventId)).body, relType);

relations("the newest edit is shown with its event", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const eventId = await say(alice, roomId, "first");
  await edit(alice, roomId, eventId, "second");
  const last = await edit(alice, roomId, eventId, "third");
  const { body } = await getEvent(alice, roomId, eventId);
  const shown = bundled(body, "m.replace");
  expect(at(shown, "event_id")).to.equal(last);
  expect(at(shown, "content", "m.new_content", "body")).to.equal("third");
  expect(at(body, "content", "body")).to.equal("first");
});

relations("nobody edits what another said", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const eventId = await say(alice, roomId, "hers");
  const target = path`/rooms/${roomId}/send/m.room.message/${bob.nextTxn()}`;
  await bob.put(target, {
    ...textOf("* his"),
    "m.new_content": textOf("his"),
    ...related("m.replace", eventId),
  });
  const shown = await bundleOf(alice, roomId, eventId, "m.replace");
  expect(shown).to.equal(undefined);
});

relations("a redacted edit is undone", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const eventId = await say(alice, roomId, "first");
  const first = await edit(alice, roomId, eventId, "second");
  await redact(alice, roomId, await edit(alice, roomId, eventId, "third"));
  const shown = await alice.until(
    () => bundleOf(alice, roomId, eventId, "m.replace"),
    (found) => at(found, "event_id") === first,
  );
  expect(at(shown, "event_id")).to.equal(first);
});

relations(
  "a thread's root tells how many replied, who last, and whether oneself did",
  async ({ server, alice, bob }) => {
    const roomId = await publicRoom(alice);
    const carol = await server.user("carol");
    for (const user of [bob, carol]) await user.join(roomId);
    const root = await say(alice, roomId, "root");
    await reply(alice, roomId, root, "one");
    const last = await reply(bob, roomId, root, "two");
    for (const [user, isIn] of [
      [alice, true],
      [bob, true],
      [carol, false],
    ] as const) {
      const summary = await bundleOf(user, roomId, root, "m.thread");
      expect(summary).to.include({ count: 2, current_user_participated: isIn });
      expect(at(summary, "latest_event", "event_id")).to.equal(last);
    }
  },
);

relations("a redacted reply leaves its thread", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const root = await say(alice, roomId, "root");
  const first = await reply(alice, roomId, root, "one");
  await redact(alice, roomId, await reply(alice, roomId, root, "two"));
  const summary = await alice.until(
    () => bundleOf(alice, roomId, root, "m.thread"),
    (found) => at(found, "count") === 1,
  );
  expect(at(summary, "count")).to.equal(1);
  expect(at(summary, "latest_event", "event_id")).to.equal(first);
});

relations("references are listed with their event", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const eventId = await say(alice, roomId, "referred to");
  const ids = [
    await say(alice, roomId, "one", related("m.reference", eventId)),
    await say(alice, roomId, "two", related("m.reference", eventId)),
  ];
  const shown = await bundleOf(alice, roomId, eventId, "m.reference");
  expect(idsOf(list(shown, "chunk"))).to.have.members(ids);
});

relations(
  "what relates is shown wherever events are served",
  async ({ alice }) => {
    const roomId = await alice.createRoom();
    const eventId = await say(alice, roomId, "first");
    const change = await edit(alice, roomId, eventId, "second");
    const root = await say(alice, roomId, "root");
    const relating = await say(
      alice,
      roomId,
      "relating",
      related("m.reference", root),
    );
    const answer = await edit(alice, roomId, relating, "relating, edited");
    const context = await alice.mustGet(
      path`/rooms/${roomId}/context/${eventId}`,
      { limit: 0 },
    );
    const target = `${V1}${path`/rooms/${roomId}/relations/${root}`}`;
    const ofRoot = list(await alice.mustGet(target), "chunk");
    const messages = await getMessages(alice, roomId, { dir: "b", limit: 50 });
    const find = (events: JsonObject[], id: string) =>
      events.find((event) => event["event_id"] === id);
    const shown = {
      "/sync": [find(timeline(await alice.sync(), roomId), eventId), change],
      "/messages": [find(list(messages, "chunk"), eventId), change],
      "/context": [at(context, "event"), change],
      "/relations": [find(ofRoot, relating), answer],
    } as const;
    for (const [where, [event, expected]] of Object.entries(shown))
      expect(at(bundled(event, "m.replace"), "event_id"), where).to.equal(
        expected,
      );
  },
);

relations("the same reaction is taken once", async ({ alice, bob }) => {
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const eventId = await say(alice, roomId, "like me");
  const content = related("m.annotation", eventId, { key: "+" });
  const react = (user: User, body: JsonObject = content) =>
    user.put(path`/rooms/${roomId}/send/m.reaction/${user.nextTxn()}`, body);
  expect((await react(alice)).status).to.equal(200);
  expectError(await react(alice), 400, "M_DUPLICATE_ANNOTATION");
  expect((await react(bob)).status).to.equal(200);
  const other = related("m.annotation", eventId, { key: "-" });
  expect((await react(alice, other)).status).to.equal(200);
});

relations("no thread starts at what relates already", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const root = await say(alice, roomId, "root");
  const inThread = await reply(alice, roomId, root, "reply");
  const target = path`/rooms/${roomId}/send/m.room.message/${alice.nextTxn()}`;
  const nested = { ...textOf("nested"), ...related("m.thread", inThread) };
  expectError(await alice.put(target, nested), 400);
});

relations("recurse goes on from what relates", async ({ alice }) => {
  const roomId = await alice.createRoom();
  const root = await say(alice, roomId, "root");
  const inThread = await reply(alice, roomId, root, "reply");
  const change = await edit(alice, roomId, inThread, "edited");
  const target = `${V1}${path`/rooms/${roomId}/relations/${root}`}`;
  const ids = async (query: { recurse?: boolean }) =>
    idsOf(list(await alice.mustGet(target, query), "chunk"));
  expect(await ids({})).to.deep.equal([inThread]);
  expect(await ids({ recurse: true })).to.have.members([inThread, change]);
});

relations(
  "threads are listed, or those one took part in",
  async ({ alice, bob }) => {
    const roomId = await publicRoom(alice);
    await bob.join(roomId);
    const hers = await say(alice, roomId, "hers");
    const theirs = await say(alice, roomId, "theirs");
    await reply(alice, roomId, hers, "alone");
    await reply(bob, roomId, theirs, "together");
    const target = `${V1}${path`/rooms/${roomId}/threads`}`;
    const ids = async (include: string) =>
      idsOf(list(await bob.mustGet(target, { include }), "chunk"));
    expect(await ids("all")).to.deep.equal([theirs, hers]);
    expect(await ids("participated")).to.deep.equal([theirs]);
  },
);

relations("are not for strangers", async ({ alice, bob }) => {
  const roomId = await alice.createRoom();
  const eventId = await say(alice, roomId, "private");
  const target = `${V1}${path`/rooms/${roomId}/relations/${eventId}`}`;
  expect((await bob.get(target)).status).to.be.oneOf([403, 404]);
  const threads = `${V1}${path`/rooms/${roomId}/threads`}`;
  expectError(await bob.get(threads), 403, "M_FORBIDDEN");
  await bringIn(alice, roomId, bob);
  const unknown = `${V1}${path`/rooms/${roomId}/relations/${"$unknown"}`}`;
  expectError(await bob.get(unknown), 404, "M_NOT_FOUND");
});
