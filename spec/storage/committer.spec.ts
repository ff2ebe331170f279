import { createHash, randomBytes } from "node:crypto";
import { expect } from "chai";
import { createCommitter } from "../../src/storage/committer.ts";
import type { CommitResult, Write } from "../../src/storage/write.ts";
import { quiet, useDatabase } from "../support/database.ts";
import { eventRow, eventsWrite, newNid, roomWrite } from "../support/writes.ts";

type TestCommitter = ReturnType<typeof createCommitter>;

describe("createCommitter", () => {
  const database = useDatabase();
  const commits: { base: number; head: number; rooms: number[] }[] = [];
  let one: TestCommitter;
  let two: TestCommitter;

  before(() => {
    const options = { now: () => 5, log: quiet };
    one = createCommitter(database.sql, {
      ...options,
      onCommit: ({ base, head, rooms }) => commits.push({ base, head, rooms }),
    });
    two = createCommitter(database.open(), options);
  });
  after(async () => {
    await Promise.all([one.close(), two.close()]);
  });

  const committed = (result: CommitResult) => {
    if (result.status !== "committed")
      throw new Error(`not committed: ${JSON.stringify(result)}`);
    return result;
  };

  it("gives each write its own positions, one after the other", async () => {
    const results = await Promise.all([
      one.commit(eventsWrite([{}, {}])),
      one.commit({ positions: 3 }),
      one.commit(eventsWrite([{}, { isOutlier: true }])),
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
      await one.commit({ positions: 1, events: [event] }),
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
});
void createHash;
void randomBytes;
void newNid;
void roomWrite;
export type Unused = Write;
