import { expect } from "chai";
import { raiseFence } from "../../src/storage/fence.ts";
import { storageOfRequest } from "../../src/storage/request-storage.ts";
import { StorageUnavailable } from "../../src/storage/storage-unavailable.ts";
import type { Committer } from "../../src/storage/write.ts";
import { committed, useCommitters } from "../support/committers.ts";
import { useDatabase } from "../support/database.ts";

describe("a process that was stopped", () => {
  const database = useDatabase();
  let isStalled = false;
  const committers = useCommitters(database, 1, {
    isStalled: () => isStalled,
  });
  const write = { positions: 1 };
  const failureOf = (committer: Committer) =>
    committer.commit(write).catch((error: unknown) => error);

  it("sends nothing of what queued before", async () => {
    const [committer] = committers as [(typeof committers)[0]];
    const queued = failureOf(committer);
    isStalled = true;
    expect(await queued).to.be.instanceOf(StorageUnavailable);
    isStalled = false;
    committed(await committer.commit(write));
  });

  it("takes nothing of those who began before, and all of those who begin now", async () => {
    const [committer] = committers as [(typeof committers)[0]];
    const before = raiseFence(committer, () => isStalled);
    committed(await before.commit(write));
    isStalled = true;
    expect(await failureOf(before)).to.be.instanceOf(StorageUnavailable);
    isStalled = false;
    before.shut();
    expect(await failureOf(before)).to.be.instanceOf(StorageUnavailable);
    committed(await raiseFence(committer, () => false).commit(write));
  });

  it("writes nothing beside the stream either for requests that began before", async () => {
    const [committer] = committers as [(typeof committers)[0]];
    const fence = raiseFence(committer, () => isStalled);
    const { db } = storageOfRequest(database.sql, fence);
    const note = (key: string) =>
      db`insert into rate_limits (key, tokens, updated_ts) values (${key}, 1, 1)`;
    await note("before");
    isStalled = true;
    const failed = await note("meanwhile").catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(StorageUnavailable);
    isStalled = false;
    fence.shut();
    const late = await note("after").catch((error: unknown) => error);
    expect(late).to.be.instanceOf(StorageUnavailable);
    const rows = await database.sql`select key from rate_limits`;
    expect(rows.map((row) => String(row["key"]))).to.deep.equal(["before"]);
  });
});
