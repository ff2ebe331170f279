import { expect } from "chai";
import { parseClientFilter } from "../../../src/core/filter.ts";
import type { UserId } from "../../../src/core/ids.ts";
import type { Requester } from "../../../src/domain/accounts/requester.ts";
import { sync } from "../../../src/domain/sync/sync.ts";
import type { SyncRequest } from "../../../src/domain/sync/sync-request.ts";
import {
  findSyncToken,
  type SyncToken,
} from "../../../src/domain/sync/sync-token.ts";
import type { Edges } from "../../../src/edges.ts";
import type { Notifier } from "../../../src/storage/notifier.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("the statements of a sync", () => {
  const server = useServer();

  /** Rooms with a name, a topic, members and messages. */
  async function makeRooms(
    owner: TestUser,
    guest: TestUser,
    count: number,
  ): Promise<string[]> {
    const roomIds: string[] = [];
    for (let i = 0; i < count; i++) {
      const { body } = await owner.post("/createRoom", {
        name: `room ${i}`,
        topic: "a topic",
        preset: "public_chat",
      });
      const roomId = String(body["room_id"]);
      await guest.post(`/rooms/${roomId}/join`);
      await guest.put(`/rooms/${roomId}/send/m.room.message/${i}`, {
        msgtype: "m.text",
        body: "hello",
      });
      roomIds.push(roomId);
    }
    return roomIds;
  }

  /** One sync with nothing remembered, and the statements that it took. */
  async function count(
    user: TestUser,
    since: SyncToken | null,
    filter: object = {},
  ): Promise<{ statements: number; token: SyncToken }> {
    const counting = countStatements(server.edges.db);
    const edges: Edges = {
      ...server.edges,
      db: counting.sql,
      memory: new ProcessMemory(),
    };
    const text = await sync(
      edges,
      requestOf(user, since, filter),
      new AbortController().signal,
    );
    const { next_batch: next } = JSON.parse(text) as { next_batch: string };
    return { statements: counting.taken(), token: findSyncToken(next)! };
  }

  it("are as many for 25 rooms as for 3, at first and with news in all of them", async () => {
    const few = await server.user("few");
    const many = await server.user("many");
    const guest = await server.user("guest");
    const fewRooms = await makeRooms(few, guest, 3);
    const manyRooms = await makeRooms(many, guest, 25);

    const lazily = { room: { state: { lazy_load_members: true } } };
    for (const [round, filter] of [{}, lazily].entries()) {
      const firstFew = await count(few, null, filter);
      const firstMany = await count(many, null, filter);
      expect(firstMany.statements).to.equal(firstFew.statements);

      for (const [i, roomId] of [...fewRooms, ...manyRooms].entries()) {
        await guest.put(`/rooms/${roomId}/send/m.room.message/n${round}-${i}`, {
          msgtype: "m.text",
          body: "news",
        });
      }
      const nextFew = await count(few, firstFew.token, filter);
      const nextMany = await count(many, firstMany.token, filter);
      expect(nextMany.statements).to.equal(nextFew.statements);
      expect(nextMany.token.position).to.be.above(firstMany.token.position);

      const idleFew = await count(few, nextFew.token, filter);
      const idleMany = await count(many, nextMany.token, filter);
      expect(idleMany.statements).to.equal(idleFew.statements);
      expect(idleMany.statements).to.be.below(nextMany.statements);
    }
  });

  it("are none for whoever waits for a message of the same process", async () => {
    const owner = await server.user("sender");
    const guest = await server.user("waiting");
    const [roomId] = await makeRooms(owner, guest, 1);
    const { token } = await count(guest, null);
    await count(guest, token);
    const counting = countStatements(server.edges.db);
    let since = token;
    const taken: number[] = [];
    for (const round of [1, 2, 3, 4, 5]) {
      const { notifier, waits } = announceWaits(server.edges.notifier);
      const edges: Edges = { ...server.edges, db: counting.sql, notifier };
      const answer = sync(
        edges,
        { ...requestOf(guest, since), timeoutMs: 30_000 },
        new AbortController().signal,
      );
      await waits;
      counting.taken();
      await owner.put(`/rooms/${roomId}/send/m.room.message/w${round}`, {
        msgtype: "m.text",
        body: "news",
      });
      const text = await answer;
      expect(text).to.include("news");
      taken.push(counting.taken());
      const { next_batch: next } = JSON.parse(text) as { next_batch: string };
      since = findSyncToken(next)!;
    }
    // Where the table was polled just then, the batch was seen before it was known.
    expect(Math.min(...taken)).to.equal(0);
  });
});

/** The same notifier, telling when somebody waits. */
function announceWaits(real: Notifier): {
  notifier: Notifier;
  waits: Promise<void>;
} {
  let tell: () => void = () => undefined;
  const waits = new Promise<void>((resolve) => (tell = resolve));
  const notifier = Object.create(real, {
    wait: {
      value: (...given: Parameters<Notifier["wait"]>) => {
        const outcome = real.wait(...given);
        tell();
        return outcome;
      },
    },
  }) as Notifier;
  return { notifier, waits };
}

const requestOf = (
  user: TestUser,
  since: SyncToken | null,
  filter: object = {},
): SyncRequest => ({
  requester: requesterOf(user),
  filter: parseClientFilter(JSON.parse(JSON.stringify(filter))),
  since,
  isFullState: false,
  stateAfterName: null,
  timeoutMs: 0,
});

const requesterOf = (user: TestUser): Requester => ({
  userId: user.userId as UserId,
  deviceId: user.deviceId,
  tokenId: 0,
  isAdmin: false,
  isGuest: false,
  isSuspended: false,
});
