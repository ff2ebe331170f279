import { expect } from "chai";
import {
  type Bundled,
  redact,
  reply,
  threadsPath,
} from "../../support/relations.ts";
import {
  act,
  idsOf,
  makePublicRoom,
  makeRoom,
  makeRoomOfTwo,
  must,
  path,
  say,
} from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

interface Threads {
  chunk: Bundled[];
  next_batch?: string;
}

describe("GET /rooms/{roomId}/threads", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const roomOfTwo = () => makeRoomOfTwo(alice, bob);

  const list = async (
    user: TestUser,
    roomId: string,
    query = "",
  ): Promise<Threads> =>
    must<Threads>(await user.get(`${threadsPath(roomId)}${query}`));

  const makeThreads = async (roomId: string, by: readonly TestUser[]) => {
    const roots: string[] = [];
    for (const user of by) roots.push(await say(user, roomId, "root"));
    for (const root of roots) await reply(alice, roomId, root);
    return roots;
  };

  it("lists the threads with the newest replies first, and pages through them", async () => {
    const roomId = await roomOfTwo();
    const roots = await makeThreads(roomId, [alice, bob, alice, bob]);
    const [first, second, third, fourth] = roots;
    const newest = await reply(bob, roomId, first!, "bumped");
    const expected = [first, fourth, third, second];
    const all = await list(bob, roomId);
    expect(idsOf(all.chunk)).to.deep.equal(expected);
    expect(all).not.to.have.property("next_batch");
    const thread = all.chunk[0]!.unsigned["m.relations"]?.["m.thread"];
    expect(thread?.latest_event.event_id).to.equal(newest);
    const seen: string[] = [];
    let query = "?limit=1";
    for (;;) {
      const page = await list(bob, roomId, query);
      seen.push(...idsOf(page.chunk));
      if (page.next_batch === undefined) break;
      query = `?limit=1&from=${page.next_batch}`;
    }
    expect(seen).to.deep.equal(expected);
  });

  it("answers at the path of before the specification", async () => {
    const roomId = await roomOfTwo();
    const roots = await makeThreads(roomId, [alice]);
    const old = threadsPath(roomId).replace(
      "/client/v1/",
      "/client/unstable/org.matrix.msc3856/",
    );
    expect(idsOf(must<Threads>(await bob.get(old)).chunk)).to.deep.equal(roots);
  });

  it("lists those alone that the user began or spoke in, where that is asked for", async () => {
    const roomId = await roomOfTwo();
    const [own, joined] = await makeThreads(roomId, [bob, alice, alice]);
    await reply(bob, roomId, joined!);
    const found = await list(bob, roomId, "?include=participated");
    expect(idsOf(found.chunk)).to.deep.equal([joined, own]);
    const all = await list(bob, roomId, "?include=all");
    expect(all.chunk).to.have.length(3);
  });

  it("goes by the replies that are there: a thread ends with its last one", async () => {
    const roomId = await roomOfTwo();
    const [first, second] = await makeThreads(roomId, [alice, alice]);
    const bump = await reply(alice, roomId, first!);
    expect(idsOf((await list(bob, roomId)).chunk)).to.deep.equal([
      first,
      second,
    ]);
    must(await redact(alice, roomId, bump));
    const { chunk } = await list(bob, roomId);
    expect(idsOf(chunk)).to.deep.equal([second, first]);
    const thread = chunk[0]!.unsigned["m.relations"]?.["m.thread"];
    must(await redact(alice, roomId, thread!.latest_event.event_id));
    expect(idsOf((await list(bob, roomId)).chunk)).to.deep.equal([first]);
  });

  it("goes by what others than the ignored said, and shows an ignored user's root redacted", async () => {
    const roomId = await roomOfTwo();
    const carol = await server.user("carol");
    await act(carol, roomId, "join");
    const [first, second] = await makeThreads(roomId, [bob, alice]);
    await reply(bob, roomId, first!);
    const type = "m.ignored_user_list";
    must(
      await carol.put(path`/user/${carol.userId}/account_data/${type}`, {
        ignored_users: { [bob.userId]: {} },
      }),
    );
    const { chunk } = await list(carol, roomId);
    expect(idsOf(chunk)).to.deep.equal([second, first]);
    expect(chunk[1]!.content).to.deep.equal({});
    const thread = chunk[1]!.unsigned["m.relations"]?.["m.thread"];
    expect(thread?.count).to.equal(1);
  });

  it("shows nothing that the user may not see", async () => {
    const roomId = await makePublicRoom(alice, "joined");
    const before = await say(alice, roomId, "before bob");
    await act(bob, roomId, "join");
    const during = await say(alice, roomId, "with bob");
    for (const root of [during, before]) await reply(alice, roomId, root);
    expect(idsOf((await list(bob, roomId)).chunk)).to.deep.equal([during]);
    await act(bob, roomId, "leave");
    const after = await say(alice, roomId, "without bob");
    await reply(alice, roomId, after);
    await reply(alice, roomId, during);
    const { chunk } = await list(bob, roomId);
    expect(idsOf(chunk)).to.deep.equal([during]);
    const thread = chunk[0]!.unsigned["m.relations"]?.["m.thread"];
    expect(thread?.count).to.equal(1);
    const closed = await makeRoom(alice);
    const refused = await bob.get(threadsPath(closed));
    expect(refused.status).to.equal(403);
  });

  it("row 66: a limit of any size gives 1,000 at the most", async function () {
    this.timeout(30_000);
    const roomId = await roomOfTwo();
    await Promise.all(
      Array.from({ length: 1_002 }, async () => {
        const root = await say(alice, roomId, "root");
        await reply(alice, roomId, root);
      }),
    );
    for (const limit of [1_000_000_000, Number.MAX_SAFE_INTEGER]) {
      const page = await list(alice, roomId, `?limit=${limit}`);
      expect(page.chunk).to.have.length(1_000);
    }
  });

  for (const query of ["include=some", "from=x", "limit=-1"]) {
    it(`refuses ?${query} with 400`, async () => {
      const roomId = await makeRoom(alice);
      const { status } = await alice.get(`${threadsPath(roomId)}?${query}`);
      expect(status).to.equal(400);
    });
  }
});
