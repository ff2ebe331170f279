import { expect } from "chai";
import { searchUsers } from "../../../src/domain/directory/search-users.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { act, makeRoom, must, path } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestClient, TestUser } from "../../support/server.ts";

interface Found {
  results: { user_id: string; display_name?: string; avatar_url?: string }[];
  limited: boolean;
}

const search = async (user: TestClient, search_term: string, limit?: number) =>
  must<Found>(
    await user.post("/user_directory/search", {
      search_term,
      ...(limit !== undefined && { limit }),
    }),
  );

const idsIn = ({ results }: Found) => results.map(({ user_id: id }) => id);

const rename = async (user: TestUser, displayname: string) =>
  must(
    await user.put(path`/profile/${user.userId}/displayname`, { displayname }),
  );

describe("the user directory of a company", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("robert.jones");
    await rename(bob, "Bob Jones");
    const avatar_url = "mxc://test/bob";
    must(
      await bob.put(path`/profile/${bob.userId}/avatar_url`, { avatar_url }),
    );
  });

  it("finds colleagues without a room in common, by name and by id", async () => {
    for (const term of ["bob", "JONES b", "robert", "jones", bob.userId])
      expect(await search(alice, term), term).to.deep.equal({
        results: [
          {
            user_id: bob.userId,
            display_name: "Bob Jones",
            avatar_url: "mxc://test/bob",
          },
        ],
        limited: false,
      });
    for (const term of ["", "@", "ob", "%", "_", "b_b", "@robert:elsewhere"])
      expect(idsIn(await search(alice, term)), term).to.deep.equal([]);
    expect(idsIn(await search(alice, "@robert.jones:te"))).to.deep.equal([
      bob.userId,
    ]);
  });

  it("follows what people call themselves, in every process", async () => {
    const carol = await server.user("carol");
    const other = (await server.startProcess()).as(alice);
    const both = async (term: string) => [
      idsIn(await search(alice, term)),
      idsIn(await search(other, term)),
    ];
    const found = [[carol.userId], [carol.userId]];
    expect(await both("carol")).to.deep.equal(found);
    await rename(carol, "Karoline Ärmel");
    expect(await both("ärmel")).to.deep.equal(found);
    await rename(carol, "Somebody");
    expect(await both("ärmel")).to.deep.equal([[], []]);
    must(await carol.delete(path`/profile/${carol.userId}/displayname`));
    expect(await both("somebody")).to.deep.equal([[], []]);
    expect(await both("carol")).to.deep.equal(found);
  });

  it("tells how many it shows, and that there are more", async () => {
    for (let i = 0; i < 12; i += 1) await server.user(`crowd${i}`);
    const ten = await search(alice, "crowd");
    expect([ten.results.length, ten.limited]).to.deep.equal([10, true]);
    const all = await search(alice, "crowd", 1_000_000_000);
    expect([all.results.length, all.limited]).to.deep.equal([12, false]);
    const none = await search(alice, "crowd", 0);
    expect([none.results.length, none.limited]).to.deep.equal([0, true]);
  });

  it("shows nobody whose account has come to an end", async () => {
    for (const erase of [false, true]) {
      const gone = await server.user(`leaver${String(erase)}`);
      expect(idsIn(await search(alice, "leaver"))).to.deep.equal([gone.userId]);
      must(
        await gone.post("/account/deactivate", {
          erase,
          auth: {
            type: "m.login.password",
            identifier: { type: "m.id.user", user: gone.userId },
            password: gone.password,
          },
        }),
      );
      expect(idsIn(await search(alice, "leaver"))).to.deep.equal([]);
    }
  });

  it("tells no name that somebody has in one room alone", async () => {
    const dora = await server.user("dora");
    const roomId = await makeRoom(dora);
    must(
      await dora.put(
        path`/rooms/${roomId}/state/m.room.member/${dora.userId}`,
        {
          membership: "join",
          displayname: "Secret Nickname",
        },
      ),
    );
    expect(idsIn(await search(alice, "secret"))).to.deep.equal([]);
  });

  it("takes as many statements for many as for few", async () => {
    const take = async (term: string) => {
      const { sql, taken } = countStatements(server.edges.db);
      const edges = { ...server.edges, db: sql, memory: new ProcessMemory() };
      await searchUsers(edges, alice.userId, term, 50);
      taken();
      const { results } = await searchUsers(edges, alice.userId, term, 50);
      return { found: results.length, statements: taken() };
    };
    const few = await take("robert");
    const many = await take("crowd");
    expect([few.found, many.found]).to.deep.equal([1, 12]);
    expect(many.statements).to.equal(few.statements);
    expect(many.statements).to.be.below(6);
  });
});

describe("the user directory of a public server", () => {
  const server = useServer({ "user_directory.search_all_users": false });
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  const isFound = async (user: TestUser) =>
    idsIn(await search(alice, user.userId)).includes(user.userId);

  it("row 68: finds who shares a room with the searcher, and nobody else", async () => {
    const bob = await server.user("bob");
    const roomId = await makeRoom(bob, { preset: "private_chat" });
    expect(await isFound(bob)).to.equal(false);
    await act(bob, roomId, "invite", { user_id: alice.userId });
    expect(await isFound(bob)).to.equal(false);
    await act(alice, roomId, "join");
    expect(await isFound(bob)).to.equal(true);
    await act(alice, roomId, "leave");
    expect(await isFound(bob)).to.equal(false);
    expect(await isFound(alice)).to.equal(true);
  });

  it("row 68: finds who is in a public room, as long as it is one", async () => {
    const carol = await server.user("carol");
    const roomId = await makeRoom(carol, { preset: "public_chat" });
    const rule = async (join_rule: string) =>
      must(
        await carol.put(path`/rooms/${roomId}/state/m.room.join_rules`, {
          join_rule,
        }),
      );
    expect(await isFound(carol)).to.equal(true);
    await rule("invite");
    expect(await isFound(carol)).to.equal(false);
    await rule("public");
    expect(await isFound(carol)).to.equal(true);
    await act(carol, roomId, "leave");
    expect(await isFound(carol)).to.equal(false);
  });
});
