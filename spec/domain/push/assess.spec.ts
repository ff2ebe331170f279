import { expect } from "chai";
import { findRoomIdentity } from "../../../src/domain/rooms/room-identity.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

const HIGHLIGHT = { set_tweak: "highlight" };

describe("assessEvents", () => {
  const server = useServer();
  let txn = 0;

  async function roomOf(name: string, count: number) {
    const users: TestUser[] = [];
    for (let i = 0; i < count; i++)
      users.push(await server.user(`${name}${i}`));
    const { body } = await users[0]!.post("/createRoom", {
      preset: "public_chat",
    });
    const roomId = String(body["room_id"]);
    for (const user of users.slice(1)) await user.post(`/rooms/${roomId}/join`);
    const identity = await findRoomIdentity(server.edges, roomId);
    return { users, roomId, roomNid: identity!.roomNid };
  }

  async function say(user: TestUser, roomId: string, content: object) {
    const path = `/rooms/${roomId}/send/m.room.message/${txn++}`;
    const text = { msgtype: "m.text", body: "hello" };
    const { body } = await user.put(path, { ...text, ...content });
    return String(body["event_id"]);
  }

  const rowsOf = (eventId: string) =>
    server.database.sql<
      { userId: string; isHighlight: boolean; isCounted: boolean }[]
    >`
      select user_id, is_highlight, is_counted from notifications
      where nid = (select nid from events where event_id = ${eventId}) order by user_id`;

  async function countsOf(user: TestUser, roomId: string) {
    const { body } = await user.get("/sync");
    type Sync = { rooms: { join: Record<string, Record<string, object>> } };
    const { join } = (body as unknown as Sync).rooms;
    return join[roomId]?.["unread_notifications"];
  }

  it("writes no row for a plain message, whoever is in the room", async () => {
    const { users, roomId } = await roomOf("plain", 4);
    expect(await rowsOf(await say(users[0]!, roomId, {}))).to.be.empty;
  });

  it("writes one row for all where everybody is mentioned", async () => {
    const { users, roomId } = await roomOf("all", 4);
    const mentions = { room: true, user_ids: [users[1]!.userId] };
    const eventId = await say(users[0]!, roomId, { "m.mentions": mentions });
    expect(await rowsOf(eventId)).to.deep.equal([
      { userId: "", isHighlight: true, isCounted: true },
      { userId: users[1]!.userId, isHighlight: true, isCounted: true },
    ]);
    const once = { notification_count: 1, highlight_count: 1 };
    expect(await countsOf(users[1]!, roomId)).to.deep.equal(once);
    expect(await countsOf(users[2]!, roomId)).to.deep.equal(once);
  });

  it("mentions nobody who has not joined, and nobody elsewhere", async () => {
    const { users, roomId } = await roomOf("gone", 3);
    await users[1]!.post(`/rooms/${roomId}/leave`);
    const outsider = await server.user("outsider");
    const user_ids = [
      users[1]!.userId,
      outsider.userId,
      "@far:away",
      users[0]!.userId,
    ];
    const content = { "m.mentions": { user_ids } };
    expect(await rowsOf(await say(users[0]!, roomId, content))).to.be.empty;
  });

  it("ignores mentions of another form", async () => {
    const { users, roomId } = await roomOf("odd", 2);
    for (const user_ids of ["@a:test", [7, null, ["x"], "\0:test"], {}]) {
      const content = { "m.mentions": { user_ids } };
      expect(await rowsOf(await say(users[0]!, roomId, content))).to.be.empty;
    }
  });

  it("takes the most important of the keywords that match", async () => {
    const { users, roomId } = await roomOf("rank", 3);
    const [alice, bob] = users as [TestUser, TestUser, TestUser];
    const add = (pattern: string, actions: unknown[]) =>
      bob.put(`/pushrules/global/content/${pattern}`, { pattern, actions });
    await add("cake", ["notify", { set_tweak: "highlight" }]);
    await add("some", ["notify"]);
    const body = "some cake";
    expect(await rowsOf(await say(alice, roomId, { body }))).to.be.empty;
    await bob.put("/pushrules/global/content/cake?before=some", {
      pattern: "cake",
      actions: ["notify", { set_tweak: "highlight" }],
    });
    expect(await rowsOf(await say(alice, roomId, { body }))).to.deep.equal([
      { userId: bob.userId, isHighlight: true, isCounted: true },
    ]);
    expect(await countsOf(bob, roomId)).to.deep.equal({
      notification_count: 2,
      highlight_count: 1,
    });
  });

  it("leaves other rooms to the running count where one room is muted", async () => {
    const { users, roomId } = await roomOf("mute", 2);
    const [alice, bob] = users as [TestUser, TestUser];
    const other = await alice.post("/createRoom", { preset: "public_chat" });
    const otherId = String(other.body["room_id"]);
    await bob.post(`/rooms/${otherId}/join`);
    await bob.put(`/pushrules/global/room/${roomId}`, { actions: [] });
    await say(alice, roomId, {});
    expect(await rowsOf(await say(alice, otherId, {}))).to.be.empty;
    const count = (notification_count: number) => ({
      notification_count,
      highlight_count: 0,
    });
    expect(await countsOf(bob, roomId)).to.deep.equal(count(0));
    expect(await countsOf(bob, otherId)).to.deep.equal(count(1));
  });

  it("takes the row of an event away with its content", async () => {
    const { users, roomId } = await roomOf("redact", 2);
    const [alice, bob] = users as [TestUser, TestUser];
    const content = { "m.mentions": { user_ids: [bob.userId] } };
    const eventId = await say(alice, roomId, content);
    expect(await rowsOf(eventId)).to.have.lengthOf(1);
    await alice.put(`/rooms/${roomId}/redact/${eventId}/${txn++}`, {});
    expect(await rowsOf(eventId)).to.be.empty;
    expect(await countsOf(bob, roomId)).to.deep.equal({
      notification_count: 0,
      highlight_count: 0,
    });
  });

  it("judges by rules that another process took, whether or not it has heard of them", async () => {
    const { users, roomId } = await roomOf("unheard", 2);
    const [alice, bob] = users as [TestUser, TestUser];
    const other = await server.startProcess();
    const there = { ...alice, ...other.as(alice) };
    await say(there, roomId, {});
    for (const word of ["apple", "pear", "plum", "fig", "lemon"]) {
      await server.database.sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like 'listen%'`;
      const rule = { pattern: word, actions: ["notify", HIGHLIGHT] };
      await bob.put(`/pushrules/global/content/${word}`, rule);
      expect(
        await rowsOf(await say(there, roomId, { body: word })),
      ).to.deep.equal([
        { userId: bob.userId, isHighlight: true, isCounted: true },
      ]);
      await bob.delete(`/pushrules/global/content/${word}`);
      expect(await rowsOf(await say(there, roomId, { body: word }))).to.be
        .empty;
    }
  });
});
