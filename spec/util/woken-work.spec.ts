import { expect } from "chai";
import { EventEmitter, once } from "node:events";
import { WokenWork } from "../../src/util/woken-work.ts";

describe("WokenWork", () => {
  const ignore = { onError: () => undefined };

  it("runs once more for all who woke it while it ran, and never twice at once", async () => {
    const steps = new EventEmitter();
    let running = 0;
    let runs = 0;
    const work = new WokenWork(async () => {
      running += 1;
      runs += 1;
      expect(running).to.equal(1);
      steps.emit("begun");
      await once(steps, "go on");
      running -= 1;
    }, ignore);
    const first = once(steps, "begun");
    work.wake();
    await first;
    const second = once(steps, "begun");
    for (let i = 0; i < 5; i += 1) work.wake();
    steps.emit("go on");
    await second;
    const stopped = work.stop();
    steps.emit("go on");
    await stopped;
    expect(runs).to.equal(2);
  });

  it("tries again what has failed", async () => {
    const errors: unknown[] = [];
    const done = new EventEmitter();
    const isDone = once(done, "done");
    const work = new WokenWork(
      async () => {
        if (errors.length < 2) throw new Error("not yet");
        done.emit("done");
      },
      { retryMs: 1, onError: (error) => errors.push(error) },
    );
    work.wake();
    await isDone;
    await work.stop();
    expect(errors).to.have.length(2);
  });

  it("begins nothing once it is stopped", async () => {
    let runs = 0;
    const work = new WokenWork(async () => void (runs += 1), ignore);
    await work.stop();
    work.wake();
    await work.stop();
    expect(runs).to.equal(0);
  });
});
