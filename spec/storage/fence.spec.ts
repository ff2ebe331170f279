import { expect } from "chai";
import { raiseFence } from "../../src/storage/fence.ts";
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
});
