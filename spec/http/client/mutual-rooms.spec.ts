import { expect } from "chai";
import { act, makePublicRoom, makeRoom, must } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";

const PATHS = [
  "/_matrix/client/v1/mutual_rooms",
  "/_matrix/client/unstable/uk.half-shot.msc2666/user/mutual_rooms",
];

describe("mutual rooms", () => {
  const server = useServer();
  let alice: TestUser;
  let bob: TestUser;

  before(async () => {
    alice = await server.user("alice");
    bob = await server.user("bob");
  });

  const ask = (user: TestUser, other: string, more = "", path = PATHS[0]!) =>
    user.get(`${path}?user_id=${encodeURIComponent(other)}${more}`);

  it("are those that both are in, and no others", async () => {
    const shared = [await makePublicRoom(alice), await makePublicRoom(bob)];
    await act(bob, shared[0]!, "join");
    await act(alice, shared[1]!, "join");
    await makeRoom(alice, { invite: [bob.userId] });
    const left = await makePublicRoom(alice);
    await act(bob, left, "join");
    await act(bob, left, "leave");
    for (const path of PATHS) {
      const answer = must(await ask(alice, bob.userId, "", path));
      expect(answer).to.deep.equal({ joined: shared.toSorted(), count: 2 });
    }
    expect(must(await ask(bob, alice.userId))["count"]).to.equal(2);
  });

  it("are none with somebody who is not there", async () => {
    for (const other of ["@nobody:test", "@x:elsewhere.example"])
      expect(must(await ask(alice, other))).to.deep.equal({
        joined: [],
        count: 0,
      });
  });

  it("are refused with oneself, with what is no user, and from nowhere", async () => {
    for (const answer of [
      await ask(alice, alice.userId),
      await ask(alice, "bob"),
      await ask(alice, bob.userId, "&from=x"),
      await ask(alice, bob.userId, "&from=m1_AAAA"),
      await alice.get(PATHS[0]!),
    ]) {
      expect(answer.status, answer.text).to.equal(400);
    }
  });

  it("come in pages where they are many", async () => {
    const carol = await server.user("carol");
    const { sql } = server.database;
    await sql`
      insert into rooms (room_nid, room_id, room_version, created_ts)
      select -n, '!mutual' || n || ':test', '11', 0 from generate_series(1, 1500) as n`;
    for (const { userId } of [alice, carol])
      await sql`
        insert into memberships (user_id, room_nid, membership, sender, nid, position, since_position)
        select ${userId}, -n, 'join', ${userId}, -n, 1, 1 from generate_series(1, 1500) as n`;
    const first = must<{ joined: string[]; next_batch: string }>(
      await ask(alice, carol.userId),
    );
    expect(first).to.include({ count: 1_500 });
    const second = must<{ joined: string[] }>(
      await ask(alice, carol.userId, `&from=${first.next_batch}`),
    );
    expect(second).not.to.have.property("next_batch");
    const all = [...first.joined, ...second.joined];
    expect(new Set(all).size).to.equal(1_500);
    await sql`delete from memberships where room_nid < 0`;
    await sql`delete from rooms where room_nid < 0`;
  });
});
