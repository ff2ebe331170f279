import { EventEmitter, once } from "node:events";
import { expect } from "chai";
import { forgetSlidingStates } from "../../../src/domain/jobs/forget-sliding-states.ts";
import { forgetTransactions } from "../../../src/domain/jobs/forget-transactions.ts";
import { runJob, type Job } from "../../../src/domain/jobs/job.ts";
import { startJobs } from "../../../src/domain/jobs/start-jobs.ts";
import type { Sql } from "../../../src/storage/database.ts";
import type { Lease } from "../../../src/storage/leases.ts";
import { quiet, useDatabase } from "../../support/database.ts";

describe("jobs", () => {
  const database = useDatabase();
  const edgesOf = (sql: Sql) => ({ db: sql, log: quiet });

  beforeEach(async () => {
    await database.sql`delete from leases`;
    await database.sql`delete from idempotency`;
  });

  /** Answers of transactions, so many days old. */
  const remember = (days: number, count: number) => database.sql`
    insert into idempotency (key, answer, created_ts)
    select sha256(convert_to(${String(days)} || ' ' || i, 'UTF8')), '',
      extract(epoch from now() - ${days} * interval '1 day') * 1000
    from generate_series(1, ${count}) as i`;

  const known = async (): Promise<number> => {
    const [row] = await database.sql<{ count: number }[]>`
      select count(*) as count from idempotency`;
    return row!.count;
  };

  /** The time of a lease passes. */
  const expire = (name: string) => database.sql`
    update leases set expires_ts = clock_timestamp() where name = ${name}`;

  const jobOf = (step: Job["step"]): Job => ({
    name: "job",
    restMs: 60_000,
    step,
  });

  it("forget transactions after a week, and no sooner", async () => {
    await remember(9, 2500);
    await remember(7, 10);
    await remember(0, 10);
    await runJob(edgesOf(database.sql), forgetTransactions);
    expect(await known()).to.equal(20);
  });

  it("forget connections of sliding sync that nobody has used for 30 days", async () => {
    for (const days of [31, 29, 0])
      await database.sql`
        insert into sliding_sync_states
          (user_id, device_id, conn_id, seq, state_id, change, created_ts)
        select '@a:test', 'D', ${String(days)}, i, i, '',
          extract(epoch from now() - ${days} * interval '1 day') * 1000
        from generate_series(1, 1200) as i`;
    await runJob(edgesOf(database.sql), forgetSlidingStates);
    const rows = await database.sql<{ connId: string }[]>`
      select distinct conn_id from sliding_sync_states order by conn_id`;
    expect(rows.map(({ connId }) => connId)).to.deep.equal(["0", "29"]);
  });

  it("forget so many at once", async () => {
    await remember(9, 2500);
    const left: number[] = [];
    const job: Job = {
      ...forgetTransactions,
      async step(edges, lease) {
        const hasMore = await forgetTransactions.step(edges, lease);
        left.push(await known());
        return hasMore;
      },
    };
    await runJob(edgesOf(database.sql), job);
    expect(left).to.deep.equal([1500, 500, 0]);
  });

  it("are run by one process at a time, and rest then", async () => {
    let runs = 0;
    const others = [database.open(), database.open()];
    const job = jobOf(async () => {
      runs += 1;
      await Promise.all(others.map((sql) => runJob(edgesOf(sql), job)));
      return false;
    });
    await runJob(edgesOf(database.sql), job);
    await runJob(edgesOf(database.sql), job);
    expect(runs).to.equal(1);
    await expire(job.name);
    await runJob(edgesOf(database.sql), job);
    expect(runs).to.equal(2);
  });

  it("go on elsewhere when the process that ran them is gone", async () => {
    await remember(9, 1200);
    const died = new Error("killed");
    const dying: Job = {
      ...forgetTransactions,
      async step(edges, lease) {
        await forgetTransactions.step(edges, lease);
        throw died;
      },
    };
    await runJob(edgesOf(database.sql), dying).catch((error: unknown) => {
      expect(error).to.equal(died);
    });
    const other = edgesOf(database.open());
    await runJob(other, forgetTransactions);
    expect(await known()).to.equal(200);
    await expire(forgetTransactions.name);
    await runJob(other, forgetTransactions);
    expect(await known()).to.equal(0);
  });

  it("write nothing for a process that slept while its lease ran out", async () => {
    await remember(9, 10);
    const generations: number[] = [];
    const sleeper: Job = {
      ...forgetTransactions,
      async step(edges, lease: Lease) {
        generations.push(lease.generation);
        await expire(lease.name);
        const hasMore = await forgetTransactions.step(edges, lease);
        expect(await known()).to.equal(10);
        await runJob(edgesOf(database.sql), {
          ...forgetTransactions,
          async step(_edges, { generation }) {
            generations.push(generation);
            await forgetTransactions.step(edges, lease);
            return false;
          },
        });
        expect(await known()).to.equal(10);
        return hasMore;
      },
    };
    await runJob(edgesOf(database.sql), sleeper);
    expect(generations).to.deep.equal([1, 2]);
  });

  it("come to their turn again while another one has much to do", async () => {
    const steps = new EventEmitter();
    const busy = { ...jobOf(async () => true), name: "busy" };
    const brief = {
      ...jobOf(async () => steps.emit("brief") && false),
      ...{ name: "brief", restMs: 0 },
    };
    const first = once(steps, "brief");
    const edges = edgesOf(database.sql);
    const running = startJobs(() => edges, [busy, brief], 5);
    await first;
    await once(steps, "brief");
    await running.stop();
  });

  it("start with the server and let go of their lease when it stops", async () => {
    const started = new EventEmitter();
    const step = async () => {
      started.emit("step");
      return true;
    };
    const isStarted = once(started, "step");
    const running = startJobs(() => edgesOf(database.sql), [jobOf(step)]);
    await isStarted;
    await running.stop();
    let isTaken = false;
    const next = async () => (isTaken = true) && false;
    await runJob(edgesOf(database.sql), jobOf(next));
    expect(isTaken).to.equal(true);
  });
});
