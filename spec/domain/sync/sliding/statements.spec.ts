import { expect } from "chai";
import { parseSlidingRequest } from "../../../../src/domain/sync/sliding/parse-sliding-request.ts";
import { slidingSync } from "../../../../src/domain/sync/sliding/sliding-sync.ts";
import type { Edges } from "../../../../src/edges.ts";
import { ProcessMemory } from "../../../../src/util/process-memory.ts";
import { countStatements } from "../../../support/count-statements.ts";
import { requesterOf } from "../../../support/requester.ts";
import { path } from "../../../support/rooms.ts";
import { type TestUser, useServer } from "../../../support/server.ts";

const enabled = { enabled: true };
const BODY = {
  lists: {
    all: {
      ranges: [[0, 19]] as [number, number][],
      timeline_limit: 5,
      required_state: [
        ["m.room.name", ""],
        ["m.room.member", "$LAZY"],
        ["m.room.member", "$ME"],
      ] as [string, string][],
      filters: { not_room_types: ["m.space"], is_encrypted: false },
    },
  },
  extensions: {
    to_device: enabled,
    e2ee: enabled,
    account_data: enabled,
    receipts: enabled,
    typing: enabled,
  },
};

describe("the statements of a sliding sync", () => {
  const server = useServer();

  async function makeRooms(
    owner: TestUser,
    guest: TestUser,
    count: number,
  ): Promise<string[]> {
    const roomIds: string[] = [];
    while (roomIds.length < count) {
      const size = Math.min(20, count - roomIds.length);
      const some = Array.from({ length: size }, async () => {
        const { body } = await owner.post("/createRoom", {
          name: "a room",
          preset: "public_chat",
        });
        const roomId = String(body["room_id"]);
        await guest.post(path`/rooms/${roomId}/join`);
        await say(guest, roomId);
        return roomId;
      });
      roomIds.push(...(await Promise.all(some)));
    }
    return roomIds;
  }

  let said = 0;
  const say = (user: TestUser, roomId: string) =>
    user.put(path`/rooms/${roomId}/send/m.room.message/${`t${(said += 1)}`}`, {
      msgtype: "m.text",
      body: "news",
    });

  async function ask(
    edges: Edges,
    user: TestUser,
    pos: string | null,
    last: number,
  ) {
    const request = await parseSlidingRequest(
      edges,
      requesterOf(user),
      { set_presence: "offline", ...(pos !== null && { pos }) },
      {
        ...BODY,
        lists: { all: { ...BODY.lists.all, ranges: [[0, last]] } },
      },
    );
    const text = await slidingSync(
      edges,
      request,
      new AbortController().signal,
    );
    return JSON.parse(text) as {
      pos: string;
      rooms: Record<string, { timeline: unknown[] }>;
    };
  }

  /** One request with nothing remembered, and the statements that it took. */
  async function count(user: TestUser, pos: string | null, last: number) {
    const counting = countStatements(server.edges.db);
    const edges: Edges = {
      ...server.edges,
      db: counting.sql,
      memory: new ProcessMemory(),
    };
    const answer = await ask(edges, user, pos, last);
    return { statements: counting.taken(), answer };
  }

  it("are as many for 500 rooms as for 10, at first, with news in many of them or in one, and without", async function () {
    this.timeout(120_000);
    const few = await server.user("few");
    const many = await server.user("many");
    const guest = await server.user("guest");
    await makeRooms(few, guest, 10);
    const manyRooms = await makeRooms(many, guest, 500);
    for (const last of [9, 499]) {
      let inFew = await count(few, null, last);
      let inMany = await count(many, null, last);
      const first = inMany.statements;
      expect(Object.keys(inMany.answer.rooms)).to.have.length(
        Math.min(500, last + 1),
      );
      expect(first).to.equal(inFew.statements);
      const tell = async (rooms: readonly string[]) => {
        await Promise.all(rooms.map((roomId) => say(guest, roomId)));
        inFew = await count(few, inFew.answer.pos, last);
        inMany = await count(many, inMany.answer.pos, last);
      };
      const inSight = [inFew, inMany].map(
        ({ answer }) => Object.keys(answer.rooms)[0]!,
      );
      for (const news of [1, 0]) {
        await tell(news > 0 ? inSight : []);
        expect(inMany.statements, `news in ${news}`).to.equal(inFew.statements);
        expect(inMany.statements).to.be.below(first);
      }
      await tell(manyRooms.slice(0, 300));
      expect(inMany.statements).to.be.at.most(first + 5);
    }
  });

  it("are two where a message of the same process comes, and the client has all else", async () => {
    const owner = await server.user("owner");
    const guest = await server.user("reader");
    const [roomId] = await makeRooms(owner, guest, 1);
    const counting = countStatements(server.edges.db);
    const edges: Edges = { ...server.edges, db: counting.sql };
    let { pos } = await ask(edges, guest, null, 19);
    const taken: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await say(owner, roomId!);
      counting.taken();
      const answer = await ask(edges, guest, pos, 19);
      expect(answer.rooms[roomId!]!.timeline).to.have.length(1);
      taken.push(counting.taken());
      pos = answer.pos;
    }
    // The stream is looked at; where the table was polled just then, the batch was seen before it was known.
    expect(Math.min(...taken)).to.be.at.most(2);
  });
});
