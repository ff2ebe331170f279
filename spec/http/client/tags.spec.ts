import { expect } from "chai";
import { makeRoom, must, path } from "../../support/rooms.ts";
import { type Json, type TestUser, useServer } from "../../support/server.ts";

describe("/user/{userId}/rooms/{roomId}/tags", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const tagsOf = async (user: TestUser, roomId: string): Promise<Json> =>
    must<{ tags: Json }>(
      await user.get(path`/user/${user.userId}/rooms/${roomId}/tags`),
    ).tags;

  const tagPath = (user: TestUser, roomId: string, tag: string) =>
    path`/user/${user.userId}/rooms/${roomId}/tags/${tag}`;

  it("sets, changes and takes away tags, as account data that syncs tell", async () => {
    const roomId = await makeRoom(alice);
    expect(await tagsOf(alice, roomId)).to.deep.equal({});
    must(
      await alice.put(tagPath(alice, roomId, "m.favourite"), { order: 0.25 }),
    );
    must(await alice.put(tagPath(alice, roomId, "u.Work/Home"), {}));
    must(
      await alice.put(tagPath(alice, roomId, "m.favourite"), { order: 0.5 }),
    );
    const tags = { "m.favourite": { order: 0.5 }, "u.Work/Home": {} };
    expect(await tagsOf(alice, roomId)).to.deep.equal(tags);
    const sync = must<{ rooms: { join: Record<string, Json> } }>(
      await alice.get("/sync"),
    );
    const data = sync.rooms.join[roomId]!["account_data"] as { events: Json[] };
    expect(data.events).to.deep.include({ type: "m.tag", content: { tags } });
    must(await alice.delete(tagPath(alice, roomId, "m.favourite")));
    must(await alice.delete(tagPath(alice, roomId, "never.there")));
    expect(await tagsOf(alice, roomId)).to.deep.equal({ "u.Work/Home": {} });
  });

  it("loses none of many that are set at once, in two processes", async () => {
    const roomId = await makeRoom(alice);
    const other = await server.startProcess();
    const names = Array.from({ length: 12 }, (_, i) => `u.${i}`);
    const answers = await Promise.all(
      names.map((name, i) =>
        (i % 2 ? other.as(alice) : alice).put(tagPath(alice, roomId, name), {}),
      ),
    );
    for (const answer of answers) must(answer);
    expect(Object.keys(await tagsOf(alice, roomId))).to.have.members(names);
  });

  it("are nobody else's business", async () => {
    const roomId = await makeRoom(alice);
    const answers = [
      await bob.get(path`/user/${alice.userId}/rooms/${roomId}/tags`),
      await bob.put(tagPath(alice, roomId, "u.x"), {}),
      await bob.delete(tagPath(alice, roomId, "u.x")),
    ];
    expect(answers.map(({ status }) => status)).to.deep.equal([403, 403, 403]);
    const own = await bob.put(tagPath(bob, roomId, "u.x"), {});
    const unknown = await bob.put(tagPath(bob, "!no:test", "u.x"), {});
    expect(own.text).to.equal(unknown.text);
  });

  it("have an order that is a number", async () => {
    const roomId = await makeRoom(alice);
    const answer = await alice.put(tagPath(alice, roomId, "u.x"), {
      order: "1",
    });
    expect([answer.status, answer.body["errcode"]]).to.deep.equal([
      400,
      "M_BAD_JSON",
    ]);
  });
});
