import { expect } from "chai";
import {
  searchRooms,
  type RoomsQuery,
} from "../../../src/domain/admin/list-rooms.ts";
import { readRoomDetails } from "../../../src/domain/admin/room-details.ts";
import { countStatements } from "../../support/count-statements.ts";
import { act, makePublicRoom, makeRoom } from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";

const all: RoomsQuery = {
  ...{ order: "name", isDescending: false, term: "" },
  ...{ isPublished: null, isEmpty: null, limit: 500, offset: 0 },
};

describe("the statements of what administrators see of rooms", () => {
  const server = useServer();
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
    for (let i = 0; i < 10; i += 1) await makeRoom(alice, { name: `r${i}` });
  });

  /** What a process takes that knows nothing yet, and then that knows all. */
  const count = async (
    read: (edges: typeof server.edges) => Promise<unknown>,
  ): Promise<[number, number]> => {
    const { edges } = await server.startProcess();
    const { sql, taken } = countStatements(edges.db);
    const counting = { ...edges, db: sql };
    await read(counting);
    const first = taken();
    await read(counting);
    return [first, taken()];
  };

  it("are as many for 100 rooms as for 10, by whatever they are ordered", async () => {
    const queries: RoomsQuery[] = [
      all,
      { ...all, term: "r" },
      { ...all, order: "joined_members" },
    ];
    const few = await Promise.all(
      queries.map((query) =>
        count((edges) => searchRooms(edges, alice.userId, query)),
      ),
    );
    for (let i = 0; i < 90; i += 1) await makeRoom(alice, { name: `r1${i}` });
    for (const [i, query] of queries.entries()) {
      const many = await count((edges) =>
        searchRooms(edges, alice.userId, query),
      );
      expect(many, query.order).to.deep.equal(few[i]);
      // What has not changed is not read again.
      expect(many[1]).to.equal(1);
    }
  }).timeout(120_000);

  it("are as many for a room of 30 members as for one of its own", async () => {
    const roomId = await makePublicRoom(alice);
    const read = (edges: typeof server.edges) => readRoomDetails(edges, roomId);
    const few = await count(read);
    for (let i = 0; i < 30; i += 1) {
      const member = await server.user(`member${i}`);
      await act(member, roomId, "join");
    }
    expect(await count(read)).to.deep.equal(few);
  }).timeout(120_000);
});
