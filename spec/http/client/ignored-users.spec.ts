import { expect } from "chai";
import { act, makeRoom, must, path, say } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";
import { oneList, SlidingReader } from "../../support/sliding-reader.ts";

describe("ignored users", () => {
  const server = useServer();
  let people = 0;

  /** A room of three, the last of whom ignores the second. */
  async function room() {
    const n = (people += 1);
    const alice = await server.user(`alice${n}`);
    const bob = await server.user(`bob${n}`);
    const carol = await server.user(`carol${n}`);
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    for (const user of [bob, carol]) await act(user, roomId, "join");
    must(
      await carol.put(
        path`/user/${carol.userId}/account_data/m.ignored_user_list`,
        { ignored_users: { [bob.userId]: {} } },
      ),
    );
    const eventId = await say(alice, roomId, "hello");
    return { alice, bob, carol, roomId, eventId };
  }

  const sync = async (user: TestUser, since?: string, timeout = 0) => {
    const from = since === undefined ? "" : `&since=${since}`;
    return must<{ next_batch: string; rooms?: Json; presence?: Json }>(
      await user.get(`/sync?timeout=${timeout}${from}`),
    );
  };
  const ephemeralOf = (answer: { rooms?: Json }, roomId: string): string => {
    type Rooms = { join?: Record<string, { ephemeral?: unknown }> };
    const { join } = (answer.rooms ?? {}) as Rooms;
    return JSON.stringify(join?.[roomId]?.ephemeral ?? {});
  };

  it("are not seen to read, at first and later", async () => {
    const { alice, bob, carol, roomId, eventId } = await room();
    const { next_batch: since } = await sync(carol);
    for (const user of [bob, alice])
      must(await user.post(path`/rooms/${roomId}/receipt/m.read/${eventId}`));
    for (const answer of [await sync(carol, since), await sync(carol)]) {
      const told = ephemeralOf(answer, roomId);
      expect(told).to.include(alice.userId);
      expect(told).to.not.include(bob.userId);
    }
    expect(ephemeralOf(await sync(alice), roomId)).to.include(bob.userId);
  });

  it("are not seen to type, by whoever waits for it too", async () => {
    const { alice, bob, carol, roomId } = await room();
    const { next_batch: since } = await sync(carol);
    const type = async (user: TestUser) =>
      must(
        await user.put(path`/rooms/${roomId}/typing/${user.userId}`, {
          typing: true,
          timeout: 30_000,
        }),
      );
    await type(bob);
    let answer = sync(carol, since, 20_000);
    await type(alice);
    while (!ephemeralOf(await answer, roomId).includes(alice.userId))
      answer = sync(carol, (await answer).next_batch, 20_000);
    for (const each of [await answer, await sync(carol)])
      expect(ephemeralOf(each, roomId)).to.not.include(bob.userId);
    expect(ephemeralOf(await sync(alice), roomId)).to.include(bob.userId);
  });

  it("are not seen to read or to type by sliding sync, at first and later", async () => {
    const { alice, bob, carol, roomId, eventId } = await room();
    const enabled = { enabled: true };
    const body = {
      ...oneList(),
      extensions: { receipts: enabled, typing: enabled },
    };
    const reader = new SlidingReader(carol, body);
    await reader.next();
    for (const user of [bob, alice]) {
      must(await user.post(path`/rooms/${roomId}/receipt/m.read/${eventId}`));
      must(
        await user.put(path`/rooms/${roomId}/typing/${user.userId}`, {
          typing: true,
          timeout: 30_000,
        }),
      );
    }
    for (const each of [reader, new SlidingReader(carol, body)]) {
      const { receipts, typing } = (await each.next()).extensions;
      for (const told of [receipts, typing]) {
        const text = JSON.stringify(told?.rooms[roomId] ?? {});
        expect(text).to.include(alice.userId);
        expect(text).to.not.include(bob.userId);
      }
    }
  });

  it("are not seen to come online", async () => {
    const { alice, bob, carol } = await room();
    const { next_batch: since } = await sync(carol);
    for (const user of [bob, alice])
      must(
        await user.put(path`/presence/${user.userId}/status`, {
          presence: "online",
          status_msg: "here",
        }),
      );
    for (const answer of [await sync(carol, since), await sync(carol)]) {
      const told = JSON.stringify(answer.presence ?? {});
      expect(told).to.include(alice.userId);
      expect(told).to.not.include(bob.userId);
    }
    const seen = JSON.stringify((await sync(alice)).presence ?? {});
    expect(seen).to.include(bob.userId);
  });

  it("are not heard by those who ask for what they said", async () => {
    const { alice, bob, carol, roomId } = await room();
    const eventId = await say(bob, roomId, "unheard");
    const targets = ["event", "context"].map(
      (kind) => path`/rooms/${roomId}/${kind}/${eventId}`,
    );
    for (const target of targets) {
      const { status, text } = await carol.get(target);
      expect(status).to.equal(404);
      expect(text).to.include("M_NOT_FOUND");
      expect((await alice.get(target)).text).to.include("unheard");
    }
  });

  it("invite nobody who ignores them, until they are heard again", async () => {
    const { bob, carol } = await room();
    const roomId = await makeRoom(bob, { invite: [carol.userId] });
    const invited = async () => JSON.stringify((await sync(carol)).rooms ?? {});
    expect(await invited()).to.not.include(roomId);
    must(
      await carol.put(
        path`/user/${carol.userId}/account_data/m.ignored_user_list`,
        { ignored_users: {} },
      ),
    );
    expect(await invited()).to.include(roomId);
  });
});
