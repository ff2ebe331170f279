import { expect } from "chai";
import { SpanCounts } from "../../src/util/span-counts.ts";

describe("counts within spans", () => {
  it("count different things, each span anew", () => {
    const counts = new SpanCounts(10, 100, 100);
    expect(counts.add("a", 1, "x")).to.equal(1);
    expect(counts.add("a", 9, "x")).to.equal(0);
    expect(counts.add("a", 9, "y")).to.equal(2);
    expect(counts.add("b", 9, "y")).to.equal(1);
    expect(counts.add("a", 10, "y")).to.equal(1);
    expect(counts.count("a", 5)).to.equal(2);
    expect(counts.spanAt(19)).to.equal(10);
  });

  it("take no more memory than they may", () => {
    const counts = new SpanCounts(10, 2, 2);
    for (const thing of ["x", "y", "z"]) counts.add("a", 1, thing);
    expect(counts.count("a", 1)).to.equal(2);
    counts.add("b", 1, "x");
    counts.add("c", 1, "x");
    expect(counts.count("a", 1)).to.equal(0);
    expect(counts.count("c", 1)).to.equal(1);
  });
});
