import { path } from "../harness/client.ts";
import { at, type JsonObject } from "../harness/json.ts";
import { row } from "../harness/registry.ts";
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

row("csapi", "TestThreadedReceipts", "", async (server) => {
  const [alice, bob] = await Promise.all([
    server.user("alice"),
    server.user("bob"),
  ]);
  const roomId = await alice.createRoom({ preset: "public_chat" });
  await bob.join(roomId);
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
  const read = (eventId: string, body: JsonObject) =>
    bob.mustPost(path`/rooms/${roomId}/receipt/m.read/${eventId}`, body);

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

  await read(reaction, { thread_id: "main" });
  await expectCounts(bob, place, {
    room: [0, 0],
    main: [0, 0],
    thread: [0, 0],
  });
});
