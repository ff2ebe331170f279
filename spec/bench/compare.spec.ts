import { expect } from "chai";
import {
  judgePair,
  pairUp,
  ratioOf,
  renderComparison,
} from "../../bench/report/compare.ts";
import type { Values } from "../../bench/report/measurement.ts";

const line = (title: string, values: Values) => ({
  scenario: "B1",
  title,
  values,
});

describe("comparison of reports", () => {
  it("pairs the same figures of the same lines", () => {
    const pairs = pairUp(
      [line("x", { perSecond: 100, cpuMs: 2 })],
      [line("x", { perSecond: 150, cpuMs: 1 })],
    );
    expect(pairs.map((pair) => [pair.metric, ratioOf(pair)])).to.deep.equal([
      ["perSecond", 1.5],
      ["cpuMs", 0.5],
    ]);
    expect(pairs.map(judgePair)).to.deep.equal(["better", "better"]);
  });

  it("keeps what only one of them has", () => {
    const pairs = pairUp(
      [line("a", { p50Ms: 1 })],
      [line("b", { p50Ms: 1 }), line("a", { p99Ms: 3 })],
    );
    expect(pairs.map(({ title, metric, a, b }) => [title, metric, a, b]))
      .to //
      .deep.equal([
        ["a", "p50Ms", 1, undefined],
        ["a", "p99Ms", undefined, 3],
        ["b", "p50Ms", undefined, 1],
      ]);
    expect(pairs.map(ratioOf)).to.deep.equal([undefined, undefined, undefined]);
  });

  it("can be of some figures only", () => {
    const lines = [line("x", { perSecond: 100, cpuMs: 2 })];
    const pairs = pairUp(lines, lines, ["cpuMs"]);
    expect(pairs.map(({ metric }) => metric)).to.deep.equal(["cpuMs"]);
  });

  it("calls a tenth noise, and knows which way is better", () => {
    const judge = (values: Values, others: Values) =>
      judgePair(pairUp([line("x", values)], [line("x", others)])[0]!);
    expect(judge({ cpuMs: 1 }, { cpuMs: 1.09 })).to.equal("");
    expect(judge({ cpuMs: 1 }, { cpuMs: 1.2 })).to.equal("worse");
    expect(judge({ perSecond: 100 }, { perSecond: 80 })).to.equal("worse");
    expect(judge({ operations: 100 }, { operations: 80 })).to.equal("");
    expect(judge({ errors: 0 }, { errors: 5 })).to.equal("");
  });

  it("prints both and their ratio", () => {
    const pairs = pairUp([line("x", { cpuMs: 2 })], [line("x", { cpuMs: 4 })]);
    const row = renderComparison(["A", "B"], pairs).split("\n")[2];
    expect(row?.split(/\s{2,}/)).to.deep.equal([
      ...["B1 x", "CPU ms/op", "2", "4", "2", "worse"],
    ]);
  });
});
