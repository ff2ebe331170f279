import { expect } from "chai";
import { runClosedLoop } from "../../bench/load/closed-loop.ts";
import { runOpenLoop } from "../../bench/load/open-loop.ts";

describe("loops of load", () => {
  it("counts what the server kept from starting from the time it was to start", async () => {
    let release = () => {};
    const stall = new Promise<void>((resolve) => (release = resolve));
    const intended: number[] = [];
    const { latencies } = await runOpenLoop({
      perSecond: 1_000,
      seconds: 0.05,
      async operation(_turn, at) {
        // Nothing is answered before all were to start.
        if (intended.push(at) === 50) release();
        await stall;
        return true;
      },
    });
    expect(latencies.count).to.equal(50);
    const first = intended[0]!;
    expect(intended.map((at) => Math.round(at - first))).to.deep.equal(
      intended.map((_, i) => i),
    );
    expect(latencies.summary().maxMs).to.be.at.least(49);
  });

  it("ends with what it is measured beside", async () => {
    let asked = 0;
    const { latencies } = await runClosedLoop({
      workers: 1,
      seconds: 60,
      isOver: () => asked === 3,
      operation: async () => ++asked > 0,
    });
    expect(latencies.count).to.equal(3);
  });

  it("ends at the most operations, and keeps refusals out of the latencies", async () => {
    let asked = 0;
    const { latencies, errors } = await runClosedLoop({
      workers: 4,
      seconds: 60,
      maxOperations: 10,
      operation: () => Promise.resolve(asked++ % 2 === 0),
    });
    expect(asked).to.equal(10);
    expect(latencies.count).to.equal(5);
    expect(errors).to.equal(5);
  });

  it("gives up on a server that refuses everything", async () => {
    const loop = runClosedLoop({
      workers: 2,
      seconds: 60,
      operation: () => Promise.resolve(false),
    });
    const error = await loop.catch((fault: unknown) => fault);
    expect(error)
      .to.be.instanceOf(Error)
      .with.property("message")
      .that.matches(/refused/);
  });
});
