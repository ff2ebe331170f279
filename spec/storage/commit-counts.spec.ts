import { expect } from "chai";
import fc from "fast-check";
import { useCommitters } from "../support/committers.ts";
import { useDatabase } from "../support/database.ts";
import { eventRow, newNid } from "../support/writes.ts";

describe("running counts", () => {
  const database = useDatabase();
  const committers = useCommitters(database, 2);

  const event = fc.record({
    room: fc.integer({ min: 0, max: 2 }),
    thread: fc.constantFrom(null, null, "$t1", "$t2"),
    sender: fc.constantFrom("@a:test", "@b:test"),
    isCountable: fc.boolean(),
    isOutlier: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  const write = fc.record({
    events: fc.array(event, { minLength: 1, maxLength: 6 }),
    // Positions of other rows: the stream goes on between two messages of a sender.
    others: fc.constantFrom(0, 0, 3, 5000),
  });
  const batches = fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 6,
  });

  it("are those of counting one by one, whatever shares a batch", async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (sequence) => {
        const base = newNid() * 10;
        for (const writes of sequence) {
          await Promise.all(
            writes.map(({ events, others }, i) =>
              committers[i % 2]!.commit({
                positions:
                  Math.max(1, events.filter((e) => !e.isOutlier).length) +
                  others,
                events: events.map(({ room, ...rest }) =>
                  eventRow({ roomNid: base + room, ...rest }),
                ),
              }),
            ),
          );
        }
        await compare(base);
      }),
      { numRuns: 25 },
    );
  });

  async function compare(base: number): Promise<void> {
    const rows = await database.sql<
      {
        roomNid: number;
        thread: string | null;
        sender: string;
        isCountable: boolean;
        roomCount: number;
        threadCount: number;
        position: number;
      }[]
    >`
      select room_nid, thread, sender, is_countable, position, room_count, thread_count from events
      where room_nid between ${base} and ${base + 2} and position is not null order by position`;
    const counts = new Map<string, number>();
    const add = (name: string, isOne: boolean) => {
      const count = (counts.get(name) ?? 0) + Number(isOne);
      counts.set(name, count);
      return count;
    };
    const own = new Map<string, number>();
    for (const row of rows) {
      const line = `${row.roomNid} ${row.thread ?? "main"}`;
      expect(row.roomCount).to.equal(add(`${row.roomNid}`, row.isCountable));
      expect(row.threadCount).to.equal(add(line, row.isCountable));
      if (row.isCountable) own.set(`${line} ${row.sender}`, row.position);
    }
    const stored = await database.sql<
      { roomNid: number; thread: string; userId: string; position: number }[]
    >`select * from own_positions where room_nid between ${base} and ${base + 2}`;
    expect(
      new Map(
        stored.map((r) => [`${r.roomNid} ${r.thread} ${r.userId}`, r.position]),
      ),
    ).to.deep.equal(own);
    expect(stored).to.have.length(own.size);
  }
});
