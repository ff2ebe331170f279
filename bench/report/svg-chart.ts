import { linearAxis, logAxis, sizeAxis, type Axis } from "./axis.ts";
import { formatNumber } from "./table.ts";

export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly unit: string;
  readonly isLog?: boolean;
  readonly series: readonly Series[];
}

const WIDTH = 720;
const PLOT = { left: 72, right: 692, height: 260 };
const TITLE_Y = 30;
const LEGEND_Y = 56;
const LEGEND_LINE = 22;
const LEGEND_GAP = 28;
/** Of the legend's letters, on average. */
const LETTER = 6.9;
const BELOW = 60;

/** Colours that are told apart without red and green, and marks without colours. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #424a53 }
  .title { font-size: 15px; font-weight: 600; fill: #1f2328 }
  .ground { fill: #ffffff; stroke: #d1d9e0 }
  .grid { stroke: #e4e8ec }
  .axis { stroke: #818b98 }
  .line { fill: none; stroke-width: 2 }
  .a { stroke: #0969c4; fill: #0969c4 }
  .b { stroke: #c4500b; fill: #c4500b }
  .c { stroke: #0a7d5a; fill: #0a7d5a }
  .d { stroke: #a0429a; fill: #a0429a }
  .e { stroke: #8a6500; fill: #8a6500 }
  @media (prefers-color-scheme: dark) {
    text { fill: #b7bfc8 }
    .title { fill: #f0f6fc }
    .ground { fill: #0d1117; stroke: #3d444d }
    .grid { stroke: #262c34 }
    .axis { stroke: #6e7781 }
    .a { stroke: #58a6ff; fill: #58a6ff }
    .b { stroke: #ff9a57; fill: #ff9a57 }
    .c { stroke: #3fc99a; fill: #3fc99a }
    .d { stroke: #e08fd9; fill: #e08fd9 }
    .e { stroke: #e0b341; fill: #e0b341 }
  }
  .line { fill: none }`;

const CLASSES = ["a", "b", "c", "d", "e"];

/** A mark around 0, 0 for each class. */
const MARKS = [
  "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
  "M-4 -4h8v8h-8z",
  "M0 -5.5l5.5 9.5h-11z",
  "M0 -6l6 6l-6 6l-6 -6z",
  "M0 5.5l5.5 -9.5h-11z",
];

/** A picture of curves over sizes, on a ground of its own. */
export function renderChart(chart: Chart): string {
  const legend = layLegend(chart);
  const top = legend.bottom + 22;
  const bottom = top + PLOT.height;
  const points = chart.series.flatMap((one) => one.points);
  const x = sizeAxis(points.map((one) => one.x));
  const ys = points.map((one) => one.y);
  const y = chart.isLog ? logAxis(ys) : linearAxis(ys);
  const at = {
    x: (value: number) =>
      round(PLOT.left + 24 + x.place(value) * (PLOT.right - PLOT.left - 48)),
    y: (value: number) => round(bottom - y.place(value) * PLOT.height),
  };
  const height = bottom + BELOW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escape(chart.title)}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>`,
    text(PLOT.left - 48, TITLE_Y, chart.title, 'class="title"'),
    ...legend.lines,
    ...renderGrid(y, at.y),
    line(PLOT.left, bottom, PLOT.right, bottom, "axis"),
    ...x.ticks.flatMap((tick) => [
      line(at.x(tick), bottom, at.x(tick), bottom + 5, "axis"),
      text(at.x(tick), bottom + 21, formatNumber(tick), MIDDLE),
    ]),
    text((PLOT.left + PLOT.right) / 2, bottom + 45, chart.xLabel, MIDDLE),
    text(
      0,
      0,
      chart.yLabel,
      `${MIDDLE} transform="translate(22 ${round((top + bottom) / 2)}) rotate(-90)"`,
    ),
    ...chart.series.flatMap((one, i) => renderSeries(one, i, at)),
    "</svg>\n",
  ].join("\n");
}

const MIDDLE = 'text-anchor="middle"';

/** Each curve with its first and its last value, as many in a line as fit. */
function layLegend(chart: Chart): { lines: string[]; bottom: number } {
  const lines: string[] = [];
  let [left, y] = [PLOT.left - 48, LEGEND_Y];
  for (const [i, { name, points }] of chart.series.entries()) {
    const [first, last] = [points[0]?.y, points.at(-1)?.y];
    const label = `${name}: ${short(first)} → ${short(last)} ${chart.unit}`;
    const width = 16 + label.length * LETTER;
    if (left + width > PLOT.right && left > PLOT.left) {
      left = PLOT.left - 48;
      y += LEGEND_LINE;
    }
    lines.push(mark(i, left + 6, y - 4.5), text(left + 17, y, label));
    left += width + LEGEND_GAP;
  }
  return { lines, bottom: y };
}

const renderGrid = ({ ticks }: Axis, y: (value: number) => number) =>
  ticks.flatMap((tick) => [
    line(PLOT.left, y(tick), PLOT.right, y(tick), "grid"),
    text(PLOT.left - 8, y(tick) + 4.5, label(tick), 'text-anchor="end"'),
  ]);

const short = (value: number | undefined) =>
  value === undefined ? "–" : label(Number(value.toPrecision(3)));

/** Without the noise of binary fractions. */
const label = (tick: number): string =>
  Number(tick.toPrecision(6)).toLocaleString("en-US", {
    maximumFractionDigits: 6,
  });

function renderSeries(
  { points }: Series,
  i: number,
  at: { x: (value: number) => number; y: (value: number) => number },
): string[] {
  const places = points.map(({ x, y }) => [at.x(x), at.y(y)] as const);
  const path = places.map(([x, y]) => `${x} ${y}`).join("L");
  return [
    `<path class="${classOf(i)} line" d="M${path}"/>`,
    ...places.map(([x, y]) => mark(i, x, y)),
  ];
}

const classOf = (i: number) => CLASSES[i % CLASSES.length]!;

const mark = (i: number, x: number, y: number) =>
  `<path class="${classOf(i)}" transform="translate(${round(x)} ${round(y)})" d="${MARKS[i % MARKS.length]}"/>`;

const line = (x1: number, y1: number, x2: number, y2: number, name: string) =>
  `<path class="${name}" d="M${round(x1)} ${round(y1)}L${round(x2)} ${round(y2)}"/>`;

const text = (x: number, y: number, content: string, attributes = "") =>
  `<text x="${round(x)}" y="${round(y)}"${attributes && ` ${attributes}`}>${escape(content)}</text>`;

const round = (value: number) => Math.round(value * 10) / 10;

const escape = (content: string) =>
  content
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
