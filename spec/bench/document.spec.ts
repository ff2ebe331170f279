import { existsSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { format } from "prettier";
import { linearAxis, logAxis, sizeAxis } from "../../bench/report/axis.ts";
import { renderDrawings, writeSections } from "../../bench/report/document.ts";
import { renderMarkdownTable } from "../../bench/report/markdown-table.ts";
import type { SuiteReport } from "../../bench/report/readings.ts";
import { renderChart } from "../../bench/report/svg-chart.ts";

const suite = {
  members: {
    date: "2026-11-26T00:00:00.000Z",
    settings: {},
    measurements: [10, 100].map((size) => ({
      scenario: "B16",
      title: `send, members in the room: ${size}`,
      values: { p50Ms: size / 10, cpuMs: 1 },
    })),
  },
};

describe("the document of figures", () => {
  const document =
    "# P\n\n<!-- bars -->\n\nworn\n\n<!-- end of bars -->\n\nkept\n\n<!-- curves -->\n<!-- end of curves -->\n";

  it("has its marked sections written anew, and the rest left alone", () => {
    const written = writeSections(document, suite);
    expect(written).to.include("kept").and.not.include("worn");
    expect(written).to.match(/\| figure +\| bar +\| measured +\|/);
    expect(written).to.include("](figures/send-by-members.svg)");
    expect(writeSections(written, suite)).to.equal(written);
  });

  it("is written from the committed figures", () => {
    const committed = readFileSync("docs/performance.md", "utf8");
    const file = "bench/figures-bars.json";
    if (!existsSync(file)) {
      expect(() => writeSections(committed, {})).not.to.throw();
      return;
    }
    const figures = JSON.parse(readFileSync(file, "utf8")) as SuiteReport;
    expect(writeSections(committed, figures)).to.equal(committed);
    for (const [name, drawing] of renderDrawings(figures))
      expect(readFileSync(`docs/figures/${name}`, "utf8")).to.equal(drawing);
  });

  it("is refused where a section is not marked", () => {
    expect(() => writeSections("# P\n", suite)).to.throw(/<!-- bars -->/);
  });

  it("draws what was measured at several sizes alone", () => {
    expect([...renderDrawings(suite).keys()]).to.deep.equal([
      "send-by-members.svg",
    ]);
  });

  it("writes tables as prettier does", async () => {
    const table = renderMarkdownTable(
      ["figure", "bar", ""],
      [["sends/s · 10⁶", "≥ 500", "met"]],
    );
    expect(await format(table, { parser: "markdown" })).to.equal(`${table}\n`);
  });
});

describe("axes", () => {
  it("begin at nothing and end at a round number", () => {
    const { ticks, place } = linearAxis([0.2, 1.3]);
    expect(ticks[0]).to.equal(0);
    expect(ticks.at(-1)).to.equal(1.5);
    expect(place(0.75)).to.equal(0.5);
  });

  it("take powers of ten around all values", () => {
    const { ticks, place } = logAxis([0.02, 2.5]);
    expect(ticks).to.have.length(4);
    expect(ticks[0]).to.be.closeTo(0.01, 1e-9);
    expect(place(0.01)).to.be.closeTo(0, 1e-9);
    expect(place(10)).to.be.closeTo(1, 1e-9);
    expect(place(1) - place(0.1)).to.be.closeTo(1 / 3, 1e-9);
  });

  it("place sizes by how many times as large they are", () => {
    const { ticks, place } = sizeAxis([1_000, 10, 100, 10]);
    expect(ticks).to.deep.equal([10, 100, 1_000]);
    expect(place(10)).to.equal(0);
    expect(place(100)).to.be.closeTo(0.5, 1e-9);
    expect(place(1_000)).to.equal(1);
  });
});

describe("a chart", () => {
  it("places points between its axes, and tells names as text", () => {
    const svg = renderChart({
      title: "a < b & c",
      xLabel: "members",
      yLabel: "milliseconds",
      unit: "ms",
      series: [
        {
          name: "CPU",
          points: [
            { x: 10, y: 0 },
            { x: 1_000, y: 2 },
          ],
        },
      ],
    });
    expect(svg).to.include("a &lt; b &amp; c</text>");
    expect(svg).to.include("CPU: 0 → 2 ms</text>");
    expect(svg).to.include("prefers-color-scheme: dark");
    const [, x1, y1, x2, y2] =
      /class="a line" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
    expect(Number(x1)).to.be.below(Number(x2));
    expect(Number(y1) - Number(y2)).to.equal(260);
  });
});
