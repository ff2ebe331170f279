import { expect } from "chai";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

describe("PUT /rooms/{roomId}/typing/{userId}", () => {
  const server = useServer();

  async function setUp(name: string) {
    const alice = await server.user(`${name}-alice`);
    const bob = await server.user(`${name}-bob`);
    const { body } = await alice.post("/createRoom", {
      preset: "public_chat",
    });
    const roomId = String(body["room_id"]);
    await bob.post(`/rooms/${roomId}/join`);
    const type = (user: TestUser, userId: string, content: object) =>
      user.put(`/rooms/${roomId}/typing/${userId}`, content);
    const next = async (user: TestUser, since?: string) => {
      const query = since === undefined ? "" : `?since=${since}&timeout=10000`;
      const { body: sync } = await user.get(`/sync${query}`);
      type Room = {
        ephemeral: { events: { type: string; content: object }[] };
      };
      const { join } = sync["rooms"] as { join: Record<string, Room> };
      const events = join[roomId]?.ephemeral.events ?? [];
      const event = events.find((e) => e.type === "m.typing");
      return { typing: event?.content, since: String(sync["next_batch"]) };
    };
    return { alice, bob, roomId, type, next };
  }

  it("refuses others' typing, and those who have not joined", async () => {
    const { alice, bob, type } = await setUp("refuse");
    const carol = await server.user("refuse-carol");
    const typing = { typing: true };
    expect((await type(alice, bob.userId, typing)).status).to.equal(403);
    expect((await type(carol, carol.userId, typing)).status).to.equal(403);
    expect((await type(alice, alice.userId, {})).status).to.equal(400);
    const odd = { typing: true, timeout: "long" };
    expect((await type(alice, alice.userId, odd)).status).to.equal(400);
  });

  it("is told to who comes into the room while somebody types", async () => {
    const { alice, roomId, type, next } = await setUp("late");
    const carol = await server.user("late-carol");
    await type(alice, alice.userId, { typing: true, timeout: 60_000 });
    const { since } = await next(carol);
    await carol.post(`/rooms/${roomId}/join`);
    const { typing } = await next(carol, since);
    expect(typing).to.deep.equal({ user_ids: [alice.userId] });
  });

  it("wakes the others of the room in another process, and when it is over", async () => {
    const { alice, bob, type, next } = await setUp("wake");
    const second = await server.startProcess();
    const reader = { ...bob, ...second.as(bob) };
    const { since } = await next(reader);
    const waiting = next(reader, since);
    await type(alice, alice.userId, { typing: true, timeout: 700 });
    const began = await waiting;
    expect(began.typing).to.deep.equal({ user_ids: [alice.userId] });
    // A change may be told twice, never not at all.
    let told = await next(reader, began.since);
    while ((told.typing as { user_ids: [] } | undefined)?.user_ids.length) {
      told = await next(reader, told.since);
    }
    expect(told.typing).to.deep.equal({ user_ids: [] });
  });

  it("ends at once where the user stops", async () => {
    const { alice, bob, type, next } = await setUp("stop");
    await type(alice, alice.userId, { typing: true });
    const { since, typing } = await next(bob);
    expect(typing).to.deep.equal({ user_ids: [alice.userId] });
    await type(alice, alice.userId, { typing: false });
    const stopped = await next(bob, since);
    expect(stopped.typing).to.deep.equal({ user_ids: [] });
  });

  it("is not told to a client that begins anew, where it is over", async () => {
    const { alice, bob, type, next } = await setUp("over");
    await type(alice, alice.userId, { typing: true, timeout: 60_000 });
    await type(alice, alice.userId, { typing: false });
    expect((await next(bob)).typing).to.equal(undefined);
  });

  it("is not told of who has left", async () => {
    const { alice, bob, roomId, type, next } = await setUp("left");
    await type(bob, bob.userId, { typing: true });
    await bob.post(`/rooms/${roomId}/leave`);
    expect((await next(alice)).typing).to.equal(undefined);
  });

  it("ends by another process where the one that would have ended it is gone", async () => {
    const { alice, bob, roomId, type, next } = await setUp("gone");
    await type(alice, alice.userId, { typing: true });
    const { since, typing } = await next(bob);
    expect(typing).to.deep.equal({ user_ids: [alice.userId] });
    await server.database.sql`
      update typing set expires_ts = ${Date.now() - 5_000}
      where room_nid = (select room_nid from rooms where room_id = ${roomId})`;
    const second = await server.startProcess();
    const told = await next({ ...bob, ...second.as(bob) }, since);
    expect(told.typing).to.deep.equal({ user_ids: [] });
  });
});
