import { expect } from "chai";
import { parseRoomEventFilter } from "../../../src/core/filter.ts";
import { readHistory } from "../../../src/domain/rooms/history.ts";
import { listThreads } from "../../../src/domain/rooms/list-threads.ts";
import { readRelations } from "../../../src/domain/rooms/related-events.ts";
import type { Edges } from "../../../src/edges.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { edit, refer, reply } from "../../support/relations.ts";
import { requesterOf } from "../../support/requester.ts";
import { act, makePublicRoom, say } from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("the statements of reading relations", () => {
  const server = useServer();
  let owner: TestUser;

  before(async () => {
    owner = await server.user("owner");
  });

  /** A room with messages, each with a reply, an edit and a reference; the first with as many replies. */
  async function makeRoom(guests: readonly TestUser[], messages: number) {
    const roomId = await makePublicRoom(owner);
    for (const guest of guests) await act(guest, roomId, "join");
    const first = await say(owner, roomId, "first");
    await Promise.all(
      Array.from({ length: messages }, async (_, i) => {
        const guest = guests[i % guests.length]!;
        const root = await say(owner, roomId, "root");
        await reply(guest, roomId, root);
        await edit(owner, roomId, root, "edited");
        await refer(guest, roomId, root);
        const replied = await reply(guest, roomId, first);
        await edit(guest, roomId, replied, "edited");
      }),
    );
    return { roomId, first };
  }

  async function count(read: (edges: Edges) => Promise<unknown>) {
    const counting = countStatements(server.edges.db);
    const memory = new ProcessMemory();
    await read({ ...server.edges, db: counting.sql, memory });
    return counting.taken();
  }

  const all = {
    from: null,
    to: null,
    isBackwards: true,
    isRecursive: false,
    limit: 1000,
  };

  it("are as many in a room of 30 with 100 messages and their relations as in one of 3 with 5", async function () {
    this.timeout(30_000);
    const guests: TestUser[] = [];
    for (let i = 0; i < 29; i += 1) guests.push(await server.user(`guest${i}`));
    const small = await makeRoom(guests.slice(0, 2), 5);
    const large = await makeRoom(guests, 100);
    const requester = requesterOf(owner);
    const filter = parseRoomEventFilter({});
    for (const read of [
      (edges: Edges, { roomId }: typeof small) =>
        readHistory(edges, requester, roomId, { ...all, filter }),
      (edges: Edges, { roomId, first }: typeof small) =>
        readRelations(edges, requester, roomId, first, all),
      (edges: Edges, { roomId, first }: typeof small) =>
        readRelations(edges, requester, roomId, first, {
          ...all,
          isRecursive: true,
        }),
      (edges: Edges, { roomId }: typeof small) =>
        listThreads(edges, requester, roomId, {
          from: null,
          limit: 1000,
          isParticipated: false,
        }),
      (edges: Edges, { roomId }: typeof small) =>
        listThreads(edges, requester, roomId, {
          from: null,
          limit: 1000,
          isParticipated: true,
        }),
    ]) {
      const inSmall = await count((edges) => read(edges, small));
      const inLarge = await count((edges) => read(edges, large));
      expect(inLarge).to.equal(inSmall);
    }
  });

  it("of a page to which nothing relates are one more than without asking", async () => {
    const roomId = await makePublicRoom(owner);
    for (let i = 0; i < 20; i += 1) await say(owner, roomId, "plain");
    const counting = countStatements(server.edges.db);
    const filter = parseRoomEventFilter({});
    const edges: Edges = { ...server.edges, db: counting.sql };
    const read = (limit: number) =>
      readHistory(edges, requesterOf(owner), roomId, { ...all, limit, filter });
    await read(20);
    counting.taken();
    await read(20);
    const ofMessages = counting.taken();
    await readHistory(edges, requesterOf(owner), roomId, {
      ...all,
      isBackwards: false,
      // The events that made the room are state: nothing is asked of them.
      limit: 3,
      filter,
    });
    expect(ofMessages).to.equal(counting.taken() + 1);
  });
});
