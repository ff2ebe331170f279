import { expect } from "chai";
import { parseClientFilter } from "../../../src/core/filter.ts";
import { sync } from "../../../src/domain/sync/sync.ts";
import type { SyncRequest } from "../../../src/domain/sync/sync-request.ts";
import {
  findSyncToken,
  type SyncToken,
} from "../../../src/domain/sync/sync-token.ts";
import type { Edges } from "../../../src/edges.ts";
import type { Notifier } from "../../../src/storage/notifier.ts";
import { Caller } from "../../../src/util/caller.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { edit, react, refer, reply } from "../../support/relations.ts";
import { path, say as sayText } from "../../support/rooms.ts";
import { requesterOf } from "../../support/requester.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("the statements of a sync", () => {
  const server = useServer();

  /** A room with a name, a topic, members and messages. */
  async function makeRoom(
    owner: TestUser,
    guests: readonly TestUser[],
    messages = 1,
  ): Promise<string> {
    const { body } = await owner.post("/createRoom", {
      name: "a room",
      topic: "a topic",
      preset: "public_chat",
    });
    const roomId = String(body["room_id"]);
    for (const guest of guests) await guest.post(path`/rooms/${roomId}/join`);
    await sayIn(Array<string>(messages).fill(roomId), guests[0]!);
    return roomId;
  }

  async function makeRooms(
    owner: TestUser,
    guest: TestUser,
    count: number,
  ): Promise<string[]> {
    const roomIds: string[] = [];
    while (roomIds.length < count) {
      const size = Math.min(20, count - roomIds.length);
      const some = Array.from({ length: size }, () => makeRoom(owner, [guest]));
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

  const sayIn = async (roomIds: readonly string[], user: TestUser) => {
    await Promise.all(roomIds.map((roomId) => say(user, roomId)));
  };

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
      requestOf(user, since, filter),
      new Caller(),
    );
    const { next_batch: next } = JSON.parse(text) as { next_batch: string };
    return { statements: counting.taken(), token: findSyncToken(next)! };
  }

  const lazily = { room: { state: { lazy_load_members: true } } };

  it("are as many for 500 rooms as for 10, at first, with news in many of them or in one, and without", async function () {
    this.timeout(120_000);
    const few = await server.user("few");
    const many = await server.user("many");
    const guest = await server.user("guest");
    const fewRooms = await makeRooms(few, guest, 10);
    const manyRooms = await makeRooms(many, guest, 500);
    const widely = [...fewRooms, ...manyRooms.slice(0, 300)];
    const inOne = [fewRooms[0]!, manyRooms[0]!];

    for (const filter of [{}, lazily]) {
      let inFew = await count(few, null, filter);
      let inMany = await count(many, null, filter);
      const first = inMany.statements;
      expect(first).to.equal(inFew.statements);
      for (const news of [widely, inOne, []]) {
        const before = inMany.token.position;
        await sayIn(news, guest);
        inFew = await count(few, inFew.token, filter);
        inMany = await count(many, inMany.token, filter);
        expect(inMany.statements).to.equal(inFew.statements);
        if (news.length === 0) expect(inMany.statements).to.be.below(first);
        expect(inMany.token.position > before).to.equal(news.length > 0);
      }
    }
  });

  it("are as many in a room of 12 with 200 messages as in one of 2 with 20", async () => {
    const small = await server.user("small");
    const large = await server.user("large");
    const guests: TestUser[] = [];
    for (let i = 0; i < 11; i += 1)
      guests.push(await server.user(`member${i}`));
    const smallRoom = await makeRoom(small, guests.slice(0, 1), 20);
    const largeRoom = await makeRoom(large, guests, 200);
    for (const filter of [{}, lazily]) {
      let inSmall = await count(small, null, filter);
      let inLarge = await count(large, null, filter);
      expect(inLarge.statements).to.equal(inSmall.statements);
      await sayIn([smallRoom, largeRoom], guests[0]!);
      inSmall = await count(small, inSmall.token, filter);
      inLarge = await count(large, inLarge.token, filter);
      expect(inLarge.statements).to.equal(inSmall.statements);
    }
  });

  it("are as many for 200 rooms whose messages have relations as for 10", async function () {
    this.timeout(60_000);
    const few = await server.user("related-few");
    const many = await server.user("related-many");
    const guest = await server.user("relating");
    const rooms = [
      ...(await makeRooms(few, guest, 10)),
      ...(await makeRooms(many, guest, 200)),
    ];
    const relate = async (roomId: string) => {
      const root = await sayText(guest, roomId, "root");
      const replied = await reply(guest, roomId, root);
      await edit(guest, roomId, root, "edited");
      await edit(guest, roomId, replied, "edited");
      await refer(guest, roomId, root);
      await react(guest, roomId, root);
    };
    const beforeFew = await count(few, null);
    const beforeMany = await count(many, null);
    for (let i = 0; i < rooms.length; i += 20)
      await Promise.all(rooms.slice(i, i + 20).map(relate));
    const sinceFew = await count(few, beforeFew.token);
    const sinceMany = await count(many, beforeMany.token);
    expect(sinceMany.statements).to.equal(sinceFew.statements);
    const firstFew = await count(few, null);
    const firstMany = await count(many, null);
    expect(firstMany.statements).to.equal(firstFew.statements);
    // What nothing relates to costs nothing more.
    expect(beforeMany.statements).to.be.below(firstMany.statements);
    const filter = { room: { timeline: { not_types: ["m.reaction"] } } };
    const filteredFew = await count(few, null, filter);
    const filteredMany = await count(many, null, filter);
    expect(filteredMany.statements).to.equal(filteredFew.statements);
  });

  it("are none for whoever waits for a message of the same process", async () => {
    const owner = await server.user("sender");
    const guest = await server.user("waiting");
    const roomId = await makeRoom(owner, [guest]);
    const { token } = await count(guest, null);
    await count(guest, token);
    const counting = countStatements(server.edges.db);
    let since = token;
    const taken: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const { notifier, waits } = announceWaits(server.edges.notifier);
      const edges: Edges = { ...server.edges, db: counting.sql, notifier };
      const answer = sync(
        edges,
        { ...requestOf(guest, since), timeoutMs: 30_000 },
        new Caller(),
      );
      await waits;
      counting.taken();
      await say(owner, roomId);
      const { text } = await answer;
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
