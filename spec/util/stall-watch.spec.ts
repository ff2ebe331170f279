import { expect } from "chai";
import { watchStalls } from "../../src/util/stall-watch.ts";

const LONGEST_MS = 400;

/** As SIGSTOP does: nothing of this process runs. */
const stop = (ms: number) =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

describe("watchStalls", () => {
  it("knows at once that the process did not run, and tells of it", async () => {
    const watch = watchStalls(LONGEST_MS);
    try {
      const told = new Promise<number>((resolve) => watch.onStall(resolve));
      stop(LONGEST_MS + 50);
      expect(watch.isStalled()).to.equal(true);
      expect(await told).to.be.above(LONGEST_MS);
      expect(watch.isStalled()).to.equal(false);
    } finally {
      watch.close();
    }
  });
});
