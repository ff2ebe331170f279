import { expect } from "chai";
import { sendMessage } from "../../../src/domain/rooms/send.ts";
import type { Edges } from "../../../src/edges.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { path } from "../../support/rooms.ts";
import { requesterOf } from "../../support/requester.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("the statements of a send", () => {
  const server = useServer();
  let sent = 0;

  async function makeRoom(
    owner: TestUser,
    guests: readonly TestUser[],
    messages: number,
  ): Promise<string> {
    const { body } = await owner.post("/createRoom", {
      preset: "public_chat",
    });
    const roomId = String(body["room_id"]);
    for (const guest of guests) await guest.post(path`/rooms/${roomId}/join`);
    for (let i = 0; i < messages; i += 1) {
      const message = { msgtype: "m.text", body: `message ${i}` };
      await owner.put(
        path`/rooms/${roomId}/send/m.room.message/${String(i)}`,
        message,
      );
    }
    return roomId;
  }

  /** A process that remembers nothing, and what sends there as the user. */
  function startCounting(user: TestUser) {
    const counting = countStatements(server.edges.db);
    const { committer } = server.edges;
    let commits = 0;
    const edges: Edges = {
      ...server.edges,
      db: counting.sql,
      memory: new ProcessMemory(),
      committer: {
        commit(write) {
          commits += 1;
          return committer.commit(write);
        },
      },
    };
    const send = (roomId: string) =>
      sendMessage(edges, requesterOf(user), roomId, {
        type: "m.room.message",
        content: { msgtype: "m.text", body: "hello" },
        txnId: `counted-${(sent += 1)}`,
      });
    const { taken } = counting;
    return { send, taken, commits: () => commits };
  }

  /** Of the first message with nothing remembered, and of the second one. */
  async function count(user: TestUser, roomId: string): Promise<number[]> {
    const { send, taken, commits } = startCounting(user);
    const statements: number[] = [];
    for (let i = 0; i < 2; i += 1) {
      await send(roomId);
      statements.push(taken());
    }
    expect(commits()).to.equal(2);
    return statements;
  }

  it("are as many in a room of 30 with 200 messages as in one of 2 with none, and none but the commit once it is known", async () => {
    const owner = await server.user("owner");
    const guests: TestUser[] = [];
    for (let i = 0; i < 29; i += 1) guests.push(await server.user(`guest${i}`));
    const small = await makeRoom(owner, guests.slice(0, 1), 0);
    const large = await makeRoom(owner, guests, 200);
    const inSmall = await count(owner, small);
    const inLarge = await count(owner, large);
    expect(inLarge).to.eql(inSmall);
    expect(inLarge[1]).to.equal(0);
  });

  it("are one more for all rooms in which another process has said something meanwhile", async () => {
    const owner = await server.user("twofold");
    const { send, taken } = startCounting(owner);
    const roomIds: string[] = [];
    for (let i = 0; i < 5; i += 1) roomIds.push(await makeRoom(owner, [], 0));
    for (const roomId of roomIds) await send(roomId);
    for (const roomId of roomIds) {
      const message = { msgtype: "m.text", body: "from beside" };
      const { status } = await owner.put(
        path`/rooms/${roomId}/send/m.room.message/beside`,
        message,
      );
      expect(status).to.equal(200);
    }
    taken();
    await Promise.all(roomIds.map(send));
    expect(taken()).to.equal(1);
  });
});
