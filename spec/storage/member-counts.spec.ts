import { expect } from "chai";
import { makeRoom, path } from "../support/rooms.ts";
import { type TestUser, useServer } from "../support/server.ts";

const MEMBERS = 6;

describe("the members that a room counts", () => {
  const server = useServer();

  const counted = async () => {
    const [row] = await server.database.sql<
      { joined: number; invited: number }[]
    >`select joined_members as joined, invited_members as invited from rooms`;
    return row!;
  };
  const present = async () => {
    const [row] = await server.database.sql<
      { joined: number; invited: number }[]
    >`
      select (count(*) filter (where membership = 'join'))::int as joined,
        (count(*) filter (where membership = 'invite'))::int as invited
      from memberships`;
    return row!;
  };

  it("are those that it has, whoever comes, goes, is taken out or removed, in two processes at once", async () => {
    const other = await server.startProcess();
    const alice = await server.user("alice");
    const roomId = await makeRoom(alice, { preset: "public_chat" });
    const users: TestUser[] = [];
    for (let i = 0; i < MEMBERS; i += 1)
      users.push(await (i % 2 === 0 ? server : other).user(`user${i}`));
    const [bob, carol, dave, erin] = users as [
      TestUser,
      TestUser,
      TestUser,
      TestUser,
    ];
    await Promise.all(users.map((user) => user.post(path`/join/${roomId}`)));
    expect(await counted()).to.deep.equal({ joined: MEMBERS + 1, invited: 0 });

    await bob.put(path`/profile/${bob.userId}/displayname`, {
      displayname: "Bobby",
    });
    await Promise.all([
      carol.post(path`/rooms/${roomId}/leave`, {}),
      alice.post(path`/rooms/${roomId}/kick`, { user_id: dave.userId }),
      alice.post(path`/rooms/${roomId}/ban`, { user_id: erin.userId }),
    ]);
    expect(await counted()).to.deep.equal({ joined: MEMBERS - 2, invited: 0 });

    await alice.post(path`/rooms/${roomId}/invite`, { user_id: carol.userId });
    await alice.post(path`/rooms/${roomId}/invite`, { user_id: dave.userId });
    expect(await counted()).to.deep.equal({ joined: MEMBERS - 2, invited: 2 });

    await carol.post(path`/join/${roomId}`);
    await dave.post(path`/rooms/${roomId}/leave`, {});
    await bob.post(path`/rooms/${roomId}/leave`, {});
    await bob.post(path`/rooms/${roomId}/forget`, {});
    expect(await counted()).to.deep.equal({ joined: MEMBERS - 2, invited: 0 });
    expect(await present()).to.deep.equal(await counted());
  });

  it("are none when its memberships are deleted", async () => {
    await server.database.sql`delete from memberships`;
    expect(await counted()).to.deep.equal({ joined: 0, invited: 0 });
  });
});
