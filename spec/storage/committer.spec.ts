import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { committed, useCommitters } from "../support/committers.ts";
import { useDatabase } from "../support/database.ts";
import { eventRow, eventsWrite } from "../support/writes.ts";

describe("createCommitter", () => {
  const database = useDatabase();
  const commits: { base: number; head: number; rooms: readonly number[] }[] =
    [];
  const [one] = useOne();

  function useOne() {
    const committers = useCommitters(database, 1, {
      onCommit: ({ base, head, rooms }) => commits.push({ base, head, rooms }),
    });
    return [
      (write: Parameters<(typeof committers)[0]["commit"]>[0]) =>
        committers[0]!.commit(write),
    ] as const;
  }

  it("gives each write its own positions, one after the other", async () => {
    const results = await Promise.all([
      one(eventsWrite([{}, {}])),
      one({ positions: 3 }),
      one(eventsWrite([{}, { isOutlier: true }])),
    ]);
    const [a, b, c] = results.map(committed);
    expect(a!.lastPosition - a!.firstPosition).to.equal(1);
    expect(b!.firstPosition).to.equal(a!.lastPosition + 1);
    expect(b!.lastPosition - b!.firstPosition).to.equal(2);
    expect(c).to.include({
      firstPosition: b!.lastPosition + 1,
      lastPosition: b!.lastPosition + 1,
    });
    expect(commits.at(-1)).to.deep.equal({
      base: a!.firstPosition - 1,
      head: c!.lastPosition,
      rooms: [1],
    });
  });

  it("stores an event with its numbers, its parts and its escaped names", async () => {
    const event = eventRow({
      type: 'odd\0"type',
      stateKey: "\ud800",
      relatesTo: "a\0b",
      skeleton: '{"a":"\\u0000"}',
      content: { firstKey: 0, secondKey: 0, sealed: Buffer.from([0, 1, 255]) },
    });
    const { firstPosition } = committed(
      await one({ positions: 1, events: [event] }),
    );
    const [row] = await database.sql`
      select e.*, c.sealed from events e join event_contents c using (nid) where nid = ${event.nid}`;
    expect(row).to.include({
      position: firstPosition,
      arrival: firstPosition,
      type: 'odd\\u0000\\"type',
      stateKey: "\\ud800",
      relatesTo: "a\\u0000b",
      skeleton: event.skeleton,
    });
    expect([...row!["sealed"]]).to.deep.equal([0, 1, 255]);
  });

  it("keeps an outlier out of the stream", async () => {
    const event = eventRow({ isOutlier: true });
    await one({ positions: 1, events: [event] });
    const [row] = await database.sql`
      select position, arrival from events where nid = ${event.nid}`;
    expect(row).to.deep.equal({ position: null, arrival: null });
  });

  it("refuses a write whose rows do not fit its positions, and no other", async () => {
    const bad = { positions: 1, events: [eventRow(), eventRow()] };
    const [failure, fine] = await Promise.all([
      one(bad).catch((error: unknown) => error),
      one(eventsWrite([{}])),
    ]);
    expect(failure).to.be.instanceOf(TypeError);
    expect(fine).to.include({ status: "committed" });
  });

  it("fails only the write that the database does not take", async () => {
    const ids = ["first", "second", "third"].map((id) => ({ eventId: id }));
    const [a, bad, c] = await Promise.all([
      one(eventsWrite([ids[0]!])),
      one(eventsWrite([{ eventId: "first" }])).catch((error: unknown) => error),
      one(eventsWrite([ids[2]!])),
    ]);
    expect(a).to.include({ status: "committed" });
    expect(bad).to.include({ code: "23505" });
    expect(c).to.include({ status: "committed" });
  });

  it("keeps what would wait for another process's batch, so that others join it", async () => {
    const { sql } = database;
    const held = await sql.reserve();
    await held`begin`;
    await held`select pg_advisory_xact_lock(hashtext('myelin stream head'))`;
    const first = one({ positions: 1 });
    for (let waiting = 0; waiting === 0;) {
      const [row] = await sql<{ waiting: number }[]>`
        select count(*)::int as waiting from pg_locks where locktype = 'advisory' and not granted`;
      waiting = row!.waiting;
    }
    await held`select pg_sleep(0.05)`;
    await held`commit`;
    held.release();
    await first;
    const second = one({ positions: 1 });
    // By then it would have left.
    await nextTurn();
    await nextTurn();
    const results = await Promise.all([second, one({ positions: 1 })]);
    const [a, b] = results.map(committed);
    expect(a!.upTo).to.equal(b!.upTo);
  });
});
