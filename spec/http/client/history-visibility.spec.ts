import { expect } from "chai";
import fc from "fast-check";
import { runJob } from "../../../src/domain/jobs/job.ts";
import { indexWords } from "../../../src/domain/search/index-words.ts";
import { idsOf } from "../../support/rooms.ts";
import { useServer } from "../../support/server.ts";
import type { TestUser } from "../../support/server.ts";
import { checkReads, readPaths } from "./history-reads.ts";
import { playRoom, steps, type HistoryRoom } from "./history-room.ts";

describe("room history visibility", () => {
  const server = useServer();
  let alice: TestUser;
  let guests: TestUser[];
  let stranger: TestUser;

  before(async () => {
    alice = await server.user("alice");
    guests = await Promise.all(
      ["bob", "carol", "dave"].map((name) => server.user(name)),
    );
    stranger = await server.user("stranger");
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
    let checked = 0;
    const viewers = [alice, ...guests, stranger];
    const property = fc.asyncProperty(
      steps,
      fc.nat(),
      async (script, chance) => {
        const room = await playRoom(alice, guests, script);
        await checkWhole(room);
        // Words that were read, and words that were not read yet.
        if (chance % 2 === 0) await runJob(server.edges, indexWords);
        await checkReads(room, alice, viewers, chance);
        checked += room.events.length * viewers.length;
      },
    );
    await fc.assert(property, { numRuns: 8, endOnFailure: true });
    expect(readPaths.length).to.be.at.least(10);
    expect(checked).to.be.greaterThan(8 * 5 * 10);
  });
});
