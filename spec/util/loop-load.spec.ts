import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { createLoopMeter, restFor } from "../../src/util/loop-load.ts";

describe("createLoopMeter", () => {
  it("rises while the event loop works and falls while it waits", async () => {
    const measure = createLoopMeter();
    await sleep(200);
    const idle = measure();
    work(200);
    // The loop counts what it did when it comes round.
    await sleep(0);
    const busy = measure();
    await sleep(200);
    expect(busy).to.be.above(idle).and.at.most(1);
    expect(measure()).to.be.below(busy).and.at.least(0);
  });
});

describe("restFor", () => {
  const rests = { mostTimes: 30, longestMs: 1000 };

  it("is none where the loop has nothing to do, and most where it is never idle", () => {
    expect(restFor(10, 0, rests)).to.equal(0);
    expect(restFor(10, 0.5, rests)).to.equal(75);
    expect(restFor(10, 1, rests)).to.equal(300);
  });

  it("ends: work goes on however busy the loop is", () => {
    expect(restFor(500, 1, rests)).to.equal(1000);
  });
});

function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
