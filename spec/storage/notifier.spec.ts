import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { createBus } from "../../src/storage/bus.ts";
import type { Bus } from "../../src/storage/bus.ts";
import { openSameDatabase } from "../../src/storage/database.ts";
import type { Sql } from "../../src/storage/database.ts";
import type {
  CommittedBatch,
  Notifier,
  WaitTopics,
} from "../../src/storage/notifier.ts";
import { createNotifier } from "../../src/storage/stream-notifier.ts";
import type { NotifierOptions } from "../../src/storage/stream-notifier.ts";
import { Caller } from "../../src/util/caller.ts";
import { quiet, useDatabase } from "../support/database.ts";

interface Process {
  sql: Sql;
  bus: Bus;
  notifier: Notifier;
}

/** Longer than any spec: what ends before has been woken. */
const LONG_MS = 60_000;

describe("Notifier", () => {
  const database = useDatabase();
  const started: Process[] = [];
  afterEach(async () => {
    for (const { notifier, bus } of started.splice(0)) {
      await notifier.close();
      await bus.close();
    }
  });

  /** Polls are off unless asked for, so that hints alone have to do. */
  const start = async (
    options: Partial<NotifierOptions> = {},
  ): Promise<Process> => {
    const sql = database.open();
    const bus = await createBus(sql, { log: quiet });
    const notifier = await createNotifier({
      sql,
      bus,
      log: quiet,
      pollMs: LONG_MS,
      ...options,
    });
    started.push({ sql, bus, notifier });
    return { sql, bus, notifier };
  };

  const commit = async (
    rooms: readonly number[] = [],
    users: readonly string[] = [],
    { positions = 1, isHinted = true, batchId = randomUUID() as string } = {},
  ): Promise<CommittedBatch> => {
    if (isHinted) {
      const touched = { rooms, users, writes: [] };
      const [row] = await database.sql<
        { answer: Pick<CommittedBatch, "base" | "head"> }[]
      >`
        select commit_batch(${batchId}, 0, ${[positions]}::int[], '[]', '{}', '{}', '{}', '{}',
          '{}', ${rooms as number[]}::bigint[], ${users as string[]}::text[]) as answer`;
      return { ...row!.answer, ...touched };
    }
    const [row] = await database.sql<CommittedBatch[]>`
      with head as (select coalesce(max(last_position), 0) as base from batches)
      insert into batches (batch_id, last_position, room_nids, user_ids, committed_ts)
      select gen_random_uuid(), base + ${positions}, ${rooms as number[]}::bigint[], ${users as string[]}::text[], 0
      from head
      returning last_position - ${positions} as base, last_position as head, room_nids as rooms, user_ids as users`;
    return { ...row!, writes: [] };
  };

  const wait = (
    { notifier }: Process,
    topics: Partial<WaitTopics>,
    {
      after = { position: notifier.position, mark: notifier.ephemeralMark },
      timeoutMs = LONG_MS,
      caller = new Caller(),
    } = {},
  ) =>
    notifier.wait(
      { userId: "@nobody:hs", roomNids: new Set(), ...topics },
      after,
      timeoutMs,
      caller,
    );

  /** Ends the LISTEN connections of all processes, as a failover does. */
  const cutListeners = async () => {
    await database.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen%'`;
  };

  describe("position", () => {
    it("follows what another process commits, through hints alone", async () => {
      const [one, two] = [await start(), await start()];
      const { base, head } = await commit([5], [], { positions: 3 });
      expect(head).to.equal(base + 3);
      const woken = await Promise.all(
        [one, two].map((process) =>
          wait(
            process,
            { roomNids: new Set([5]) },
            {
              after: { position: base, mark: 0 },
            },
          ),
        ),
      );
      expect(woken).to.deep.equal(["woken", "woken"]);
      expect([one.notifier.position, two.notifier.position]).to.deep.equal([
        head,
        head,
      ]);
    });

    it("tells where the stream ends before what was seen of it, once, and not of what is only late", async () => {
      const told: object[] = [];
      const one = await start({ pollMs: 10 });
      const two = await start();
      const kept = (await commit([1])).head;
      const { head: seen } = await commit([2]);
      await Promise.all([
        one.notifier.caughtUp(seen),
        two.notifier.caughtUp(seen),
      ]);
      const rewound = [one, two].map(
        ({ notifier }) =>
          new Promise<void>((resolve) =>
            notifier.onRewound((places) => {
              told.push(places);
              resolve();
            }),
          ),
      );
      await database.sql`delete from batches where last_position > ${kept}`;
      await rewound[0];
      // Without polls the connection tells: no database is restored beneath one that stays.
      expect(told).to.deep.equal([{ seen, head: kept }]);
      await cutListeners();
      await rewound[1];
      await one.notifier.refresh();
      expect(told).to.deep.equal([
        { seen, head: kept },
        { seen, head: kept },
      ]);
      await commit([3], [], { positions: 100 });
    });

    it("moves at once when its own committer says so", async () => {
      const { notifier } = await start();
      const answer = await commit([1], [], { isHinted: false });
      notifier.committed(answer);
      expect(notifier.position).to.equal(answer.head);
    });

    it("waits for the answer of its own committer where the bus is faster, and no longer than that is awaited", async () => {
      const one = await start();
      const before = one.notifier.position;
      const batchId = randomUUID();
      const settle = one.notifier.expect(batchId);
      const { head, ...rest } = await commit([1], ["@own:hs"], { batchId });
      // What the bus says is heard in order.
      const waiting = wait(one, { userId: "@told:hs" });
      one.bus.publish({
        kind: "ephemeral",
        ephemeral: {
          mark: one.notifier.ephemeralMark + 1,
          users: ["@told:hs"],
        },
      });
      expect(await waiting).to.equal("woken");
      expect(one.notifier.position).to.equal(before);
      one.notifier.committed({ head, ...rest });
      expect(one.notifier.position).to.equal(head);
      settle();

      const other = randomUUID();
      const giveUp = one.notifier.expect(other);
      const lost = await commit([2], [], { batchId: other });
      const again = wait(one, { userId: "@told:hs" });
      one.bus.publish({
        kind: "ephemeral",
        ephemeral: {
          mark: one.notifier.ephemeralMark + 1,
          users: ["@told:hs"],
        },
      });
      expect(await again).to.equal("woken");
      expect(one.notifier.position).to.equal(head);
      giveUp();
      expect(one.notifier.position).to.equal(lost.head);
    });

    it("never passes a batch that it has not seen, and takes answers in any order", async () => {
      const one = await start();
      const answers = [];
      for (let i = 0; i < 4; i += 1) {
        answers.push(await commit([100 + i], [], { isHinted: false }));
      }
      const before = one.notifier.position;
      const [first, second, third, fourth] = answers;
      one.notifier.committed(fourth!);
      one.notifier.committed(second!);
      expect(one.notifier.position).to.equal(before);
      one.notifier.committed(first!);
      expect(one.notifier.position).to.equal(second!.head);
      one.notifier.committed(third!);
      expect(one.notifier.position).to.equal(fourth!.head);
      one.notifier.committed(second!);
      expect(one.notifier.position).to.equal(fourth!.head);
      expect(one.notifier.changesSince(before)!.roomNids).to.deep.equal(
        new Set([100, 101, 102, 103]),
      );
    });

    it("reads the table where a hint before was lost", async () => {
      const one = await start();
      const lost = await commit([7], [], { isHinted: false });
      const waiting = wait(one, { roomNids: new Set([7]) });
      await commit([8]);
      expect(await waiting).to.equal("woken");
      expect(one.notifier.position).to.equal(lost.head + 1);
    });

    it("reads the table for a batch that touched too many to name", async () => {
      const one = await start();
      const rooms = Array.from({ length: 3000 }, (_, i) => 10_000 + i);
      const waiting = wait(one, { roomNids: new Set([12_999]) });
      await commit(rooms);
      expect(await waiting).to.equal("woken");
    });

    it("is healed by the poll where every hint is lost", async () => {
      const one = await start({ pollMs: 20 });
      const waiting = wait(one, { userId: "@poll:hs" });
      await commit([], ["@poll:hs"], { isHinted: false });
      expect(await waiting).to.equal("woken");
    });

    it("is healed when the connection that listens was cut", async () => {
      const one = await start();
      const gap = new Promise<void>((resolve) => one.notifier.onGap(resolve));
      const waiting = wait(one, { roomNids: new Set([9]) });
      await cutListeners();
      await commit([9], [], { isHinted: false });
      await gap;
      expect(await waiting).to.equal("woken");
      const again = wait(one, { roomNids: new Set([10]) });
      await commit([10]);
      expect(await again, "it listens again").to.equal("woken");
    });

    it("sees every batch of several that commit at once, in every process", async () => {
      const processes = [await start(), await start(), await start()];
      const base = processes[0]!.notifier.position;
      const rooms = Array.from({ length: 120 }, (_, i) => 50_000 + i);
      await Promise.all(
        rooms.map(async (room, i) => {
          const { notifier } = processes[i % 3]!;
          notifier.committed(await commit([room]));
        }),
      );
      for (const { notifier } of processes) {
        await notifier.caughtUp(base + rooms.length);
        expect(notifier.position).to.equal(base + rooms.length);
        expect(notifier.changesSince(base)!.roomNids).to.deep.equal(
          new Set(rooms),
        );
      }
    });

    it("begins at the head of the stream", async () => {
      const { head } = await commit([1]);
      const { notifier } = await start();
      expect(notifier.position).to.equal(head);
      expect(notifier.changesSince(head)).to.deep.equal({
        roomNids: new Set(),
        userIds: new Set(),
      });
      expect(notifier.changesSince(head - 1)).to.equal(undefined);
    });
  });

  describe("refresh and caughtUp", () => {
    it("see what was committed before they were called, without any hint", async () => {
      const { notifier } = await start();
      const { head } = await commit([1], [], { isHinted: false });
      expect(await notifier.refresh()).to.equal(head);
      const next = await commit([1], [], { isHinted: false });
      await notifier.caughtUp(next.head);
      expect(notifier.position).to.equal(next.head);
    });

    it("see it also where a reading was under way already", async () => {
      const { notifier } = await start();
      for (let round = 0; round < 20; round += 1) {
        const early = notifier.refresh();
        const { head } = await commit([1], [], { isHinted: false });
        expect(await notifier.refresh()).to.be.at.least(head);
        await early;
      }
    });

    it("end for a position that the stream never took", async () => {
      const { notifier } = await start();
      await notifier.caughtUp(notifier.position + 1_000_000);
    });
  });

  describe("changesSince", () => {
    it("answers undefined where more happened than is remembered", async () => {
      const one = await start({ remembered: { batches: 5 } });
      const { base } = await commit([1], [], { isHinted: false });
      for (let i = 0; i < 6; i += 1) await commit([i], [], { isHinted: false });
      await one.notifier.refresh();
      expect(one.notifier.changesSince(base)).to.equal(undefined);
      expect(one.notifier.changesSince(base + 2)!.roomNids.size).to.equal(5);
      expect(
        await wait(one, {}, { after: { position: base, mark: 0 } }),
        "who is that far back is not left to wait",
      ).to.equal("woken");
    });

    it("wakes all where it fell too far behind to read every batch", async () => {
      const one = await start();
      const waiting = wait(one, { userId: "@unconcerned:hs" });
      await database.sql`
        insert into batches (batch_id, last_position, committed_ts)
        select gen_random_uuid(), ${one.notifier.position} + n, 0 from generate_series(1, 20050) as n`;
      const before = one.notifier.position;
      expect(await one.notifier.refresh()).to.equal(before + 20_050);
      expect(await waiting).to.equal("woken");
      expect(one.notifier.changesSince(before)).to.equal(undefined);
      await database.sql`delete from batches where last_position between ${before + 1} and ${before + 20_049}`;
    });
  });

  describe("wait", () => {
    it("wakes those whom a batch concerns, and nobody else", async () => {
      const one = await start();
      const ended: string[] = [];
      const note = (name: string, topics: Partial<WaitTopics>) =>
        wait(one, topics).then((result) => {
          ended.push(name);
          return result;
        });
      const inRoom = note("room", { roomNids: new Set([20, 21]) });
      const byName = note("user", { userId: "@named:hs" });
      const other = note("other", {
        userId: "@other:hs",
        roomNids: new Set([22]),
      });
      await commit([21], ["@named:hs"]);
      expect(await Promise.all([inRoom, byName])).to.deep.equal([
        "woken",
        "woken",
      ]);
      expect(ended).not.to.include("other");
      await commit([22]);
      expect(await other).to.equal("woken");
    });

    it("ends at once for what happened before it began", async () => {
      const one = await start();
      const { position } = one.notifier;
      one.notifier.committed(await commit([30]));
      const topics = { roomNids: new Set([30]) };
      expect(
        await wait(one, topics, { after: { position, mark: 0 } }),
      ).to.equal("woken");
      expect(await wait(one, topics, { timeoutMs: 5 })).to.equal("timeout");
    });

    it("ends with the time, the caller and the process", async () => {
      const one = await start();
      expect(await wait(one, {}, { timeoutMs: 1 })).to.equal("timeout");
      const early = new Caller();
      early.leave();
      expect(await wait(one, {}, { caller: early })).to.equal("aborted");
      const caller = new Caller();
      const waiting = wait(one, {}, { caller });
      caller.leave();
      expect(await waiting).to.equal("aborted");
      const last = wait(one, {});
      await one.notifier.close();
      expect(await last).to.equal("aborted");
      expect(await wait(one, {})).to.equal("aborted");
    });

    it("touches one of 10,000 who wait in little time", async () => {
      const one = await start();
      const callers: Caller[] = [];
      const waits = Array.from({ length: 10_000 }, (_, i) =>
        wait(
          one,
          {
            userId: `@user${i}:hs`,
            roomNids: new Set(Array.from({ length: 20 }, (_, r) => i * 20 + r)),
          },
          { caller: (callers[i] = new Caller()) },
        ),
      );
      const before = process.cpuUsage();
      const { position } = one.notifier;
      for (let i = 0; i < 1000; i += 1) {
        one.notifier.committed({
          base: position + i,
          head: position + i + 1,
          rooms: [i === 999 ? 4321 * 20 : -1],
          users: ["@absent:hs"],
          writes: [],
        });
      }
      const { user } = process.cpuUsage(before);
      expect(await waits[4321]).to.equal("woken");
      expect(user / 1000, "µs for each batch").to.be.below(100);
      for (const caller of callers) caller.leave();
      const results = new Set(await Promise.all(waits));
      expect(results).to.deep.equal(new Set(["aborted", "woken"]));
    });
  });

  describe("wakeEphemeral", () => {
    it("wakes rooms and users in both processes, once for each mark", async () => {
      const [one, two] = [await start(), await start()];
      const mark =
        Math.max(one.notifier.ephemeralMark, two.notifier.ephemeralMark) + 5;
      const waits = [
        wait(one, { roomNids: new Set([40]) }),
        wait(two, { roomNids: new Set([40]) }),
        wait(two, { userId: "@present:hs" }),
      ];
      const other = wait(two, { roomNids: new Set([41]) }, { timeoutMs: 200 });
      one.notifier.wakeEphemeral({ mark, rooms: [40], users: ["@present:hs"] });
      expect(one.notifier.ephemeralMark).to.equal(mark);
      expect(await Promise.all(waits)).to.deep.equal([
        "woken",
        "woken",
        "woken",
      ]);
      expect(two.notifier.ephemeralMark).to.equal(mark);
      // Its own message comes back to the first process, and wakes nobody anew.
      expect(
        await wait(one, { roomNids: new Set([40]) }, { timeoutMs: 50 }),
      ).to.equal("timeout");
      expect(await other).to.equal("timeout");
    });

    it("ends a wait at once that has not seen the mark", async () => {
      const { notifier } = await start();
      const mark = notifier.ephemeralMark;
      notifier.wakeEphemeral({ mark: mark + 1, rooms: [42] });
      const waitFor = (room: number, timeoutMs: number) =>
        notifier.wait(
          { userId: "@a:hs", roomNids: new Set([room]) },
          { position: notifier.position, mark },
          timeoutMs,
          new Caller(),
        );
      expect(await waitFor(42, LONG_MS)).to.equal("woken");
      expect(await waitFor(43, 5)).to.equal("timeout");
    });

    it("is made up for from the table where the connection was cut", async () => {
      const one = await start();
      const waiting = wait(one, { roomNids: new Set([44]) });
      const mark = one.notifier.ephemeralMark + 1;
      await database.sql`
        insert into typing (room_nid, user_id, expires_ts, mark) values (44, '@t:hs', 0, ${mark})`;
      await cutListeners();
      expect(await waiting).to.equal("woken");
      expect(one.notifier.ephemeralMark).to.equal(mark);
    });
  });

  describe("revoke", () => {
    it("ends the waits of the token in the other process, and tells who caches it", async () => {
      const [one, two] = [await start(), await start()];
      const heard: number[] = [];
      two.notifier.onRevoked((tokenIds) => heard.push(...tokenIds));
      const waiting = wait(two, { tokenId: 77 });
      const other = wait(two, { tokenId: 78 }, { timeoutMs: 100 });
      const here = wait(one, { tokenId: 77 });
      await one.notifier.revoke([77]);
      expect(heard, "when it resolves").to.deep.equal([77]);
      expect(await Promise.all([here, waiting])).to.deep.equal([
        "revoked",
        "revoked",
      ]);
      expect(await wait(two, { tokenId: 77 }), "one that begins late").to.equal(
        "revoked",
      );
      expect(await other).to.equal("timeout");
    });

    it("resolves where a process that listens never answers", async () => {
      const one = await start();
      const silent = openSameDatabase(database.open(), {
        poolSize: 1,
        settings: { application_name: "myelin listener" },
      });
      await silent.listen("myelin", () => undefined);
      expect(await one.bus.countListeners()).to.equal(2);
      await one.notifier.revoke([5]);
      await silent.end();
    });

    it("is made up for where the connection was cut meanwhile", async () => {
      const one = await start();
      const waiting = wait(one, { tokenId: 99 });
      await cutListeners();
      expect(await waiting).to.equal("revoked");
    });
  });
});

describe("Bus", () => {
  const database = useDatabase();

  it("keeps what is published while the database is away", async () => {
    const listening = await createBus(database.open(), { log: quiet });
    const sql = database.open({ poolSize: 1 });
    const bus = await createBus(sql, { log: quiet });
    const heard = new Promise<readonly number[]>((resolve) => {
      listening.onMessage((message) => {
        if (message.kind === "revoked") resolve(message.tokenIds);
      });
    });
    const [{ pid } = { pid: 0 }] = await sql<{ pid: number }[]>`
      select pg_backend_pid() as pid`;
    bus.publish({ kind: "revoked", tokenIds: [5] });
    await database.sql`select pg_terminate_backend(${pid})`;
    expect(await heard).to.deep.equal([5]);
    await bus.close();
    await listening.close();
  });
});
