import { expect } from "chai";
import { readKeyChanges } from "../../../src/domain/encryption/key-changes.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { newDevice } from "../../support/device-identity.ts";
import { requesterOf } from "../../support/requester.ts";
import { act, makeRoom, must } from "../../support/rooms.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("the statements of /keys/changes", () => {
  const server = useServer();

  const token = async (user: TestUser): Promise<string> =>
    must<{ next_batch: string }>(await user.get("/sync")).next_batch;

  /** What it takes after all of the members have come, changed their keys and gone again in part. */
  async function count(
    user: TestUser,
    roomCount: number,
    members: readonly TestUser[],
  ): Promise<{ statements: number; told: number }> {
    const from = await token(user);
    const rooms = await Promise.all(
      Array.from({ length: roomCount }, () =>
        makeRoom(user, { preset: "public_chat" }),
      ),
    );
    for (const member of members) {
      for (const roomId of rooms.slice(0, 5)) await act(member, roomId, "join");
      const { deviceKeys } = newDevice(member);
      must(await member.post("/keys/upload", { device_keys: deviceKeys }));
    }
    const to = await token(user);
    const counting = countStatements(server.edges.db);
    const edges = {
      ...server.edges,
      db: counting.sql,
      memory: new ProcessMemory(),
    };
    const { changed } = await readKeyChanges(edges, requesterOf(user), {
      from,
      to,
    });
    return { statements: counting.taken(), told: changed.length };
  }

  it("are as many for 60 rooms as for 2, and for 12 members as for one", async function () {
    this.timeout(60_000);
    const members: TestUser[] = [];
    for (let i = 0; i < 12; i += 1)
      members.push(await server.user(`member${i}`));
    const few = await count(await server.user("few"), 2, members.slice(0, 1));
    const many = await count(await server.user("many"), 60, members);
    expect([few.told, many.told]).to.deep.equal([1, 12]);
    expect(many.statements).to.equal(few.statements);
  });
});
