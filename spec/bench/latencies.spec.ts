import { expect } from "chai";
import { Latencies, percentile } from "../../bench/load/latencies.ts";

describe("latencies", () => {
  it("takes the nearest rank, whatever the order of arrival", () => {
    const latencies = new Latencies();
    for (let i = 100; i >= 1; i--) latencies.add(i);
    expect(latencies.summary()).to.deep.equal({
      p50Ms: 50,
      p99Ms: 99,
      maxMs: 100,
    });
  });

  it("orders by number, not by text", () => {
    const latencies = new Latencies();
    for (const value of [9, 10, 100]) latencies.add(value);
    expect(latencies.summary().p50Ms).to.equal(10);
  });

  it("is the only value of one, and no number of none", () => {
    expect(percentile([7], 0.5)).to.equal(7);
    expect(percentile([7], 0.99)).to.equal(7);
    expect(percentile([], 0.5)).to.be.NaN;
  });
});
