import { expect } from "chai";
import { path } from "../harness/client.ts";
import { at, isObject, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
import { nextBatch, publicRoom } from "../harness/rooms.ts";
import { ephemeral, findEvent, hasEvent, timeline } from "../harness/sync.ts";
import type { Server } from "../harness/server.ts";
import type { User } from "../harness/user.ts";

const THREADS = { room: { timeline: { unread_thread_notifications: true } } };

/** Notifications and highlights. */
type Count = [notifications: number, highlights: number];

const countAt = (
  sync: JsonObject,
  roomId: string,
  ...key: string[]
): unknown[] => {
  const found = at(sync, "rooms", "join", roomId, ...key);
  return [at(found, "notification_count"), at(found, "highlight_count")];
};

/** Waits until a sync since a fixed point tells these counts: of the whole room, and of its main timeline and one thread. */
async function expectCounts(
  user: User,
  at_: { roomId: string; threadId: string; since: string },
  expected: { room: Count; main: Count; thread: Count },
): Promise<void> {
  const { roomId, threadId, since } = at_;
  const same = (found: unknown[], wanted: Count) =>
    found.every((value, index) => (value ?? 0) === wanted[index]);
  await user.syncUntil(
    (sync) =>
      at(sync, "rooms", "join", roomId, "unread_thread_notifications") ===
        undefined &&
      same(countAt(sync, roomId, "unread_notifications"), expected.room),
    { since },
  );
  const threads = "unread_thread_notifications";
  await user.syncUntil(
    (sync) =>
      same(countAt(sync, roomId, "unread_notifications"), expected.main) &&
      same(countAt(sync, roomId, threads, threadId), expected.thread),
    { since, filter: THREADS },
  );
}

/** Rules that subscriptions to threads bring along where a server has them (MSC4306): they count otherwise. */
async function disableThreadRules(user: User): Promise<void> {
  for (const name of ["subscribed_thread", "unsubscribed_thread"]) {
    const target = `/pushrules/global/postcontent/.io.element.msc4306.rule.${name}`;
    if ((await user.get(target)).status === 200)
      await user.mustPut(`${target}/enabled`, { enabled: false });
  }
}

const receiptTarget = (roomId: string, eventId: string): string =>
  path`/rooms/${roomId}/receipt/m.read/${eventId}`;

const receiptOf = (
  sync: JsonObject,
  roomId: string,
  eventId: string,
  user: User,
): unknown =>
  at(
    findEvent(ephemeral(sync, roomId), "m.receipt"),
    ...["content", eventId, "m.read", user.userId],
  );

row("csapi", "TestThreadedReceipts", "", async (server) => {
  const [alice, bob] = await Promise.all([
    server.user("alice"),
    server.user("bob"),
  ]);
  const roomId = await alice.createRoom({ preset: "public_chat" });
  await bob.join(roomId);
  await disableThreadRules(bob);
  const since = await bob.syncToken();
  const mention = { "m.mentions": { user_ids: [bob.userId] } };
  const say = (body: string, more: JsonObject = {}) =>
    alice.send(roomId, "m.room.message", { msgtype: "m.text", body, ...more });
  const related = (rel_type: string, event_id: string) => ({
    "m.relates_to": { rel_type, event_id },
  });

  // Three messages in a thread (one of them a mention), three in the main timeline (one of them a mention).
  const root = await say("root");
  const inThread = related("m.thread", root);
  const first = await say("thread starts", inThread);
  await say("thread mentions", { ...inThread, ...mention });
  const mainMention = await say("main mentions", mention);
  const last = await say("thread ends", inThread);
  const reference = await say("reference", related("m.reference", root));
  const reaction = await alice.send(roomId, "m.reaction", {
    "m.relates_to": {
      rel_type: "m.annotation",
      event_id: reference,
      key: "+",
    },
  });

  const place = { roomId, threadId: root, since };
  const read = async (eventId: string, body: JsonObject) => {
    await bob.mustPost(receiptTarget(roomId, eventId), body);
    await bob.syncUntil(
      (sync) => {
        const receipt = receiptOf(sync, roomId, eventId, bob);
        return isObject(receipt) && receipt["thread_id"] === body["thread_id"];
      },
      { since },
    );
  };

  await expectCounts(bob, place, {
    room: [6, 2],
    main: [3, 1],
    thread: [3, 1],
  });

  await read(root, { thread_id: "main" });
  await expectCounts(bob, place, {
    room: [5, 2],
    main: [2, 1],
    thread: [3, 1],
  });

  await read(first, { thread_id: root });
  await expectCounts(bob, place, {
    room: [4, 2],
    main: [2, 1],
    thread: [2, 1],
  });

  // A receipt without a thread reads everything up to its event, in every thread.
  await read(mainMention, {});
  await expectCounts(bob, place, {
    room: [2, 0],
    main: [1, 0],
    thread: [1, 0],
  });

  await read(last, { thread_id: root });
  await expectCounts(bob, place, {
    room: [1, 0],
    main: [1, 0],
    thread: [0, 0],
  });

  // What leads up to the root by other relations may be read in the thread, which leaves the main timeline as it is.
  await read(reaction, { thread_id: root });
  await expectCounts(bob, place, {
    room: [1, 0],
    main: [1, 0],
    thread: [0, 0],
  });

  await read(reference, { thread_id: "main" });
  await expectCounts(bob, place, {
    room: [0, 0],
    main: [0, 0],
    thread: [0, 0],
  });
});

/** Alice and Bob in a room of hers, in which she has replied in a thread. */
async function withReply(server: Server) {
  const [alice, bob] = [await server.user("alice"), await server.user("bob")];
  const roomId = await publicRoom(alice);
  await bob.join(roomId);
  const root = await alice.sendText(roomId, "root");
  const reply = await alice.send(roomId, "m.room.message", {
    msgtype: "m.text",
    body: "reply",
    "m.relates_to": { rel_type: "m.thread", event_id: root },
  });
  const read = (body: JsonObject) =>
    alice.mustPost(receiptTarget(roomId, reply), body);
  const shown = (sync: JsonObject) => receiptOf(sync, roomId, reply, alice);
  return { alice, bob, roomId, root, read, shown };
}

row("csapi", "TestThreadReceiptsInSyncMSC4102", "", async (server) => {
  const { alice, bob, root, read, shown } = await withReply(server);
  await read({});
  await read({ thread_id: root });
  for (const user of [alice, bob]) {
    const receipt = shown(
      await user.syncUntil((sync) => isObject(shown(sync))),
    );
    expect(receipt).to.not.have.property("thread_id");
  }
});

row(
  "myelin",
  "receipts",
  "of the whole room stay, though one of a thread comes in a later sync",
  async (server) => {
    const { alice, bob, roomId, root, read, shown } = await withReply(server);
    await read({});
    const users = [alice, bob];
    const seen: string[] = [];
    for (const user of users)
      seen.push(
        nextBatch(await user.syncUntil((sync) => isObject(shown(sync)))),
      );
    await read({ thread_id: root });
    const marker = await alice.sendText(roomId, "marker");
    for (const [index, user] of users.entries()) {
      await user.syncUntil(
        (sync) => {
          expect(at(shown(sync), "thread_id")).to.equal(undefined);
          return hasEvent(timeline(sync, roomId), marker);
        },
        { since: seen[index] },
      );
      const whole = shown(await user.sync());
      expect(isObject(whole)).to.equal(true);
      expect(whole).to.not.have.property("thread_id");
    }
  },
);
