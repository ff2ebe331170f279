import { expect } from "chai";
import { raiseFence } from "../../src/storage/fence.ts";
import { createRequestStorage } from "../../src/storage/request-storage.ts";
import { StorageUnavailable } from "../../src/storage/storage-unavailable.ts";
import { useServer } from "../support/server.ts";

describe("createRequestStorage", () => {
  const server = useServer();
  let isStalled = false;
  const storageAfter = (waitedMs: number) => {
    const { db, committer, notifier } = server.edges;
    const fence = raiseFence(
      { commit: ({ audit: _, ...rest }) => committer.commit(rest) },
      () => isStalled,
    );
    const shared = { db, committer: fence, notifier };
    return createRequestStorage(shared, (own) => own)(waitedMs);
  };
  const isRefused = (asked: PromiseLike<unknown>) =>
    asked.then(
      () => false,
      (error: unknown) => error instanceof StorageUnavailable,
    );
  const write = { positions: 1 };

  it("has one deadline for all that is answered late", async () => {
    const { db } = storageAfter(0);
    expect(await isRefused(db`select pg_sleep(3)`)).to.equal(false);
    expect(await isRefused(db`select 1`)).to.equal(false);
    expect(await isRefused(db`select pg_sleep(3)`)).to.equal(true);
    expect(await isRefused(db`select 1`)).to.equal(true);
  });

  it("counts no time that queries take by themselves, and no time twice", async () => {
    const { db, committer } = storageAfter(0);
    for (let i = 0; i < 10; i += 1) await db`select pg_sleep(0.3)`;
    await Promise.all([1, 2].map(() => db`select pg_sleep(1.2)`));
    expect(await isRefused(committer.commit(write))).to.equal(false);
  });

  it("begins no write whose request has waited already, and reads what is there", async () => {
    const { db, committer, notifier } = storageAfter(4500);
    expect(await isRefused(committer.commit(write))).to.equal(true);
    const other = storageAfter(4500);
    expect(await isRefused(other.db`select 1`)).to.equal(false);
    expect(await isRefused(other.notifier.refresh())).to.equal(false);
    expect(other.notifier.position).to.equal(server.edges.notifier.position);
    expect(await isRefused(db`select 1`)).to.equal(true);
    expect(await isRefused(notifier.refresh())).to.equal(true);
  });

  it("writes nothing for who began before the process was stopped", async () => {
    const { db } = storageAfter(0);
    const note = (key: string) =>
      db`insert into rate_limits (key, tokens, updated_ts) values (${key}, 1, 1)`;
    await note("before");
    isStalled = true;
    expect(await isRefused(note("meanwhile"))).to.equal(true);
    const caught = note("caught").catch((error: unknown) => {
      throw error;
    });
    expect(await isRefused(caught)).to.equal(true);
    isStalled = false;
    const rows = await server.database.sql`select key from rate_limits`;
    expect(rows.map((row) => String(row["key"]))).to.deep.equal(["before"]);
  });
});
