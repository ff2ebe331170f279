import { expect } from "chai";
import type { Requester } from "../../../src/domain/accounts/requester.ts";
import { setReceipts } from "../../../src/domain/rooms/receipts.ts";
import type { Edges } from "../../../src/edges.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

type Ephemeral = { events: { type: string; content: object }[] };
interface Room {
  ephemeral: Ephemeral;
  account_data: Ephemeral;
  unread_notifications: { notification_count: number };
}

describe("receipts and read markers", () => {
  const server = useServer();
  let txn = 0;

  async function setUp(name: string) {
    const alice = await server.user(`${name}-alice`);
    const bob = await server.user(`${name}-bob`);
    const { body } = await alice.post("/createRoom", {
      preset: "public_chat",
    });
    const roomId = String(body["room_id"]);
    await bob.post(`/rooms/${roomId}/join`);
    const say = async (user: TestUser, content: object = {}) => {
      const path = `/rooms/${roomId}/send/m.room.message/${txn++}`;
      const text = { msgtype: "m.text", body: "hello", ...content };
      return String((await user.put(path, text)).body["event_id"]);
    };
    const read = (
      user: TestUser,
      eventId: string,
      type = "m.read",
      more: object = {},
    ) => user.post(`/rooms/${roomId}/receipt/${type}/${eventId}`, more);
    return { alice, bob, roomId, say, read };
  }

  async function roomOf(user: TestUser, roomId: string, query = "") {
    const { body } = await user.get(`/sync${query}`);
    const { join } = body["rooms"] as { join: Record<string, Room> };
    return { room: join[roomId], since: String(body["next_batch"]) };
  }

  const receiptsIn = (room: Room | undefined) =>
    room?.ephemeral.events.find(({ type }) => type === "m.receipt")?.content;

  it("refuse whoever has not joined, and rooms that are not there", async () => {
    const { alice, bob, roomId, say, read } = await setUp("outside");
    const eventId = await say(alice);
    const carol = await server.user("outside-carol");
    expect((await read(carol, eventId)).status).to.equal(403);
    await bob.post(`/rooms/${roomId}/leave`);
    expect((await read(bob, eventId)).status).to.equal(403);
    const markers = { "m.read": eventId, "m.fully_read": eventId };
    const path = `/rooms/${roomId}/read_markers`;
    expect((await bob.post(path, markers)).status).to.equal(403);
    const gone = await alice.post(
      `/rooms/!none:test/receipt/m.read/${eventId}`,
    );
    expect(gone.status).to.equal(403);
    expect(receiptsIn((await roomOf(alice, roomId)).room)).to.equal(undefined);
  });

  it("know no event that is unknown, elsewhere or not to be seen", async () => {
    const { alice, bob, roomId, say, read } = await setUp("unseen");
    const other = await setUp("elsewhere");
    const elsewhere = await other.say(other.alice);
    await alice.put(`/rooms/${roomId}/state/m.room.history_visibility`, {
      history_visibility: "joined",
    });
    await bob.post(`/rooms/${roomId}/leave`);
    const hidden = await say(alice);
    await bob.post(`/rooms/${roomId}/join`);
    for (const eventId of ["$unknown", elsewhere, hidden]) {
      const { status, body } = await read(bob, eventId);
      expect([status, body["errcode"]]).to.deep.equal([404, "M_NOT_FOUND"]);
    }
  });

  it("refuse threads that the event is not in", async () => {
    const { alice, say, read } = await setUp("threads");
    const root = await say(alice);
    const relation = { rel_type: "m.thread", event_id: root };
    const inThread = await say(alice, { "m.relates_to": relation });
    const other = await say(alice);
    const cases: [string, unknown, number][] = [
      [inThread, root, 200],
      [inThread, "main", 400],
      [root, "main", 200],
      [root, root, 200],
      [other, root, 400],
      [other, "main", 200],
      [other, "", 400],
      [other, 7, 400],
      [other, null, 400],
    ];
    for (const [eventId, thread_id, expected] of cases) {
      const { status } = await read(alice, eventId, "m.read", { thread_id });
      expect(status, `${eventId} ${String(thread_id)}`).to.equal(expected);
    }
    const marker = await read(alice, root, "m.fully_read", {
      thread_id: "main",
    });
    expect(marker.status).to.equal(400);
    expect((await read(alice, root, "m.unknown")).status).to.equal(400);
  });

  it("count what relates to a thread's root to the main timeline or, where asked to, to the thread", async () => {
    const { alice, say, read } = await setUp("around-root");
    const related = (event_id: string, rel_type: string) => ({
      "m.relates_to": { rel_type, event_id },
    });
    const root = await say(alice);
    await say(alice, related(root, "m.thread"));
    const reference = await say(alice, related(root, "m.reference"));
    const indirect = await say(alice, related(reference, "m.annotation"));
    const stranger = await say(alice, related(await say(alice), "m.reference"));
    for (const [eventId, thread_id, expected] of [
      [reference, root, 200],
      [indirect, root, 200],
      [indirect, "main", 200],
      [stranger, root, 400],
    ] as const) {
      const { status } = await read(alice, eventId, "m.read", { thread_id });
      expect(status, `${eventId} ${thread_id}`).to.equal(expected);
    }
  });

  for (const isThreadFirst of [false, true]) {
    const name = isThreadFirst ? "before" : "after";
    it(`of a thread, set ${name} it, give way to one of the whole room at the same event`, async () => {
      const { alice, bob, roomId, say, read } = await setUp(`clash-${name}`);
      const root = await say(alice);
      const relation = { rel_type: "m.thread", event_id: root };
      const reply = await say(alice, { "m.relates_to": relation });
      const kinds = [{}, { thread_id: root }];
      const [first, second] = isThreadFirst ? kinds.toReversed() : kinds;
      await read(bob, reply, "m.read", first);
      const { since } = await roomOf(alice, roomId);
      await read(bob, reply, "m.read", second);
      await say(alice);
      const shown = async (query?: string) => {
        const { room } = await roomOf(alice, roomId, query);
        const receipts = receiptsIn(room) as
          Record<string, { "m.read": Record<string, object> }> | undefined;
        return receipts?.[reply]?.["m.read"][bob.userId];
      };
      expect(await shown()).to.have.all.keys("ts");
      const news = await shown(`?since=${since}`);
      if (isThreadFirst) expect(news).to.have.all.keys("ts");
      else expect(news).to.equal(undefined);
    });
  }

  it("never go back", async () => {
    const { alice, bob, roomId, say, read } = await setUp("back");
    const first = await say(alice);
    const second = await say(alice);
    await read(bob, second);
    await read(bob, first);
    const { room } = await roomOf(alice, roomId);
    expect(receiptsIn(room)).to.have.all.keys(second);
    const marker = async () =>
      (await roomOf(bob, roomId)).room?.account_data.events.find(
        ({ type }) => type === "m.fully_read",
      )?.content;
    await read(bob, second, "m.fully_read");
    await read(bob, first, "m.fully_read");
    expect(await marker()).to.deep.equal({ event_id: second });
  });

  it("that are private reach nobody else, in sync and waiting", async () => {
    const { alice, bob, roomId, say, read } = await setUp("private");
    const eventId = await say(alice);
    const { since } = await roomOf(alice, roomId);
    const own = await roomOf(bob, roomId);
    await read(bob, eventId, "m.read.private");
    const after = await roomOf(alice, roomId, `?since=${since}`);
    expect(after.room).to.equal(undefined);
    const { room } = await roomOf(bob, roomId, `?since=${own.since}`);
    expect(receiptsIn(room)).to.have.all.keys(eventId);
    expect(room?.unread_notifications.notification_count).to.equal(0);
  });

  it("tell the reader the new count even where a filter hides receipts", async () => {
    const { alice, bob, roomId, say, read } = await setUp("filtered");
    const eventId = await say(alice);
    const { since } = await roomOf(bob, roomId);
    await read(bob, eventId);
    const filter = JSON.stringify({ room: { ephemeral: { types: [] } } });
    const query = `?since=${since}&filter=${encodeURIComponent(filter)}`;
    const { room } = await roomOf(bob, roomId, query);
    expect(room?.unread_notifications.notification_count).to.equal(0);
  });

  it("are set together by read_markers, each being optional", async () => {
    const { alice, bob, roomId, say } = await setUp("together");
    const eventId = await say(alice);
    const path = `/rooms/${roomId}/read_markers`;
    expect((await bob.post(path, {})).status).to.equal(200);
    await bob.post(path, {
      "m.fully_read": eventId,
      "m.read": eventId,
      "m.read.private": eventId,
    });
    const { room } = await roomOf(bob, roomId);
    const receipts = receiptsIn(room) as Record<string, object> | undefined;
    expect(receipts?.[eventId]).to.have.all.keys("m.read", "m.read.private");
    const odd = await bob.post(path, { "m.read": 7 });
    expect(odd.status).to.equal(400);
  });

  for (const { it: name, isFirst } of [
    { it: "the first there is", isFirst: true },
    { it: "one that moves another", isFirst: false },
  ]) {
    it(`keep the newer of two read markers that are set at once, ${name}`, async () => {
      const { alice, roomId, say, read } = await setUp(`at-once-${isFirst}`);
      const before = await say(alice);
      const older = await say(alice);
      const newer = await say(alice);
      if (!isFirst) await read(alice, before, "m.fully_read");
      const { committer } = server.edges;
      let isOvertaken = false;
      const overtaken: Edges = {
        ...server.edges,
        committer: {
          commit: async (write) => {
            if (!isOvertaken) {
              isOvertaken = true;
              await read(alice, newer, "m.fully_read");
            }
            return committer.commit(write);
          },
        },
      };
      const { userId } = alice;
      await setReceipts(overtaken, { userId } as Requester, roomId, [
        { type: "m.fully_read", eventId: older },
        { type: "m.read", eventId: older },
      ]);
      const { room } = await roomOf(alice, roomId);
      const marker = room?.account_data.events.find(
        ({ type }) => type === "m.fully_read",
      );
      expect(marker?.content).to.deep.equal({ event_id: newer });
      expect(receiptsIn(room)).to.have.property(older);
    });
  }
});
