import { expect } from "chai";
import fc from "fast-check";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { indexWords } from "../../../src/domain/search/index-words.ts";
import { idsOf } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import { checkRoom, type HistoryPeople } from "./history-check.ts";
import { readPaths } from "./history-reads.ts";
import { GUESTS, steps, type HistoryRoom } from "./history-room.ts";

describe("room history visibility", () => {
  const server = useServer();
  let people: HistoryPeople;

  before(async () => {
    const [owner, stranger, ...guests] = await Promise.all(
      ["alice", "stranger", "bob", "carol"].map((name) => server.user(name)),
    );
    people = { owner: owner!, stranger: stranger!, guests };
    expect(guests).to.have.length(GUESTS);
  });

  /** That what the owner reads is all that is stored. */
  async function checkWhole({ roomId, events }: HistoryRoom): Promise<void> {
    const stored = await server.edges.db<{ eventId: string }[]>`
      select e.event_id from events e join rooms r on r.room_nid = e.room_nid
      where r.room_id = ${roomId} order by e.position`;
    expect(idsOf(events)).to.deep.equal(stored.map(({ eventId }) => eventId));
  }

  it("shows on /messages and on every other way to read a room what a naive oracle says, in rooms where anything happens", async function () {
    this.timeout(90_000);
    const counts = { rooms: 0, events: 0 };
    const property = fc.asyncProperty(
      steps,
      fc.nat(),
      async (script, chance) => {
        const { events } = await checkRoom(
          people,
          script,
          chance,
          async (room) => {
            await checkWhole(room);
            // Words that were read, and words that were not read yet.
            if (chance % 2 === 0) await runJob(server.edges, indexWords);
          },
        );
        counts.rooms += 1;
        counts.events += events.length;
      },
    );
    await fc.assert(property, { numRuns: 20, endOnFailure: true });
    expect(readPaths.length).to.be.at.least(14);
    expect(counts.rooms).to.equal(20);
    expect(counts.events).to.be.greaterThan(20 * 10);
  });
});
