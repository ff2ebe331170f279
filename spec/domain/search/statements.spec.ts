import { expect } from "chai";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { indexWords } from "../../../src/domain/search/index-words.ts";
import { searchMessages } from "../../../src/domain/search/search-messages.ts";
import { parseSearchRequest } from "../../../src/domain/search/search-request.ts";
import { ProcessMemory } from "../../../src/util/process-memory.ts";
import { countStatements } from "../../support/count-statements.ts";
import { makePublicRoom, say } from "../../support/rooms.ts";
import { requesterOf } from "../../support/requester.ts";
import { type TestUser, useServer } from "../../support/server.ts";

describe("the statements of a search", () => {
  const server = useServer();

  /** With nothing remembered, and with the words of all months of all rooms. */
  async function take(user: TestUser, term: string) {
    const { sql, taken } = countStatements(server.edges.db);
    const edges = { ...server.edges, db: sql, memory: new ProcessMemory() };
    const request = parseSearchRequest(
      {
        search_term: term,
        order_by: "recent",
        include_state: true,
        event_context: { include_profile: true },
        groupings: { group_by: [{ key: "room_id" }] },
      },
      undefined,
    );
    const text = await searchMessages(edges, requesterOf(user), request);
    const { search_categories: found } = JSON.parse(text) as {
      search_categories: { room_events: { results: unknown[] } };
    };
    return {
      found: found.room_events.results.length,
      statements: taken(),
    };
  }

  const sayInRooms = async (user: TestUser, count: number) => {
    for (let i = 0; i < count; i += 20) {
      const some = Array.from({ length: Math.min(20, count - i) }, async () =>
        say(user, await makePublicRoom(user), "common words, said often"),
      );
      await Promise.all(some);
    }
  };

  it("are as many for 200 rooms as for 10, read or not", async function () {
    this.timeout(120_000);
    const few = await server.user("few");
    const many = await server.user("many");
    await sayInRooms(few, 10);
    await sayInRooms(many, 200);
    for (const isRead of [false, true]) {
      if (isRead) await runJob(server.edges, indexWords);
      const inFew = await take(few, "common often");
      const inMany = await take(many, "common often");
      expect([inFew.found, inMany.found]).to.deep.equal([10, 10]);
      expect(inMany.statements).to.equal(inFew.statements);
      expect(inMany.statements).to.be.below(60);
    }
  });
});
