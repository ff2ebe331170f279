import { expect } from "chai";
import { act, makeRoom, must, path, say, send } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";

interface Listed {
  actions: unknown[];
  event: { event_id: string; content: Json };
  read: boolean;
  room_id: string;
  ts: number;
}

describe("GET /notifications", () => {
  const server = useServer();

  async function people(name: string, room: Json = {}) {
    const alice = await server.user(`${name}-alice`);
    const bob = await server.user(`${name}-bob`);
    const carol = await server.user(`${name}-carol`);
    const roomId = await makeRoom(alice, { preset: "public_chat", ...room });
    for (const user of [bob, carol]) await act(user, roomId, "join");
    return { alice, bob, carol, roomId };
  }

  const list = async (user: TestUser, query = "") =>
    must<{ notifications: Listed[]; next_token?: string }>(
      await user.get(`/notifications${query}`),
    );
  const idsOf = (listed: readonly Listed[]) =>
    listed.map(({ event }) => event.event_id);

  const mention = (user: TestUser) => ({
    msgtype: "m.text",
    body: "you",
    "m.mentions": { user_ids: [user.userId] },
  });

  it("lists what notified the user, the latest first, with the actions of the rules", async () => {
    const { alice, bob, roomId } = await people("list");
    const first = await say(alice, roomId, "one");
    await say(bob, roomId, "my own");
    await send(alice, roomId, "m.room.message", {
      msgtype: "m.notice",
      body: "a notice",
    });
    const second = await send(alice, roomId, "m.room.message", mention(bob));
    const { notifications, ...others } = await list(bob);
    expect(others).to.deep.equal({});
    expect(idsOf(notifications)).to.deep.equal([second, first]);
    const [latest, before] = notifications;
    expect(latest).to.deep.include({ room_id: roomId, read: false });
    expect(latest!.actions).to.deep.equal([
      "notify",
      { set_tweak: "sound", value: "default" },
      { set_tweak: "highlight" },
    ]);
    expect(latest!.event.content).to.include({ body: "you" });
    expect(before!.actions).to.deep.equal(["notify"]);
    // Whoever speaks has read what was said before.
    expect(before!.read).to.equal(true);
    expect(latest!.ts).to.be.above(1_600_000_000_000);
  });

  it("goes on where the page before ended, over all rooms", async () => {
    const { alice, bob, roomId } = await people("pages");
    const other = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, other, "join");
    const sent: string[] = [];
    for (let i = 0; i < 7; i += 1)
      sent.unshift(await say(alice, i % 2 === 0 ? roomId : other, `m${i}`));
    const pages: string[][] = [];
    let from: string | undefined = "";
    while (from !== undefined) {
      const page = await list(bob, `?limit=3&from=${from}`);
      pages.push(idsOf(page.notifications));
      from = page.next_token;
    }
    expect(pages.flat()).to.deep.equal(sent);
    expect(pages[0]).to.have.length(3);
  });

  it("lists highlights alone where they are asked for", async () => {
    const { alice, bob, roomId } = await people("only");
    await say(alice, roomId, "plain");
    const mine = await send(alice, roomId, "m.room.message", mention(bob));
    const all = await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: "all",
      "m.mentions": { room: true },
    });
    const { notifications } = await list(bob, "?only=highlight");
    expect(idsOf(notifications)).to.deep.equal([all, mine]);
    expect((await list(bob, "?only=other")).notifications).to.have.length(3);
  });

  it("tells what was read, by receipts of the room and of its threads", async () => {
    const { alice, bob, roomId } = await people("read");
    const root = await say(alice, roomId, "root");
    const reply = await send(alice, roomId, "m.room.message", {
      msgtype: "m.text",
      body: "in the thread",
      "m.relates_to": { rel_type: "m.thread", event_id: root },
    });
    const last = await say(alice, roomId, "last");
    const read = async () =>
      Object.fromEntries(
        (await list(bob)).notifications.map((each) => [
          each.event.event_id,
          each.read,
        ]),
      );
    const receipt = (eventId: string, body: Json) =>
      bob.post(path`/rooms/${roomId}/receipt/m.read/${eventId}`, body);
    must(await receipt(last, { thread_id: "main" }));
    expect(await read()).to.deep.equal({
      [root]: true,
      [reply]: false,
      [last]: true,
    });
    must(await receipt(reply, { thread_id: root }));
    expect(await read()).to.deep.equal({
      [root]: true,
      [reply]: true,
      [last]: true,
    });
  });

  it("shows nothing of rooms that were left, of the ignored, or of what was redacted", async () => {
    const { alice, bob, carol, roomId } = await people("hidden");
    const other = await makeRoom(alice, { preset: "public_chat" });
    await act(bob, other, "join");
    await say(alice, other, "elsewhere");
    await act(bob, other, "leave");
    await send(carol, roomId, "m.room.message", mention(bob));
    const gone = await send(alice, roomId, "m.room.message", mention(bob));
    must(await alice.put(path`/rooms/${roomId}/redact/${gone}/t`, {}));
    must(
      await bob.put(
        path`/user/${bob.userId}/account_data/m.ignored_user_list`,
        {
          ignored_users: { [carol.userId]: {} },
        },
      ),
    );
    const kept = await say(alice, roomId, "kept");
    expect(idsOf((await list(bob)).notifications)).to.deep.equal([kept]);
  });

  it("shows nothing of before the user came, whatever the room's history is", async () => {
    const { alice, roomId } = await people("joined");
    await say(alice, roomId, "before");
    const dave = await server.user("joined-dave");
    await act(dave, roomId, "join");
    const after = await say(alice, roomId, "after");
    expect(idsOf((await list(dave)).notifications)).to.deep.equal([after]);
  });

  it("follows the rows of those whose rules are their own", async () => {
    const { alice, bob, roomId } = await people("rows");
    await say(alice, roomId, "before");
    must(
      await bob.put("/pushrules/global/override/topics", {
        conditions: [
          { kind: "event_match", key: "type", pattern: "m.room.topic" },
        ],
        actions: ["notify", { set_tweak: "highlight" }],
      }),
    );
    must(
      await alice.put(path`/rooms/${roomId}/state/m.room.topic/${""}`, {
        topic: "news",
      }),
    );
    await say(alice, roomId, "after");
    const { notifications } = await list(bob);
    expect(notifications).to.have.length(3);
    expect(notifications[1]!.actions).to.deep.equal([
      "notify",
      { set_tweak: "highlight" },
    ]);
    const highlights = await list(bob, "?only=highlight");
    expect(highlights.notifications).to.have.length(1);
  });

  it("looks through a room of many notices without end, a page at a time", async () => {
    const { alice, bob, roomId } = await people("deep");
    const first = await say(alice, roomId, "the only one");
    const { sql } = server.database;
    await sql`
      insert into events (nid, room_nid, position, depth, arrival, origin_server_ts, received_ts, room_count,
        thread_count, event_id, type, sender, skeleton)
      select nid * 10000 + n, room_nid, position + n, depth + n, arrival + n, 1, 1, room_count,
        thread_count, '$notice' || n, 'm.room.message', '@bot:test', skeleton
      from events, generate_series(1, 4500) n where event_id = ${first}`;
    const pages: number[] = [];
    let from: string | undefined = "";
    while (from !== undefined) {
      const page = await list(bob, `?from=${from}`);
      pages.push(page.notifications.length);
      from = page.next_token;
    }
    expect(pages).to.deep.equal([0, 0, 1]);
  });

  it("refuses what is no token or no limit", async () => {
    const { bob } = await people("refused");
    for (const query of ["?from=x", "?from=-1", "?limit=-1", "?limit=x"])
      expect((await bob.get(`/notifications${query}`)).status).to.equal(400);
    expect((await list(bob, "?limit=0")).notifications).to.deep.equal([]);
  });
});
