import { expect } from "chai";
import { listPublicRooms } from "../../../src/domain/directory/public-rooms.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { act, makeRoom, must, path, setState } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { Json, TestUser } from "../../support/server.ts";

interface List {
  chunk: (Json & { room_id: string })[];
  next_batch?: string;
  prev_batch?: string;
  total_room_count_estimate: number;
}

const idsOf = ({ chunk }: List) => chunk.map((room) => room.room_id);
const makeListed = (user: TestUser, request: Json = {}) =>
  makeRoom(user, { visibility: "public", preset: "public_chat", ...request });

describe("/publicRooms", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;
  let carol: TestUser;
  /** Of three, two and one members. */
  let large: string;
  let middle: string;
  let space: string;

  const search = async (body: Json) =>
    must<List>(await bob.post("/publicRooms", body));

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
    carol = await server.user("carol");
    space = await makeListed(alice, {
      name: "100% Ärger",
      creation_content: { type: "m.space" },
    });
    middle = await makeListed(alice, { topic: "About_Badgers" });
    large = await makeListed(alice, {
      name: "Large",
      topic: "Everything",
      room_alias_name: "large",
      initial_state: [
        { type: "m.room.avatar", content: { url: "mxc://test/avatar" } },
        {
          type: "m.room.history_visibility",
          content: { history_visibility: "world_readable" },
        },
        {
          type: "m.room.guest_access",
          content: { guest_access: "can_join" },
        },
      ],
    });
    for (const user of [bob, carol]) await act(user, large, "join");
    await act(bob, middle, "join");
    await makeRoom(alice, { preset: "public_chat", name: "Not listed" });
  });

  it("shows anyone the listed rooms, the largest first", async () => {
    const list = must<List>(await server.get("/publicRooms"));
    expect(idsOf(list)).to.deep.equal([large, middle, space]);
    expect(list.total_room_count_estimate).to.equal(3);
    expect(list.chunk[0]).to.deep.equal({
      room_id: large,
      name: "Large",
      topic: "Everything",
      canonical_alias: "#large:test",
      avatar_url: "mxc://test/avatar",
      num_joined_members: 3,
      world_readable: true,
      guest_can_join: true,
      join_rule: "public",
    });
    expect(list.chunk[2]).to.deep.equal({
      room_id: space,
      name: "100% Ärger",
      room_type: "m.space",
      num_joined_members: 1,
      world_readable: false,
      guest_can_join: false,
      join_rule: "public",
    });
  });

  it("pages on and back by its tokens", async () => {
    const page = async (query: string) =>
      must<List>(await server.get(`/publicRooms?limit=1${query}`));
    const first = await page("");
    expect(idsOf(first)).to.deep.equal([large]);
    expect(first).not.to.have.property("prev_batch");
    const second = await page(`&since=${first.next_batch!}`);
    expect(idsOf(second)).to.deep.equal([middle]);
    const third = await search({ limit: 1, since: second.next_batch! });
    expect(idsOf(third)).to.deep.equal([space]);
    expect(third).not.to.have.property("next_batch");
    const back = await page(`&since=${third.prev_batch!}`);
    expect(idsOf(back)).to.deep.equal([middle]);
    const front = await page(`&since=${back.prev_batch!}`);
    expect(front.chunk).to.deep.equal(first.chunk);
  });

  it("begins where the token is empty, as clients say it that have none yet", async () => {
    const got = must<List>(await server.get("/publicRooms?limit=1&since="));
    const found = await search({ limit: 1, since: "" });
    for (const list of [got, found]) {
      expect(idsOf(list)).to.deep.equal([large]);
      expect(list).not.to.have.property("prev_batch");
    }
  });

  it("finds by name, topic and alias, whatever the case, each sign as itself", async () => {
    const found = async (generic_search_term: string) =>
      idsOf(await search({ filter: { generic_search_term } }));
    expect(await found("ärGER")).to.deep.equal([space]);
    expect(await found("badgers")).to.deep.equal([middle]);
    expect(await found("#large")).to.deep.equal([large]);
    expect(await found("%")).to.deep.equal([space]);
    expect(await found("_")).to.deep.equal([middle]);
    expect(await found("\\")).to.deep.equal([]);
    expect(await found("'; drop table rooms; --")).to.deep.equal([]);
    expect(await found("")).to.deep.equal([large, middle, space]);
  });

  it("tells rooms by their type, null for those without one", async () => {
    const found = async (room_types: unknown) =>
      idsOf(await search({ filter: { room_types } }));
    expect(await found(["m.space"])).to.deep.equal([space]);
    expect(await found([null])).to.deep.equal([large, middle]);
    expect(await found([null, "m.space"])).to.have.length(3);
    expect(await found([])).to.deep.equal([]);
    expect(await found(null)).to.have.length(3);
  });

  it("refuses tokens, limits and filters that are none", async () => {
    for (const body of [
      { since: "x" },
      { limit: -1 },
      { filter: [] },
      { filter: { room_types: [1] } },
    ]) {
      const { status, text } = await bob.post("/publicRooms", body);
      expect(status, text).to.equal(400);
    }
    expect((await server.get("/publicRooms?limit=x")).status).to.equal(400);
    expect((await server.post("/publicRooms", {})).status).to.equal(401);
  });

  it("cannot ask other servers, and knows its own name", async () => {
    const other = await bob.get("/publicRooms?server=elsewhere.example");
    expect(other.status).to.equal(502);
    expect((await bob.get("/publicRooms?server=%20")).status).to.equal(400);
    const own = must<List>(await bob.get("/publicRooms?server=test"));
    expect(own.chunk).to.have.length(3);
  });

  it("drops rooms that became private, empty or hidden", async () => {
    const roomId = await makeListed(alice, { name: "passing" });
    const isListed = async () =>
      idsOf(must<List>(await server.get("/publicRooms"))).includes(roomId);
    const rule = (join_rule: string) =>
      setState(alice, roomId, "m.room.join_rules", { join_rule });
    expect(await isListed()).to.equal(true);
    await rule("invite");
    expect(await isListed()).to.equal(false);
    await rule("knock");
    expect(await isListed()).to.equal(true);
    const listing = path`/directory/list/room/${roomId}`;
    must(await alice.put(listing, { visibility: "private" }));
    expect(await isListed()).to.equal(false);
    must(await alice.put(listing, { visibility: "public" }));
    await act(alice, roomId, "leave");
    expect(await isListed()).to.equal(false);
  });

  it("takes the same statements for however many rooms", async () => {
    const take = async () => {
      const { sql, taken } = countStatements(server.edges.db);
      const memory = new ProcessMemory();
      const asked = {
        limit: 100,
        since: undefined,
        term: "",
        roomTypes: undefined,
      };
      await listPublicRooms({ ...server.edges, db: sql, memory }, asked);
      return taken();
    };
    const few = await take();
    for (let i = 0; i < 5; i++) await makeListed(alice, { name: `${i}` });
    expect(await take())
      .to.equal(few)
      .and.to.be.lessThan(8);
  });
});
