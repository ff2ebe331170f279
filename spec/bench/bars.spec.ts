import { expect } from "chai";
import { BARS } from "../../bench/report/bars.ts";
import { judgeAll, judgeBar } from "../../bench/report/judge.ts";
import type { Values } from "../../bench/report/measurement.ts";

/** A suite of one part, with one line a title. */
const suiteOf = (part: string, lines: Record<string, Values>) => ({
  [part]: {
    date: "2026-11-26T00:00:00.000Z",
    settings: {},
    measurements: Object.entries(lines).map(([title, values]) => ({
      scenario: "B",
      title,
      values,
    })),
  },
});

const barOf = (figure: string) => {
  const found = BARS.find((one) => one.figure.includes(figure));
  if (found === undefined) throw new Error(`no bar of ${figure}`);
  return found;
};

describe("bars", () => {
  it("are met where every figure is within its limit", () => {
    const sends = (rates: readonly number[]) =>
      suiteOf("sends", {
        "1 sender in 8 rooms": { perSecond: rates[0]! },
        "16 senders in 8 rooms": { perSecond: rates[1]! },
        "64 senders in 8 rooms": { perSecond: rates[2]! },
      });
    const bar = barOf("acknowledged sends/s");
    expect(judgeBar(sends([700, 2_900, 4_500]), bar)).to.deep.equal({
      figure: bar.figure,
      bar: bar.bar,
      measured: "700 / 2,900 / 4,500",
      outcome: "met",
    });
    expect(judgeBar(sends([700, 1_700, 4_500]), bar).outcome).to.equal(
      "missed",
    );
  });

  it("are missed where one of several figures is lacking", () => {
    const suite = suiteOf("receipts", {
      "1 syncing client": { p50Ms: 3 },
    });
    const bar = barOf("1 syncing client: p50 / p99");
    expect(judgeBar(suite, bar)).to.include({
      measured: "3 ms / –",
      outcome: "missed",
    });
  });

  it("say that nothing was measured where nothing was", () => {
    for (const { measured, outcome } of judgeAll({}))
      expect([measured, outcome]).to.deep.equal(["", "not measured"]);
  });

  it("are not met by the figure of another size", () => {
    const title = "send, members in the room: 300 against 10";
    const suite = suiteOf("members", { [title]: { cpuRatio: 1.1 } });
    expect(judgeBar(suite, barOf("a room of 10,000"))).to.include({
      measured: `1.10 × (${title})`,
      outcome: "not this size",
    });
  });

  it("say only what was measured where there is no bar", () => {
    const suite = suiteOf("media-s3", {
      "a file of 1024 MiB up": { megabytesPerSecond: 90 },
      "a file of 1024 MiB down": { megabytesPerSecond: 250.4 },
    });
    expect(judgeBar(suite, barOf("the same in S3"))).to.include({
      measured: "90 MB/s / 250 MB/s",
      outcome: "told",
    });
  });

  it("hold differences and costs, not only figures of a line", () => {
    const across = suiteOf("receipts-across", {
      "1 syncing client, the sender's process": { p50Ms: 4 },
      "1 syncing client, another process": { p50Ms: 6.5 },
    });
    expect(judgeBar(across, barOf("another process"))).to.include({
      measured: "2.50 ms",
      outcome: "met",
    });
    const sealing = suiteOf("sealing", {
      "64 senders in 8 rooms, sealing on, against 64 senders in 8 rooms, sealing off":
        { rateRatio: 0.865 },
    });
    expect(judgeBar(sealing, barOf("sealing's cost"))).to.include({
      measured: "13.5 %",
      outcome: "missed",
    });
  });
});
