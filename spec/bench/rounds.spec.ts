import { expect } from "chai";
import { measureInTurns } from "../../bench/measure/in-turns.ts";
import { combineRounds, median, ratiosOf } from "../../bench/report/rounds.ts";

describe("rounds of a measurement", () => {
  it("takes the sides in one order, and then in the other", async () => {
    const order: string[] = [];
    const side = (name: string) => (round: number) => {
      order.push(name);
      return Promise.resolve({ operations: round });
    };
    const found = await measureInTurns(3, [side("a"), side("b")]);
    expect(order.join("")).to.equal("abbaab");
    expect(found[1]).to.deep.equal(
      [0, 1, 2].map((operations) => ({ operations })),
    );
  });

  it("adds operations up, and weighs CPU by them", () => {
    const one = { operations: 100, cpuMs: 1, p50Ms: 3, maxMs: 9 };
    const other = { operations: 300, cpuMs: 2, p50Ms: 5, maxMs: 7 };
    expect(combineRounds([one, other, one])).to.deep.equal({
      operations: 500,
      cpuMs: (100 + 600 + 100) / 500,
      p50Ms: 3,
      maxMs: 9,
    });
  });

  it("has the median of what rounds have", () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 3, 2])).to.equal(2);
    expect(median([])).to.be.NaN;
    expect(combineRounds([{ p99Ms: 1 }, {}])).to.deep.equal({ p99Ms: 1 });
  });

  it("compares rounds of the same time, so that a slow time is no difference", () => {
    const base = [{ perSecond: 100 }, { perSecond: 10 }, { perSecond: 100 }];
    const other = [{ perSecond: 90 }, { perSecond: 9 }, { perSecond: 50 }];
    expect(ratiosOf(base, other)).to.deep.equal({ rateRatio: 0.9 });
  });

  it("compares the CPU of all rounds, since one is too coarse", () => {
    const base = [
      { operations: 1, cpuMs: 0 },
      { operations: 3, cpuMs: 4 },
    ];
    const other = [{ operations: 1, cpuMs: 6 }];
    expect(ratiosOf(base, other)).to.deep.equal({ cpuRatio: 2 });
  });
});
