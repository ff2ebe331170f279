import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "chai";
import { createCommitter } from "../../src/storage/committer.ts";
import { openDatabase } from "../../src/storage/database.ts";
import type { Sql } from "../../src/storage/database.ts";
import { StorageUnavailable } from "../../src/storage/storage-unavailable.ts";
import type { Write } from "../../src/storage/write.ts";
import { committed } from "../support/committers.ts";
import { quiet, useDatabase } from "../support/database.ts";
import type { Proxy } from "../support/proxy.ts";
import { openProxy } from "../support/proxy.ts";
import { eventsWrite, newNid, roomWrite } from "../support/writes.ts";

describe("a committer whose connection fails", () => {
  const database = useDatabase();
  let proxy: Proxy;
  let pool: Sql;
  let committer: ReturnType<typeof createCommitter>;
  let heads: number[];

  beforeEach(async () => {
    proxy = await openProxy(database.url);
    pool = openDatabase(proxy.url, { poolSize: 1, log: quiet });
    heads = [];
    committer = createCommitter(pool, {
      now: () => 5,
      log: quiet,
      onCommit: ({ head }) => heads.push(head),
    });
  });
  afterEach(async () => {
    await committer.close();
    await pool.end({ timeout: 0 });
    await proxy.close();
  });

  const listPositions = async (eventIds: string[]) => {
    const rows = await database.sql<{ eventId: string; position: number }[]>`
      select event_id, position from events where event_id = any(${eventIds})`;
    return new Map(rows.map((row) => [row.eventId, row.position]));
  };

  it("answers what was decided when the answer was lost on its way", async () => {
    committed(await committer.commit({ positions: 1 }));
    const roomNid = newNid();
    committed(await committer.commit(roomWrite(roomNid)));
    const id = `$${newNid()}`;
    const writes: Write[] = [
      eventsWrite([{ eventId: id }, {}]),
      {
        positions: 1,
        rooms: [{ roomNid, stateVersion: 9, cited: [], left: [] }],
      },
      { positions: 1 },
    ];

    const answered = proxy.swallowAnswers();
    const results = writes.map((write) => committer.commit(write));
    await answered;
    proxy.cut();

    const [a, b, c] = await Promise.all(results);
    const first = committed(a!);
    expect(b).to.deep.equal({ status: "conflict", over: "room" });
    expect(committed(c!).firstPosition).to.equal(first.lastPosition + 1);
    expect((await listPositions([id])).get(id)).to.equal(first.firstPosition);
    expect(heads.at(-1)).to.equal(first.lastPosition + 1);
    const [voids] = await database.sql`
      select count(*) as n from batches where last_position is null and lost is null`;
    expect(voids).to.deep.equal({ n: 0 });
  });

  it("writes a record by itself once when the answer was lost on its way", async () => {
    const head = committed(await committer.commit({ positions: 1 }));
    const answered = proxy.swallowAnswers();
    const result = committer.commit({ positions: 0, audit: ["{}"] });
    await answered;
    proxy.cut();
    committed(await result);
    const rows = await database.sql`select record from audit_log`;
    expect(rows).to.deep.equal([{ record: "{}" }]);
    const [stream] = await database.sql`
      select max(last_position)::int as head from batches`;
    expect(stream).to.deep.equal({ head: head.lastPosition });
  });

  it("commits each write once while its connections are ended at random moments", async () => {
    let killed = 0;
    const killing = (async () => {
      while (killed < 20) {
        await pause(randomInt(1, 60));
        const rows = await database.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'myelin committer'`;
        killed += rows.length;
      }
    })();

    const told = new Map<string, number>();
    const writer = async () => {
      while (killed < 20) {
        const eventId = `$kill${newNid()}`;
        const key = randomBytes(16);
        const write = eventsWrite([{ eventId }], {
          idempotency: [{ key, answer: eventId }],
        });
        for (;;) {
          const result = await committer.commit(write).catch(() => undefined);
          if (result === undefined) {
            await pause(5);
            continue;
          }
          told.set(
            eventId,
            result.status === "committed" ? result.firstPosition : NaN,
          );
          break;
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, writer));
    await killing;

    const stored = await listPositions([...told.keys()]);
    expect(told.size).to.be.above(8);
    expect(stored.size).to.equal(told.size);
    for (const [eventId, position] of told) {
      // NaN: an earlier attempt, answered with an error, had been committed.
      if (!Number.isNaN(position))
        expect(stored.get(eventId), eventId).to.equal(position);
    }
    const gaps = await database.sql`
      select last_position from (
        select last_position, lag(last_position) over (order by last_position) as before,
          (select count(*) from events e where e.position <= b.last_position) as events
        from batches b where last_position is not null) t
      where before > last_position`;
    expect(gaps).to.have.length(0);
  });

  it("fails within five seconds, and works again, where the database does not answer", async () => {
    committed(await committer.commit({ positions: 1 }));
    proxy.freeze();
    const started = performance.now();
    const results = await Promise.all(
      [1, 2].map((positions) =>
        committer.commit({ positions }).catch((error: unknown) => error),
      ),
    );
    expect(performance.now() - started).to.be.below(5500);
    for (const error of results) {
      expect(error).to.be.instanceOf(StorageUnavailable);
      expect(error).to.include({ isKnown: false });
    }
    proxy.cut();
    committed(await committer.commit({ positions: 1 }));
  });

  it("fails where there is no database, and says that nothing happened", async () => {
    const nowhere = openDatabase("postgres://nobody@127.0.0.1:1/none", {
      poolSize: 1,
      log: quiet,
    });
    const lost = createCommitter(nowhere, { now: () => 5, log: quiet });
    const started = performance.now();
    const error = await lost
      .commit({ positions: 1 })
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StorageUnavailable);
    expect(error).to.include({ isKnown: true, code: "08000" });
    expect(performance.now() - started).to.be.below(5500);
    await lost.close();
    await nowhere.end();
  });

  it("finishes what it has when it is closed, and takes no more", async () => {
    const waiting = [1, 2, 3].map((positions) =>
      committer.commit({ positions }),
    );
    await committer.close();
    for (const result of await Promise.all(waiting)) committed(result);
    const error = await committer
      .commit({ positions: 1 })
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StorageUnavailable);
  });
});
