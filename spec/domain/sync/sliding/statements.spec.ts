import { expect } from "chai";
import { parseSlidingRequest } from "../../../../src/domain/sync/sliding/parse-sliding-request.ts";
import { slidingSync } from "../../../../src/domain/sync/sliding/sliding-sync.ts";
import type { Edges } from "../../../../src/edges.ts";
import { Caller } from "../../../../src/util/caller.ts";
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
    "io.element.msc4308.thread_subscriptions": enabled,
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

  /** Something for each extension: a tag, a receipt, typing, a subscription and a message to the device. */
  async function extend(owner: TestUser, guest: TestUser, roomId: string) {
    const { body } = await say(guest, roomId);
    const eventId = String(body["event_id"]);
    const { userId, deviceId } = owner;
    const thread = path`/rooms/${roomId}/thread/${eventId}/subscription`;
    const answers = await Promise.all([
      owner.put(path`/user/${userId}/rooms/${roomId}/tags/u.a`, {}),
      guest.post(path`/rooms/${roomId}/receipt/m.read/${eventId}`),
      guest.put(path`/rooms/${roomId}/typing/${guest.userId}`, {
        typing: true,
        timeout: 30_000,
      }),
      owner.put(`/_matrix/client/unstable/io.element.msc4306${thread}`, {}),
      guest.put(path`/sendToDevice/org.example.test/${eventId}`, {
        messages: { [userId]: { [deviceId]: {} } },
      }),
    ]);
    for (const { status, text } of answers) expect(status, text).to.equal(200);
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
    const text = await slidingSync(edges, request, new Caller());
    return JSON.parse(text) as {
      pos: string;
      rooms: Record<string, { timeline: unknown[] }>;
      extensions: Record<
        "account_data" | "receipts" | "typing",
        { rooms: object }
      > & {
        to_device: { events: unknown[] };
        "io.element.msc4308.thread_subscriptions": { subscribed: object };
      };
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

  it("are as many with news of each extension in 100 rooms as in 10", async function () {
    this.timeout(120_000);
    const guest = await server.user("extending");
    const counted = [];
    for (const size of [10, 100]) {
      const owner = await server.user(`extended${size}`);
      const roomIds = await makeRooms(owner, guest, size);
      const { answer } = await count(owner, null, 99);
      for (let i = 0; i < size; i += 10) {
        const some = roomIds.slice(i, i + 10);
        await Promise.all(some.map((roomId) => extend(owner, guest, roomId)));
      }
      const next = await count(owner, answer.pos, 99);
      const first = await count(owner, null, 99);
      for (const { answer: told } of [next, first]) {
        const { extensions } = told;
        expect(extensions.to_device.events).to.have.length(size);
        for (const name of ["account_data", "receipts", "typing"] as const)
          expect(Object.keys(extensions[name].rooms), name).to.have.length(
            size,
          );
        const threads = extensions["io.element.msc4308.thread_subscriptions"];
        expect(Object.keys(threads.subscribed)).to.have.length(size);
      }
      counted.push({ next: next.statements, first: first.statements });
    }
    const [few, many] = counted;
    expect(many!.first).to.equal(few!.first);
    expect(many!.next).to.be.at.most(few!.next + 5);
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
