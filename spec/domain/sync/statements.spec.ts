import { expect } from "chai";
import { parseClientFilter } from "../../../src/core/filter.ts";
import type { UserId } from "../../../src/core/ids.ts";
import type { Requester } from "../../../src/domain/accounts/requester.ts";
import { sync } from "../../../src/domain/sync/sync.ts";
import {
  findSyncToken,
  type SyncToken,
} from "../../../src/domain/sync/sync-token.ts";
import type { Edges } from "../../../src/edges.ts";
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
    const { text } = await sync(
      edges,
      {
        requester: requesterOf(user),
        filter: parseClientFilter(JSON.parse(JSON.stringify(filter))),
        since,
        isFullState: false,
        stateAfterName: null,
        timeoutMs: 0,
      },
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
});

const requesterOf = (user: TestUser): Requester => ({
  userId: user.userId as UserId,
  deviceId: user.deviceId,
  tokenId: 0,
  isAdmin: false,
  isGuest: false,
  isSuspended: false,
});
