import { createHash } from "node:crypto";
import { expect } from "chai";
import { committed, useCommitters } from "../support/committers.ts";
import { useDatabase } from "../support/database.ts";
import { eventsWrite } from "../support/writes.ts";

describe("the stream of two processes", () => {
  const database = useDatabase();
  const committers = useCommitters(database, 2, { connections: 2 });

  it("shows a reader every position in order, without a hole", async () => {
    let isRunning = true;
    const reading = (async () => {
      const reader = database.open({ poolSize: 1 });
      let seen = 0;
      let polls = 0;
      for (let isLast = false; !isLast; polls += 1) {
        isLast = !isRunning;
        const rows = await reader<{ position: number }[]>`
          select position from events where position > ${seen} order by position`;
        for (const { position } of rows) {
          if (position !== seen + 1)
            throw new Error(`After ${seen} came ${position}.`);
          seen = position;
        }
      }
      return { seen, polls };
    })();

    const positions: number[] = [];
    const write = async (process: number, roomNid: number) => {
      for (let i = 0; i < 40; i += 1) {
        const events = Array.from({ length: 1 + (i % 3) }, () => ({ roomNid }));
        const result = await committers[process]!.commit(eventsWrite(events));
        const { firstPosition, lastPosition } = committed(result);
        for (let p = firstPosition; p <= lastPosition; p += 1)
          positions.push(p);
      }
    };
    await Promise.all(Array.from({ length: 24 }, (_, i) => write(i % 2, i)));
    isRunning = false;

    const { seen, polls } = await reading;
    expect(positions.sort((a, b) => a - b)).to.deep.equal(
      Array.from({ length: seen }, (_, i) => i + 1),
    );
    expect(polls).to.be.above(5);
  });

  it("tells each batch's rooms and users, which cover its positions", async () => {
    const write = eventsWrite([{ roomNid: 71 }], {
      wake: { rooms: [72], users: ["@w:test"] },
    });
    const { lastPosition } = committed(await committers[0]!.commit(write));
    const [batch] = await database.sql`
      select room_nids, user_ids from batches where last_position = ${lastPosition}`;
    expect(batch).to.deep.equal({ roomNids: [71, 72], userIds: ["@w:test"] });
  });

  it("names whoever has rows of their own, asked to or not", async () => {
    const { lastPosition } = committed(
      await committers[0]!.commit({
        positions: 1,
        rows: {
          accountData: [
            {
              at: 0,
              userId: "@own:test",
              roomNid: 0,
              type: "m.x",
              keyId: 0,
              sealed: Buffer.from("x"),
            },
          ],
          toDevice: [
            {
              at: 0,
              ordinal: 0,
              userId: "@device:test",
              deviceId: "D",
              keyId: 0,
              sealed: Buffer.from("x"),
            },
          ],
        },
      }),
    );
    const [batch] = await database.sql<{ userIds: string[] }[]>`
      select user_ids from batches where last_position = ${lastPosition}`;
    expect(batch!.userIds).to.have.members(["@own:test", "@device:test"]);
  });

  it("chains the audit records of both, each over the one before", async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        committers[i % 2]!.commit({
          positions: 1,
          audit: [`{"act":${i}}`, `{"é":"${"x".repeat(i)}"}`],
        }),
      ),
    );
    const rows = await database.sql<
      { seq: number; record: string; hash: Uint8Array }[]
    >`select seq, record, hash from audit_log order by seq`;
    expect(rows).to.have.length(60);
    let hash = Buffer.alloc(0);
    rows.forEach((row, i) => {
      hash = createHash("sha256")
        .update(hash)
        .update(`${i + 1} ${row.record}`)
        .digest();
      expect(row.seq).to.equal(i + 1);
      expect(Buffer.from(row.hash).equals(hash), `link ${i + 1}`).to.equal(
        true,
      );
    });
    const acts = new Set(rows.map(({ record }) => record));
    expect(acts.size).to.equal(60);
  });
});
