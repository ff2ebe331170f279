import { expect } from "chai";
import {
  edit,
  react,
  redact,
  refer,
  relatesTo,
  relationsPath,
  reply,
} from "../../support/relations.ts";
import {
  act,
  getMessages,
  idsOf,
  makePublicRoom,
  makeRoom,
  makeRoomOfTwo,
  must,
  path,
  say,
  send,
  setState,
} from "../../support/rooms.ts";
import type { RoomEvent } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

interface Found {
  chunk: RoomEvent[];
  next_batch?: string;
  prev_batch?: string;
  recursion_depth?: number;
}

describe("GET /rooms/{roomId}/relations/{eventId}", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const roomOfTwo = () => makeRoomOfTwo(alice, bob);

  const read = async (
    user: TestUser,
    target: string,
    query: Record<string, string> = {},
  ): Promise<Found> =>
    must<Found>(
      await user.get(`${target}?${new URLSearchParams(query).toString()}`),
    );

  it("lists what relates to an event, of one type or of one type of events, newest first", async () => {
    const roomId = await roomOfTwo();
    const root = await say(alice, roomId, "root");
    const threaded = await reply(bob, roomId, root);
    const odd = await send(bob, roomId, "m.x", relatesTo("m.thread", root));
    const edited = await edit(alice, roomId, root, "new");
    await say(alice, roomId, "of no relation");
    await react(alice, roomId, threaded);
    const all = await read(alice, relationsPath(roomId, root));
    expect(idsOf(all.chunk)).to.deep.equal([edited, odd, threaded]);
    expect(all).not.to.have.any.keys(
      "next_batch",
      "prev_batch",
      "recursion_depth",
    );
    const ofType = await read(alice, relationsPath(roomId, root, "m.thread"));
    expect(idsOf(ofType.chunk)).to.deep.equal([odd, threaded]);
    const ofBoth = await read(
      alice,
      relationsPath(roomId, root, "m.thread", "m.x"),
    );
    expect(idsOf(ofBoth.chunk)).to.deep.equal([odd]);
    const ofNone = await read(alice, relationsPath(roomId, root, "m.absent"));
    expect(ofNone.chunk).to.deep.equal([]);
  });

  it("answers at the paths of before the specification", async () => {
    const roomId = await roomOfTwo();
    const root = await say(alice, roomId, "root");
    const threaded = await reply(bob, roomId, root);
    const old = relationsPath(roomId, root, "m.thread", "m.room.message");
    const target = old.replace("/client/v1/", "/client/unstable/");
    const found = await read(alice, target);
    expect(idsOf(found.chunk)).to.deep.equal([threaded]);
  });

  it("pages both ways through each once", async () => {
    const roomId = await roomOfTwo();
    const root = await say(alice, roomId, "root");
    const ids: string[] = [];
    for (let i = 0; i < 8; i += 1)
      ids.push(await reply(i % 2 ? alice : bob, roomId, root, `${i}`));
    const target = relationsPath(roomId, root);
    for (const [dir, expected] of [
      ["b", [...ids].reverse()],
      ["f", ids],
    ] as const) {
      const seen: string[] = [];
      let from: { from?: string } = {};
      for (;;) {
        const page = await read(bob, target, { dir, limit: "3", ...from });
        seen.push(...idsOf(page.chunk));
        expect(page.prev_batch).to.equal(from.from);
        if (page.next_batch === undefined) break;
        from = { from: page.next_batch };
      }
      expect(seen).to.deep.equal(expected);
    }
  });

  it("takes tokens of sync and of messages, where to begin and where to end", async () => {
    const roomId = await roomOfTwo();
    const root = await say(alice, roomId, "root");
    const early = await reply(alice, roomId, root, "early");
    const { body } = await alice.get("/sync");
    const sync = String(body["next_batch"]);
    const { start } = await getMessages(alice, roomId, { dir: "b", limit: 1 });
    const page = await getMessages(alice, roomId, { dir: "f", limit: 100 });
    const late = await reply(alice, roomId, root, "late");
    const target = relationsPath(roomId, root);
    for (const token of [sync]) {
      const before = await read(alice, target, { from: token });
      expect(idsOf(before.chunk)).to.deep.equal([early]);
      const since = await read(alice, target, { dir: "f", from: token });
      expect(idsOf(since.chunk)).to.deep.equal([late]);
      const until = await read(alice, target, { dir: "f", to: token });
      expect(idsOf(until.chunk)).to.deep.equal([early]);
      const downTo = await read(alice, target, { dir: "b", to: token });
      expect(idsOf(downTo.chunk)).to.deep.equal([late]);
    }
    const all = await read(alice, target, { from: start });
    expect(idsOf(all.chunk)).to.deep.equal([late, early]);
    expect(page.end).to.equal(undefined);
    const { end } = await getMessages(alice, roomId, { dir: "b", limit: 1 });
    const older = await read(alice, target, { from: end! });
    expect(idsOf(older.chunk)).to.deep.equal([early]);
  });

  it("follows relations of relations three steps far, where that is asked for", async () => {
    const roomId = await roomOfTwo();
    const root = await say(alice, roomId, "root");
    const chain = [root];
    for (let i = 0; i < 4; i += 1)
      chain.push(await refer(alice, roomId, chain.at(-1)!));
    const like = await react(bob, roomId, chain[1]!);
    const recurse = { recurse: "true" };
    const all = await read(alice, relationsPath(roomId, root), recurse);
    expect(idsOf(all.chunk)).to.deep.equal([
      like,
      ...chain.slice(1, 4).reverse(),
    ]);
    expect(all.recursion_depth).to.equal(3);
    const target = relationsPath(roomId, root, "m.annotation");
    const likes = await read(alice, target, recurse);
    expect(idsOf(likes.chunk)).to.deep.equal([like]);
    const flat = await read(alice, target, { recurse: "false" });
    expect(flat.chunk).to.deep.equal([]);
  });

  it("row 66: a limit of any size gives 1,000 at the most, and no recursion goes deeper than three", async function () {
    this.timeout(30_000);
    const roomId = await roomOfTwo();
    const root = await say(alice, roomId, "root");
    const replies = Array.from({ length: 1_005 }, (_, i) =>
      reply(alice, roomId, root, `${i}`),
    );
    const first = await replies[0]!;
    await Promise.all(replies);
    let last = first;
    for (let i = 0; i < 5; i += 1) last = await refer(alice, roomId, last);
    const target = relationsPath(roomId, root);
    for (const limit of ["1000000000", "9007199254740991"]) {
      const page = await read(alice, target, { limit });
      expect(page.chunk).to.have.length(1_000);
      expect(page.next_batch).to.be.a("string");
      const deep = await read(alice, target, { limit, recurse: "true" });
      expect(deep.chunk).to.have.length(1_000);
      expect(deep.recursion_depth).to.equal(3);
      expect(idsOf(deep.chunk)).not.to.include(last);
    }
    expect((await alice.get(`${target}?limit=-1`)).status).to.equal(400);
    expect((await alice.get(`${target}?limit=0`)).status).to.equal(200);
  });

  it("leaves out what was redacted, and what the ignored said", async () => {
    const roomId = await roomOfTwo();
    const root = await say(alice, roomId, "root");
    const gone = await reply(alice, roomId, root);
    const kept = await reply(alice, roomId, root);
    await reply(bob, roomId, root);
    must(await redact(alice, roomId, gone));
    await ignore(alice, [bob.userId]);
    const found = await read(alice, relationsPath(roomId, root));
    expect(idsOf(found.chunk)).to.deep.equal([kept]);
    await ignore(alice, []);
  });

  it("is not there for who may not see the event, and holds nothing that they may not see", async () => {
    const roomId = await makePublicRoom(alice, "joined");
    const root = await say(alice, roomId, "root");
    const target = relationsPath(roomId, root);
    const stranger = await bob.get(target);
    expect(stranger.status).to.equal(404);
    expect(stranger.body["errcode"]).to.equal("M_NOT_FOUND");
    await act(bob, roomId, "join");
    expect((await bob.get(target)).status).to.equal(404);
    const seen = await say(alice, roomId, "seen");
    const reply1 = await reply(alice, roomId, seen);
    await act(bob, roomId, "leave");
    await reply(alice, roomId, seen, "after bob left");
    const found = await read(bob, relationsPath(roomId, seen));
    expect(idsOf(found.chunk)).to.deep.equal([reply1]);
    const elsewhere = await makeRoom(alice);
    const wrong = await alice.get(relationsPath(elsewhere, seen));
    expect(wrong.status).to.equal(404);
  });

  it("holds state events too, which are of no thread", async () => {
    const roomId = await roomOfTwo();
    const root = await say(alice, roomId, "root");
    const relation = relatesTo("m.thread", root);
    const state = await setState(alice, roomId, "m.x", relation);
    const found = await read(alice, relationsPath(roomId, root));
    expect(idsOf(found.chunk)).to.deep.equal([state]);
    const event = must(await alice.get(path`/rooms/${roomId}/event/${root}`));
    expect(event["unsigned"]).not.to.have.property("m.relations");
  });

  for (const query of ["dir=x", "from=s1", "to=x", "recurse=1", "limit=many"]) {
    it(`refuses ?${query} with 400`, async () => {
      const roomId = await makeRoom(alice);
      const root = await say(alice, roomId, "root");
      const target = `${relationsPath(roomId, root)}?${query}`;
      expect((await alice.get(target)).status).to.equal(400);
    });
  }

  async function ignore(user: TestUser, userIds: string[]): Promise<void> {
    const ignored_users = Object.fromEntries(userIds.map((id) => [id, {}]));
    const type = "m.ignored_user_list";
    const target = path`/user/${user.userId}/account_data/${type}`;
    must(await user.put(target, { ignored_users }));
  }
});
