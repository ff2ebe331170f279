import { expect } from "chai";
import { readAccesses } from "../../../src/domain/privacy/accesses.ts";
import { exportPerson } from "../../../src/domain/privacy/export-person.ts";
import { countStatements } from "../../support/count-statements.ts";
import { makeRoom, say } from "../../support/rooms.ts";
import { useServer, type TestUser } from "../../support/server.ts";

describe("the statements of what a person may ask", () => {
  const server = useServer();
  let alice: TestUser;

  before(async () => {
    alice = await server.user("alice");
  });

  /** Asked by a process that has opened nothing yet. */
  const counts = async () => {
    const { edges } = await server.startProcess();
    const counted = countStatements(edges.db);
    const counting = { ...edges, db: counted.sql };
    let text = "";
    for await (const part of await exportPerson(counting, alice.userId))
      text += part;
    const exported = counted.taken();
    const page = { before: Number.MAX_SAFE_INTEGER, limit: 100 };
    await readAccesses(counting, alice.userId, page);
    const accesses = counted.taken();
    return { exported, accesses, said: text.split("hello there").length - 1 };
  };

  it("are as many for 40 rooms as for two", async () => {
    const fill = async (rooms: number) => {
      for (let i = 0; i < rooms; i += 1)
        await say(alice, await makeRoom(alice), "hello there");
    };
    await fill(2);
    const few = await counts();
    expect(few.said).to.equal(2);
    await fill(38);
    const many = await counts();
    expect(many.said).to.equal(40);
    expect(many.accesses).to.equal(few.accesses);
    // A page more of each table that has a row for each room, and of events.
    expect(many.exported - few.exported).to.be.below(12);
  }).timeout(60_000);
});
