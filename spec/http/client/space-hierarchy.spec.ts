import { expect } from "chai";
import { readHierarchy } from "../../../src/domain/directory/space-hierarchy.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { act, makeRoom, must, path, setState } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";

interface Entry extends Json {
  room_id: string;
  children_state: Json[];
}

interface Page {
  rooms: Entry[];
  next_batch?: string;
}

const SPACE = { creation_content: { type: "m.space" } };

describe("the hierarchy of a space", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let last = 0;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const make = (name: string, more: Json = {}) =>
    makeRoom(alice, { name, preset: "public_chat", ...more });

  const makeSpace = (name: string, more: Json = {}) =>
    make(name, { ...SPACE, ...more });

  const addChild = (space: string, child: string, more: Json = {}) =>
    setState(alice, space, "m.space.child", { via: ["test"], ...more }, child);

  const ask = (user: TestUser, roomId: string, query = "") =>
    user.get(`/_matrix/client/v1${path`/rooms/${roomId}/hierarchy`}${query}`);

  const walk = async (user: TestUser, roomId: string, query = "") =>
    must<Page>(await ask(user, roomId, query));

  const idsOf = ({ rooms }: Page) => rooms.map(({ room_id: id }) => id);

  /** A space with a room and a space, in which are two more of each; all of it in order. */
  async function makeTree(): Promise<{
    root: string;
    room: string;
    inner: string;
    innermost: string;
    deep: string;
  }> {
    const [root, inner, innermost] = [
      await makeSpace("root"),
      await makeSpace("inner"),
      await makeSpace("innermost"),
    ];
    const [room, deep] = [await make("room"), await make("deep")];
    await addChild(root, inner, { order: "a" });
    await addChild(root, room, { order: "b", suggested: true });
    await addChild(inner, innermost, { suggested: true });
    await addChild(innermost, deep);
    return { root, room, inner, innermost, deep };
  }

  it("shows a space and what is beneath it, children behind their parent, each once", async () => {
    const { root, room, inner, innermost, deep } = await makeTree();
    await addChild(deep, root);
    await addChild(innermost, root);
    await addChild(innermost, inner);
    const page = await walk(bob, root);
    expect(idsOf(page)).to.deep.equal([root, inner, innermost, deep, room]);
    expect(page.rooms[0]).to.deep.include({
      room_id: root,
      name: "root",
      room_type: "m.space",
      num_joined_members: 1,
      join_rule: "public",
      world_readable: false,
      guest_can_join: false,
      room_version: "12",
    });
    const [first, second] = page.rooms[0]!.children_state;
    expect(first).to.include({
      type: "m.space.child",
      state_key: inner,
      sender: alice.userId,
    });
    expect(first).to.have.all.keys(
      ...["type", "state_key", "sender", "content", "origin_server_ts"],
    );
    expect(second).to.include({ state_key: room });
    // A room that is no space has no children, whatever it says.
    expect(page.rooms[3]!.children_state).to.deep.equal([]);
  });

  it("goes no deeper than asked, and no further than suggested", async () => {
    const { root, room, inner, innermost } = await makeTree();
    const shown = async (query: string) => idsOf(await walk(bob, root, query));
    expect(await shown("?max_depth=0")).to.deep.equal([root]);
    expect(await shown("?max_depth=1")).to.deep.equal([root, inner, room]);
    expect(await shown("?max_depth=2")).to.deep.equal([
      ...[root, inner, innermost, room],
    ]);
    expect(await shown("?suggested_only=true")).to.deep.equal([root, room]);
    expect(await shown("?max_depth=1000000000")).to.have.length(5);
    const page = await walk(bob, root, "?suggested_only=true");
    expect(page.rooms[0]!.children_state).to.have.length(1);
  });

  it("orders children by their order, their time and their id", async () => {
    const root = await makeSpace("ordered");
    const rooms: string[] = [];
    const orders = ["b", "~", undefined, "a", 5, "x".repeat(51), "é", ""];
    for (const [i, order] of orders.entries()) {
      const roomId = await make(`${i}`);
      rooms.push(roomId);
      await addChild(root, roomId, order === undefined ? {} : { order });
    }
    const children = idsOf(await walk(bob, root)).slice(1);
    const expected = [3, 0, 1, 2, 4, 5, 6, 7].map((i) => rooms[i]);
    expect(children).to.deep.equal(expected);
  });

  it("drops children whose link was cut, or says no way to them", async () => {
    const root = await makeSpace("links");
    const rooms = await Promise.all(["0", "1", "2", "3"].map((n) => make(n)));
    const link = await addChild(root, rooms[0]!);
    await setState(alice, root, "m.space.child", {}, rooms[1]!);
    await addChild(root, rooms[2]!, { via: [] });
    await addChild(root, rooms[3]!, { via: "test" });
    await setState(alice, root, "m.space.child", { via: ["x"] }, "no room");
    const page = await walk(bob, root);
    expect(idsOf(page)).to.deep.equal([root, rooms[0]]);
    expect(page.rooms[0]!.children_state).to.have.length(1);
    const redaction = path`/rooms/${root}/redact/${link}/${`r${(last += 1)}`}`;
    must(await alice.put(redaction, {}));
    expect(idsOf(await walk(bob, root))).to.deep.equal([root]);
  });

  it("comes in pages, whose tokens hold for the same walk alone", async () => {
    const { root, ...tree } = await makeTree();
    const { room, inner, innermost, deep } = tree;
    const first = await walk(bob, root, "?limit=2");
    expect(idsOf(first)).to.deep.equal([root, inner]);
    const from = first.next_batch!;
    const other = (await server.startProcess()).as(bob);
    const target = `/_matrix/client/v1${path`/rooms/${root}/hierarchy`}`;
    for (const client of [bob, other]) {
      const answer = await client.get(`${target}?limit=2&from=${from}`);
      const second = must<Page>(answer);
      expect(idsOf(second)).to.deep.equal([innermost, deep]);
      const rest = await walk(bob, root, `?limit=2&from=${second.next_batch!}`);
      expect(idsOf(rest)).to.deep.equal([room]);
      expect(rest).not.to.have.property("next_batch");
    }
    for (const query of [
      `?from=${from}&max_depth=1`,
      `?from=${from}&suggested_only=true`,
      "?from=x",
      "?from=h1_1_1_1x",
      "?limit=0",
      "?max_depth=-1",
    ]) {
      const { status, body } = await ask(bob, root, query);
      expect([status, body["errcode"]], query).to.deep.equal([
        400,
        "M_INVALID_PARAM",
      ]);
    }
  });

  it("shows a room to those alone who may know of it", async () => {
    const root = await makeSpace("access");
    const secret = await make("secret", { preset: "private_chat" });
    const knocking = await make("knocking", {
      initial_state: [
        { type: "m.room.join_rules", content: { join_rule: "knock" } },
      ],
    });
    const allow = [{ type: "m.room_membership", room_id: root }];
    const restricted = await make("restricted", {
      initial_state: [
        {
          type: "m.room.join_rules",
          content: { join_rule: "restricted", allow },
        },
      ],
    });
    for (const room of [secret, knocking, restricted, "!absent:test"])
      await addChild(root, room, { order: "a" });
    const sees = async (user: TestUser) =>
      idsOf(await walk(user, root)).slice(1);
    const carol = await server.user("carol");
    expect(await sees(carol)).to.deep.equal([knocking]);
    await act(carol, root, "join");
    expect(await sees(carol)).to.have.members([knocking, restricted]);
    const page = await walk(carol, root);
    const entry = page.rooms.find(({ room_id: id }) => id === restricted);
    expect(entry).to.deep.include({
      allowed_room_ids: [root],
      join_rule: "restricted",
    });
    // What the space says of itself names the others too: that is the space's to tell.
    expect(page.rooms[0]!.children_state).to.have.length(4);
    await act(alice, secret, "invite", { user_id: carol.userId });
    expect(await sees(carol)).to.include(secret);
    await act(carol, secret, "leave");
    expect(await sees(carol)).not.to.include(secret);
  });

  it("is told to nobody of a room that they may not know of, nor that there is one", async () => {
    const secret = await make("hidden", { preset: "private_chat", ...SPACE });
    const real = await ask(bob, secret);
    const absent = await ask(bob, `!${"x".repeat(43)}`);
    expect([real.status, real.body["errcode"]]).to.deep.equal([
      403,
      "M_FORBIDDEN",
    ]);
    expect(real.text).to.equal(absent.text);
    expect((await ask(bob, "nonsense")).text).to.equal(absent.text);
  });

  it("takes as many statements for a hundred rooms as for two", async () => {
    const take = async (count: number) => {
      const root = await makeSpace(`with ${count}`);
      const inner = await makeSpace("inner");
      await addChild(root, inner);
      for (let i = 0; i < count; i += 1)
        await addChild(i % 2 ? root : inner, await make(`${i}`));
      const { sql, taken } = countStatements(server.edges.db);
      const edges = { ...server.edges, db: sql, memory: new ProcessMemory() };
      const page = await readHierarchy(edges, bob.userId, root, {
        ...{ limit: 500, maxDepth: 20, isSuggestedOnly: false },
        from: undefined,
      });
      expect(page.rooms).to.have.length(count + 2);
      return taken();
    };
    const few = await take(2);
    expect(await take(100)).to.equal(few);
    expect(few).to.be.below(60);
  }).timeout(60_000);

  it("row 66: a space with itself, and with thousands of others that are not there, ends", async () => {
    const root = await makeSpace("endless");
    await addChild(root, root);
    const { sql } = server.database;
    const event = await addChild(root, "!absent0:test");
    await sql`
      insert into current_state (room_nid, type, state_key, nid)
      select room_nid, 'm.space.child', '!absent' || n || ':test', nid
      from events, generate_series(1, 20000) as n where event_id = ${event}`;
    const page = await walk(bob, root, "?limit=1000000000");
    expect(idsOf(page)).to.deep.equal([root]);
    expect(page.rooms[0]!.children_state.length).to.be.at.most(10_000);
  }).timeout(30_000);
});
